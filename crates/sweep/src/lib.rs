//! Flushes deposits to their treasuries: which of them are worth it, in which transactions, at what
//! cost, and sent with a key that can pay for gas and steer nothing.
//!
//! What to do is decided by [`plan()`], which is pure; everything else asks one node.

mod chain;
mod deposit;
mod endpoint;
mod fees;
mod flush;
mod gas_account;
mod key;
mod node;
mod outcome;
mod plan;
mod prepare;
mod survey;
mod unsigned;

pub use crate::chain::{LatestBlock, Receipt};
pub use crate::deposit::{Deposit, Holding};
pub use crate::fees::{Fees, GasPrice, GasPriceError, Offer};
pub use crate::flush::{Batch, Group};
pub use crate::gas_account::{GasAccount, SendError, SignedCall};
pub use crate::key::{GasKey, KeyError};
pub use crate::node::{Node, NodeError};
pub use crate::outcome::{Outcome, Part, outcome};
pub use crate::plan::{GasModel, Limits, Plan, plan};
pub use crate::prepare::{Flush, Prepared, gas_for, gas_limit, prepare, renew};
pub use crate::survey::{Candidate, Frozen, Survey, SweepError, survey};
pub use crate::unsigned::{plain, safe};

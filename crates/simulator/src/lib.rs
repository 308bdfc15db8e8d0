//! A deterministic chain in memory, with every fault that real nodes have.

pub mod bulk;
mod chain;
mod contracts;
mod evidence;
mod faults;
mod ledger;
mod lie;
pub mod merchant;
mod node;
pub mod server;
mod token;
mod transfer;

pub use crate::chain::{Branch, SimChain};
pub use crate::contracts::{Layout, SimPaid, notice_log};
pub use crate::faults::{Fault, Faults};
pub use crate::ledger::{Ledger, SimBlock, SimTransaction};
pub use crate::lie::Lie;
pub use crate::node::SimNode;
pub use crate::transfer::SimTransfer;

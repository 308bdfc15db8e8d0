//! Follows one chain: canonical blocks, the token transfers in them, reorgs and finality. No database.
//!
//! [`Follower::next`] turns whatever a [`ChainSource`] answers, late, twice, or wrongly, into a line
//! of [`ChainUpdate`]s of which each stands on the one before. [`RpcSource`] is the source that
//! speaks JSON-RPC; tests bring a scripted one.

mod balances;
mod decode;
mod filter;
mod follower;
mod frozen;
mod in_one_line;
mod lever;
mod paid;
mod pairing;
mod pool;
mod reread;
mod rpc;
mod source;
mod source_error;
mod tx;
mod update;
mod verify;
mod wanted;

pub use crate::balances::balances;
pub use crate::decode::{DecodeError, Movement, TRANSFER_TOPIC, decode};
pub use crate::filter::{Everybody, LogFilter, RecipientSet, Recipients, WatchList};
pub use crate::follower::{FollowError, FollowSettings, Follower, Interest, Start};
pub use crate::frozen::is_frozen;
pub use crate::in_one_line::in_one_line;
pub use crate::lever::{NOTICE_TOPICS, decode_notice};
pub use crate::paid::{PAID_TOPIC, Paid, decode_paid};
pub use crate::pairing::{Pairing, pair, same_transaction};
pub use crate::pool::{Alarm, Endpoint, Pool, PoolError, PoolSettings};
pub use crate::reread::{Part, Reread, RereadError};
#[cfg(feature = "fuzzing")]
pub use crate::rpc::fuzzing;
pub use crate::rpc::{RpcFailure, RpcSettings, RpcSource};
pub use crate::source::{
    Call, CallAt, ChainSource, Header, LogAnswer, LogPlace, LogQuery, NoticeLog, PaidLog,
    TransferLog,
};
pub use crate::source_error::{CallFailure, Cause, Contradiction, NotThere, SourceError};
pub use crate::tx::{TxLog, TxReceipt};
pub use crate::update::{ChainUpdate, CoveredBlock};
pub use crate::verify::{VerifyError, verify};
pub use crate::wanted::{Said, Wanted};

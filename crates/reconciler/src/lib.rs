//! Applies what a chain says to the orders that it touches, and runs the loop of each chain.
//!
//! The decisions are pure and lie in [`mod@decide`]; the rest loads, calls and commits.

mod address_book;
mod agent;
mod audit;
pub mod decide;
mod freezes;
mod import;
mod look_alikes;
mod prove;
mod reconciler;
mod resync;

pub use crate::address_book::AddressBook;
pub use crate::agent::{AgentSettings, AgentState, ChainAgent, Now};
pub use crate::audit::{
    AuditError, AuditedChain, BookFault, BooksReport, ChainReport, DailyAudit, Extent, Finding,
    MOST_A_DAY, Opened, What, audit_books, audit_chain, books_event, chain_event,
};
pub use crate::freezes::{Checked, FreezeCheck, FreezeError};
pub use crate::import::{ImportError, ImportOutcome, ImportRequest};
pub use crate::look_alikes::{LookAlikeError, LookAlikeSettings, LookAlikeWatch, Looked};
pub use crate::prove::Proved;
pub use crate::reconciler::{Applied, Due, ReconcileError, Reconciler};
pub use crate::resync::{ResyncError, Resynced, resync};

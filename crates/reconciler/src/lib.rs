//! Applies what a chain says to the orders that it touches, and runs the loop of each chain.
//!
//! The decisions are pure and lie in [`mod@decide`]; the rest loads, calls and commits.

mod address_book;
mod agent;
pub mod decide;
mod reconciler;

pub use crate::agent::{AgentState, ChainAgent, Now};
pub use crate::reconciler::{Applied, ReconcileError, Reconciler};

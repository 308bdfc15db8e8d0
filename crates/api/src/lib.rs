//! The HTTP API: orders, chains, health, and its own reference.
//!
//! It changes the world only by making orders and by what operators decide. Requests become checked values in small pure
//! functions (`orders/request.rs`), records become JSON in others (`orders/view.rs`).

mod auth;
mod blockatm;
mod body;
mod chains;
mod changes;
mod checkout;
mod condition;
mod deciding;
mod decisions;
mod docs;
mod etag;
mod health;
mod idempotency;
pub mod keys;
mod metrics;
mod orders;
mod payments;
mod present;
mod problem;
mod qr;
mod refunds;
mod router;
#[cfg(test)]
mod samples;
mod state;
mod wire;

pub use crate::blockatm::{GatewayKey, GatewayKeyError};
pub use crate::checkout::Checkout;
pub use crate::condition::{ChainCondition, ConditionBoard};
pub use crate::router::{openapi, router};
pub use crate::state::{ApiState, ChainOffer, Clock, Metrics, Shop, SystemClock};

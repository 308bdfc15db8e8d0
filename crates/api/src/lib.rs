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
mod client_address;
mod condition;
mod deciding;
mod decisions;
mod docs;
mod door;
mod endpoints;
mod epusdt;
mod etag;
mod events;
mod fields;
mod health;
mod idempotency;
pub mod keys;
mod limits;
mod look_alikes;
mod metrics;
mod orders;
mod parameters;
mod payments;
mod present;
mod problem;
mod qr;
mod refunds;
mod router;
#[cfg(test)]
mod samples;
mod serve;
pub mod signing;
mod state;
mod sweeps;
mod tokens;
mod wire;

pub use crate::checkout::Checkout;
pub use crate::condition::{ChainCondition, ConditionBoard};
pub use crate::endpoints::{
    DeliveryView, DeliveryWithRequests, EndpointView, WebhookDesk, shown_url, signature_of,
};
pub use crate::epusdt::{Epusdt, EpusdtError};
pub use crate::events::{EventRenderer, ForeignEvent, RenderedEvent};
pub use crate::limits::{LimitSettings, StreamSettings};
pub use crate::orders::callbacks::{CallbackUrl, Callbacks};
pub use crate::router::{openapi, router};
pub use crate::serve::{ServeSettings, serve};
pub use crate::state::{Access, ApiState, ChainOffer, Clock, Metrics, Shop, SystemClock};

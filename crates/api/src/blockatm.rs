//! Routes that a shop finds which has integrated the hosted gateway BlockATM (its API V1): it
//! changes the base URL and the key, and keeps its code.
//!
//! The answers have that gateway's shape, not that of `/v1`: all values are strings, and errors
//! come in an envelope of its own. The orders are ordinary ones, so they may be paid in parts.

mod caller;
mod create;
mod envelope;
mod lists;
mod message;
mod query;
mod signature;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{get, post};

use crate::state::ApiState;

pub use crate::blockatm::signature::{GatewayKey, GatewayKeyError};

/// The routes, without the address that they are under.
pub(crate) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/api/v1/payment/createQrOrder", post(create::create))
        .route("/api/v1/payment/contractPayment", get(query::payments))
        .route("/api/v1/payment/qrCodePayment", get(query::payments))
        .route("/api/v1/contract/payment", get(lists::contract))
        .route("/api/v1/public/networklist", get(lists::networks))
        .route("/api/v1/public/cryptocurrencies", get(lists::currencies))
        .layer(from_fn(envelope::finish))
}

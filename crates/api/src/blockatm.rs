//! Routes that a shop finds which has integrated the hosted gateway `BlockATM` (its API V1): it
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
mod telling;

use std::num::NonZeroU32;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{get, post};
use paywatch_store::KeyRate;

pub(crate) use crate::blockatm::caller::presented;
pub(crate) use crate::blockatm::create::{BACK_TO, is_scanned, web_address};
pub(crate) use crate::blockatm::envelope::in_envelope;
pub(crate) use crate::blockatm::telling::telling;
use crate::state::ApiState;

/// How often one may call there.
pub(crate) const RATE: KeyRate = KeyRate {
    per_minute: NonZeroU32::MIN.saturating_add(99),
    burst: NonZeroU32::MIN.saturating_add(99),
};

/// The routes.
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

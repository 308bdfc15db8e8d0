//! The API as its callers see it: real routes over a real database, without a socket.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod api;
mod blockatm;
mod chain;
mod chains;
mod checkout;
mod creating;
mod deciding;
mod deliveries;
mod desk;
mod edges;
mod endpoint_secrets;
mod endpoints;
mod epusdt;
mod events;
mod exact;
mod idempotency;
mod keys;
mod limits;
mod reading;
mod reference;
mod refunds;
mod rereading;
mod scopes;
mod signing;
mod sockets;
mod streams;
mod sweeps;

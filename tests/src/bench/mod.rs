//! Figures: how fast, how large, how often, each beside what it is compared with.

mod api;
mod backfill;
mod books;
mod house;
mod idle;
mod keys;
mod latency;
mod listeners;
mod live;
mod process;
mod served;
mod telling;

pub use crate::bench::api::api;
pub use crate::bench::backfill::{bare, compare_backfills, compare_watched, daemon};
pub use crate::bench::books::books;
pub use crate::bench::idle::idle;
pub use crate::bench::keys::keys;
pub use crate::bench::latency::latency;
pub use crate::bench::listeners::listeners;
pub use crate::bench::live::{bare as bare_live, live};
pub use crate::bench::served::{serve_bulk, serve_live};
pub use crate::bench::telling::{fire, webhooks};

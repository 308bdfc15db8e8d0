//! Random histories of a simulated chain through the whole pipeline, compared with the truth.
//!
//! A seed decides everything: how many endpoints there are and what is wrong with them, what is
//! mined, paid, forked and made final, when orders are made, and when the process dies.

mod daemon;
mod hold;
mod oracle;
mod payments;
mod plan;
mod shop;
mod telling;
mod world;

use std::path::Path;
use std::time::Duration;

pub use crate::model::world::Template;
use crate::model::world::World;

/// A folder for books that nobody keeps: in memory, where there is such a place.
///
/// # Panics
/// When no folder can be made.
#[must_use]
pub fn folder() -> tempfile::TempDir {
    let in_memory = Path::new("/dev/shm");
    let made = if in_memory.is_dir() {
        tempfile::tempdir_in(in_memory)
    } else {
        tempfile::tempdir()
    };
    made.expect("a temporary folder can be made")
}

/// How many `done` are in a minute.
#[must_use]
pub fn a_minute(done: u64, took: Duration) -> u128 {
    let ms = took.as_millis().max(1);
    u128::from(done) * 60_000 / ms
}

/// Tells the history of `seed`.
///
/// # Errors
/// What the books say otherwise than the truth.
pub fn history(template: &Template, folder: &Path, seed: u64) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .map_err(|error| error.to_string())?;
    let told = runtime.block_on(async {
        let mut world = World::open(template, folder, seed).await?;
        world.happens().await?;
        world.ends_well().await
    });
    // What a killed process left on the way ends with the runtime.
    runtime.shutdown_background();
    told
}

//! Tells random histories, and says how many a minute; a failing one names its seed.
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "it talks to a person, and a broken set-up ends it"
)]

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use paywatch_tests::model::{self, Template};

/// How often progress is told.
const EVERY: u64 = 1_000;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let runs = arguments.next().and_then(Result::ok).unwrap_or(10_000);
    let first = arguments.next().and_then(Result::ok).unwrap_or(1);
    if runs == 1 {
        // One history is told in full.
        tracing_subscriber::fmt()
            .with_env_filter("debug,sqlx=off")
            .init();
    }
    let folder = model::folder();
    let template = Template::make(folder.path()).expect("empty books can be made");
    let started = Instant::now();
    let (next, failed) = (AtomicU64::new(first), AtomicBool::new(false));
    let last = first.saturating_add(runs);
    let work = || {
        while !failed.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= last {
                return;
            }
            if let Err(what) = model::history(&template, folder.path(), seed) {
                failed.store(true, Ordering::Relaxed);
                println!(
                    "history {seed}: {what}\nagain: cargo xtask simulate --runs 1 --seed {seed}"
                );
            }
            let done = seed.saturating_sub(first).saturating_add(1);
            if done.is_multiple_of(EVERY) {
                println!(
                    "{done} histories, {} a minute",
                    model::a_minute(done, started.elapsed())
                );
            }
        }
    };
    // Each waits much for its database.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = cores.saturating_mul(3);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    if failed.load(Ordering::Relaxed) {
        return ExitCode::FAILURE;
    }
    println!(
        "{runs} histories hold; {} a minute on {threads} threads",
        model::a_minute(runs, started.elapsed())
    );
    ExitCode::SUCCESS
}

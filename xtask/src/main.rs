//! `cargo xtask`: the two commands of the README, with all of their set-up.

mod bench;
mod demo;
mod fuzz;
mod shell;
mod test;
mod tools;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Set-up, demo and tests of paywatch.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Shows an order being paid in two parts on a local Anvil chain, by the real daemon.
    Demo {
        /// Leave the chain and the daemon running, and print how to talk to them.
        #[arg(long)]
        keep: bool,
    },
    /// Runs every check and test: format, lints, contracts, unit, store, end to end.
    Test,
    /// Tells random histories of a simulated chain, and compares the books with the truth.
    Simulate {
        /// How many.
        #[arg(long, default_value_t = 10_000)]
        runs: u64,
        /// The seed of the first. With `--runs 1`, that history is told in full.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Measures speed and memory, against a simulated chain in a process of its own.
    Bench {
        /// Which of the benchmarks: backfill, watched, live, calls, idle, books, keys, api, webhooks, fire,
        /// listeners, latency; all, if none is named. Of books, api, webhooks, fire and listeners, one may be
        /// measured on one engine: `api postgres`, `books sqlite`.
        names: Vec<String>,
    },
    /// Feeds random and mutated inputs to whatever reads what strangers send.
    Fuzz {
        /// How many inputs each target gets.
        #[arg(long, default_value_t = 10_000_000)]
        inputs: u64,
    },
    /// Installs what demo and test need, and nothing else.
    Setup,
}

/// Runs the histories in an optimized build: they are many.
fn simulate(runs: u64, seed: u64) -> anyhow::Result<()> {
    let mut run = shell::cargo();
    run.args(["run", "--release", "--locked", "-p", "paywatch-tests"]);
    run.args(["--bin", "paywatch-model", "--"]);
    run.args([runs.to_string(), seed.to_string()]);
    shell::step("histories", &mut run)
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Demo { keep: false } => demo::run(demo::Afterwards::Stop),
        Task::Demo { keep: true } => demo::run(demo::Afterwards::Keep),
        Task::Test => test::run(),
        Task::Simulate { runs, seed } => simulate(runs, seed),
        Task::Bench { names } => bench::run(&names),
        Task::Fuzz { inputs } => fuzz::run(inputs),
        Task::Setup => tools::node_packages().and_then(|()| tools::python_packages()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            shell::say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        },
    }
}

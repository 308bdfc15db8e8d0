//! `cargo xtask`: the two commands of the README, with all of their set-up.

mod demo;
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
    /// Installs what demo and test need, and nothing else.
    Setup,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Demo { keep: false } => demo::run(demo::Afterwards::Stop),
        Task::Demo { keep: true } => demo::run(demo::Afterwards::Keep),
        Task::Test => test::run(),
        Task::Setup => tools::node_packages(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            shell::say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        },
    }
}

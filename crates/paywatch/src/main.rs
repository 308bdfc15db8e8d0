//! paywatch: be paid in USDT straight on chain, with no gateway in between.
//!
//! The binary wires the parts together and holds no rules of its own.

mod cli;
mod command;
mod config;
mod daemon;
mod logs;
mod output;
mod registry;
mod signals;
mod webhook_desk;

use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;

use crate::cli::Cli;

/// The exit code for a command line that is wrong.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let is_answer = matches!(
                error.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            );
            // If not even the help can be written, there is nowhere to say so.
            drop(error.print());
            return if is_answer {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(USAGE)
            };
        },
    };
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            drop(output::aside(&format!("error: {}", in_full(&error))));
            ExitCode::FAILURE
        },
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    // Before anything speaks TLS: with no default provider, rustls would refuse every connection.
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        anyhow::bail!("TLS was set up twice");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(command::run(cli))
}

/// An error with its causes, each said once: many repeat the text of their cause in their own.
fn in_full(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

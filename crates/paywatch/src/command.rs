//! The commands, one file each.

mod api_key;
mod audit;
mod backfill;
mod chain;
mod chains;
mod check_config;
mod connect;
mod contracts;
mod decisions;
mod events;
mod export;
mod init;
mod order;
mod payment;
mod refund;
mod run;
mod signing;
mod simulate;
mod sweep;
mod tx;
mod user;
mod webhook;

use std::process::ExitCode;

use crate::cli::{Cli, Command};
use crate::command::init::Existing;
use crate::config::{ChainConfig, Config};
use crate::output::Format;

/// Does what the command line asks.
pub(crate) async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let Cli {
        config,
        json,
        command,
    } = cli;
    let format = if json { Format::Json } else { Format::Text };
    match command {
        Command::Init(args) => {
            let existing = if args.force {
                Existing::Overwrite
            } else {
                Existing::Keep
            };
            init::run(&args.path.unwrap_or(config), existing, format)?;
        },
        Command::Run => run::run(&config).await?,
        Command::CheckConfig => check_config::run(&config, format)?,
        Command::ApiKey(args) => api_key::run(&config, args, format).await?,
        Command::Refund(args) => refund::run(&config, args, format).await?,
        Command::Payment(args) => payment::run(&config, args, format).await?,
        Command::VerifyProof { file } => payment::verify(&file, format)?,
        Command::Backfill(args) => return backfill::run(&config, &args, format).await,
        Command::Audit(args) => return audit::run(&config, &args, format).await,
        Command::Export(args) => export::run(&config, &args).await?,
        Command::Chain(args) => chain::run(&config, args, format).await?,
        Command::Events(args) => events::run(&config, args, format).await?,
        Command::Decisions(args) => decisions::run(&config, args, format).await?,
        Command::Tx(args) => return tx::run(&config, args, format).await,
        Command::Simulate(args) => return simulate::run(args).await,
        Command::Sweep(args) => return sweep::run(&config, args, format).await,
        Command::Contracts(args) => return contracts::run(&config, args, format).await,
        Command::Order(args) => return order::run(&config, args, format).await,
        Command::Webhook(args) => webhook::run(args, format).await?,
        Command::Chains(args) if args.built_in => chains::print_built_in(format)?,
        Command::Chains(args) => chains::run(&config, &args.connection, format).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The chain that is configured under `name`.
fn configured_chain<'a>(config: &'a Config, name: &str) -> anyhow::Result<&'a ChainConfig> {
    let found = config.chains.iter().find(|chain| chain.name == name);
    found.ok_or_else(|| {
        let names: Vec<_> = config
            .chains
            .iter()
            .map(|chain| chain.name.as_str())
            .collect();
        anyhow::anyhow!(
            "there is no chain {name}; configured are {}",
            names.join(", ")
        )
    })
}

/// The chain that is configured under `name`, or all of them.
fn configured_chains<'a>(
    config: &'a Config,
    name: Option<&str>,
) -> anyhow::Result<Vec<&'a ChainConfig>> {
    match name {
        Some(name) => Ok(vec![configured_chain(config, name)?]),
        None => Ok(config.chains.iter().collect()),
    }
}

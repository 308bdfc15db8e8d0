//! The commands, one file each.

mod api_key;
mod chains;
mod check_config;
mod connect;
mod init;
mod order;
mod run;

use std::process::ExitCode;

use crate::cli::{Cli, Command};
use crate::command::init::Existing;
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
        Command::Order(args) => return order::run(&config, args, format).await,
        Command::Chains(args) if args.built_in => chains::print_built_in(format)?,
        Command::Chains(args) => chains::run(&config, &args.connection, format).await?,
    }
    Ok(ExitCode::SUCCESS)
}

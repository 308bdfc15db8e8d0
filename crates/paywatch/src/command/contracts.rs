//! `paywatch contracts …`: whether the contracts stand on their chains, and putting them there.

use std::path::Path;
use std::process::ExitCode;

use alloy_primitives::Address;
use anyhow::Context as _;
use paywatch_contracts::code::Found;
use paywatch_contracts::deposit::{
    DEPLOYER_MAKER, DEPLOYER_TRANSACTION, DETERMINISTIC_DEPLOYER, factory_address,
    implementation_address,
};
use paywatch_contracts::{KnownContract, known_contracts};
use paywatch_core::AddressForm;
use paywatch_sweep::{Node, NodeError, gas_for};
use serde::Serialize;

use crate::cli;
use crate::command::{configured_chain, configured_chains, signing};
use crate::config::{ChainConfig, Config, process_environment};
use crate::output::{self, Format};

/// How often the code of what was just deployed is asked for: nodes behind a balancer lag.
const LOOKS: u32 = 30;

/// What stands at one address.
#[derive(Debug, Serialize)]
struct Row {
    chain: String,
    contract: &'static str,
    address: String,
    state: &'static str,
}

/// Does what `contracts …` asks.
pub(crate) async fn run(
    config: &Path,
    args: cli::Contracts,
    format: Format,
) -> anyhow::Result<ExitCode> {
    let config = Config::load(config, &process_environment())?;
    match args {
        cli::Contracts::Status { chain } => status(&config, chain.as_deref(), format).await,
        cli::Contracts::Deploy(args) => {
            let chain = configured_chain(&config, &args.chain)?;
            deploy(chain, &args, format).await
        },
    }
}

async fn status(config: &Config, name: Option<&str>, format: Format) -> anyhow::Result<ExitCode> {
    let mut rows = Vec::new();
    let mut troubles = Vec::new();
    for chain in configured_chains(config, name)? {
        if AddressForm::of(chain.id) == AddressForm::Tron {
            troubles.push(format!("{}: has no deposit addresses", chain.name));
            continue;
        }
        match of_chain(chain).await {
            Ok(found) => rows.extend(found),
            Err(error) => troubles.push(format!("error: {}: {error:#}", chain.name)),
        }
    }
    print(&rows, format)?;
    for trouble in &troubles {
        output::aside(trouble)?;
    }
    let is_well = rows
        .iter()
        .all(|row| ![MISSING, OTHER].contains(&row.state));
    let all_answered = troubles.iter().all(|text| !text.starts_with("error"));
    Ok(if is_well && all_answered {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

const MISSING: &str = "missing";
const OTHER: &str = "not ours";

async fn of_chain(chain: &ChainConfig) -> anyhow::Result<Vec<Row>> {
    let node = signing::node(chain).await?;
    let mut rows = Vec::new();
    for contract in known_contracts(chain.factory, chain.receiver) {
        let state = match standing(&node, &contract).await? {
            Found::Nothing => MISSING,
            Found::Ours => "ours",
            Found::Another => OTHER,
        };
        rows.push(row(chain, contract.name, contract.address, state));
    }
    // A Safe has to be made on each chain before money can reach it there.
    let code = node.code(chain.treasury).await?;
    let state = if code.is_empty() {
        "an account"
    } else {
        "a contract"
    };
    rows.push(row(chain, "treasury", chain.treasury, state));
    Ok(rows)
}

/// What stands where `contract` should.
async fn standing(node: &Node, contract: &KnownContract) -> Result<Found, NodeError> {
    Ok(contract.compare(&node.code(contract.address).await?))
}

fn row(chain: &ChainConfig, contract: &'static str, address: Address, state: &'static str) -> Row {
    Row {
        chain: chain.name.clone(),
        contract,
        address: address.to_string(),
        state,
    }
}

fn print(rows: &[Row], format: Format) -> anyhow::Result<()> {
    if format == Format::Json {
        return output::json(&rows);
    }
    let mut table = output::table(["chain", "contract", "address", "is"]);
    for row in rows {
        table.add_row([&row.chain, row.contract, &row.address, row.state]);
    }
    output::line(&table.to_string())?;
    if rows.iter().any(|row| row.state == "an account") {
        output::line(
            "A treasury that is an account needs nothing. If yours is a Safe, it is not on that \
             chain yet: make it there, at the same address, before you take money.",
        )?;
    }
    Ok(())
}

async fn deploy(
    chain: &ChainConfig,
    args: &cli::Deploy,
    format: Format,
) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(
        AddressForm::of(chain.id) != AddressForm::Tron,
        "{} derives addresses in a way of its own, and has no deposit addresses",
        chain.name
    );
    let key = signing::gas_key(&args.spending, chain)?;
    let node = signing::node(chain).await?;
    let account = signing::account(&node, &key, chain, (args.max_gas_price, &args.spending));
    let missing = missing(chain, &node).await?;
    let names: Vec<_> = missing.iter().map(|contract| contract.name).collect();
    if !missing.is_empty() {
        let question = format!(
            "Deploy the {} on {} from {}?",
            names.join(" and the "),
            chain.name,
            key.address()
        );
        if !signing::agrees(&args.spending, &question)? {
            output::aside("Nothing was sent.")?;
            return Ok(ExitCode::FAILURE);
        }
    }
    for contract in &missing {
        let Some((to, data)) = contract.deployment.clone() else {
            continue;
        };
        let gas = gas_for(&node, to, data.clone(), Some(key.address())).await?;
        let signed = account.sign(to, data, gas).await?;
        output::aside(&format!(
            "{}: {} (nonce {})",
            contract.name, signed.hash, signed.nonce
        ))?;
        account.send(&signed).await?;
        let receipt = account.mined(&signed).await?;
        output::aside(&format!(
            "  block {}, gas {}",
            receipt.block_number, receipt.gas_used
        ))?;
        is_there(&node, contract).await?;
    }
    let rows = of_chain(chain).await?;
    print(&rows, format)?;
    let is_well = rows
        .iter()
        .all(|row| ![MISSING, OTHER].contains(&row.state));
    anyhow::ensure!(is_well, "not everything on {} is ours", chain.name);
    Ok(ExitCode::SUCCESS)
}

/// What has to be deployed, or why nothing can be.
async fn missing(chain: &ChainConfig, node: &Node) -> anyhow::Result<Vec<KnownContract>> {
    let mut missing = Vec::new();
    for contract in known_contracts(chain.factory, chain.receiver) {
        match standing(node, &contract).await? {
            Found::Ours => {},
            Found::Another => anyhow::bail!(
                "what stands at {} on {} is not our {}; nothing was sent",
                contract.address,
                chain.name,
                contract.name
            ),
            Found::Nothing if contract.address == DETERMINISTIC_DEPLOYER => {
                anyhow::bail!(
                    "{} has no deterministic deployer at {DETERMINISTIC_DEPLOYER}, through which \
                     addresses are the same on every chain. Anybody can put it there: send 0.01 of \
                     the native coin to {DEPLOYER_MAKER}, then publish this transaction with \
                     eth_sendRawTransaction (`cast publish`): {DEPLOYER_TRANSACTION}\n\
                     A chain that refuses it takes no transactions without its id in the signature \
                     (EIP-155); ask whoever runs the chain for the deployer",
                    chain.name
                )
            },
            Found::Nothing if contract.deployment.is_some() => missing.push(contract),
            // It comes with the factory.
            Found::Nothing if contract.address == implementation_address(factory_address()) => {},
            Found::Nothing => anyhow::bail!(
                "chains.{}: there is no {} at {}, and only what stands where ours does can be \
                 deployed; leave it out of the configuration, or name one that is there",
                chain.name,
                contract.name,
                contract.address
            ),
        }
    }
    Ok(missing)
}

/// Waits until `contract` is found where it was deployed.
async fn is_there(node: &Node, contract: &KnownContract) -> anyhow::Result<()> {
    for _ in 0..LOOKS {
        match standing(node, contract).await? {
            Found::Ours => return Ok(()),
            Found::Another => anyhow::bail!("what was deployed is not our {}", contract.name),
            Found::Nothing => {
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            },
        }
    }
    Err(anyhow::anyhow!("it was mined, and there is no code"))
        .with_context(|| format!("{} at {}", contract.name, contract.address))
}

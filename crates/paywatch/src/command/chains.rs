//! `paywatch chains`: how far a daemon follows each chain, and which chains are built in.

use std::path::Path;

use paywatch_client::Chain;
use paywatch_core::{AddressForm, ChainId, FinalityTag};
use serde_json::json;

use crate::cli::Connection;
use crate::command::connect;
use crate::output::{self, Format};
use crate::registry::{self, CHAINS, KnownChain, KnownToken};

/// Prints how far the daemon follows each of its chains.
pub(crate) async fn run(
    config: &Path,
    connection: &Connection,
    format: Format,
) -> anyhow::Result<()> {
    let chains = connect::client(config, connection)?.chains().await?;
    if format == Format::Json {
        return output::json(&chains);
    }
    let headings = [
        "chain",
        "id",
        "head",
        "covered up to",
        "behind",
        "final after",
        "condition",
    ];
    let mut table = output::table(headings);
    for chain in &chains {
        table.add_row(row(chain));
    }
    output::line(&table.to_string())?;
    for chain in &chains {
        if let Some(cause) = &chain.cause {
            output::line(&format!("{}: {cause}", chain.name))?;
        }
    }
    Ok(())
}

fn row(chain: &Chain) -> [String; 7] {
    let unknown = || "-".to_owned();
    let tag = chain
        .finality
        .tag
        .as_ref()
        .map_or_else(String::new, |tag| format!(" + {tag}"));
    [
        chain.name.clone(),
        chain.id.to_string(),
        chain.head.map_or_else(unknown, |head| head.to_string()),
        chain
            .covered_up_to
            .as_ref()
            .map_or_else(unknown, |block| block.number.to_string()),
        chain
            .lag_blocks
            .map_or_else(unknown, |blocks| format!("{blocks} blocks")),
        format!("{}{tag}", chain.finality.confirmations),
        chain.condition.clone(),
    ]
}

/// Prints the chains and tokens that are built in.
pub(crate) fn print_built_in(format: Format) -> anyhow::Result<()> {
    if format == Format::Json {
        let chains: Vec<_> = CHAINS.iter().map(as_value).collect();
        return output::json(&chains);
    }
    for chain in CHAINS {
        let KnownChain {
            name,
            title,
            id,
            finality,
            explorer,
            ..
        } = chain;
        let tag = finality
            .tag
            .map_or_else(String::new, |tag| format!(" and the {tag} tag"));
        output::line(&format!("{name}: {title} (id {id})"))?;
        for token in registry::tokens_of(*id) {
            let decimals = token.decimals;
            output::line(&format!(
                "  {:<7} {}  {decimals} decimals",
                token.symbol,
                written(token)
            ))?;
        }
        output::line(&format!(
            "  final   after {} confirmations{tag}",
            finality.confirmations
        ))?;
        output::line(&format!("          {}", finality.why))?;
        output::line(&format!("  look    {explorer}…\n"))?;
    }
    Ok(())
}

/// A token's address as its chain's people write it.
fn written(token: &KnownToken) -> String {
    let form = ChainId::new(token.chain).map_or(AddressForm::Eip55, AddressForm::of);
    form.write(&token.address)
}

fn as_value(chain: &KnownChain) -> serde_json::Value {
    let tokens: Vec<_> = registry::tokens_of(chain.id)
        .map(|token| {
            let (symbol, decimals) = (token.symbol, token.decimals);
            json!({ "symbol": symbol, "address": written(token), "decimals": decimals })
        })
        .collect();
    json!({
        "name": chain.name,
        "title": chain.title,
        "id": chain.id,
        "block_ms": chain.block_ms,
        "confirmations": chain.finality.confirmations,
        "tag": chain.finality.tag.map(FinalityTag::name),
        "proof": chain.proof.name(),
        "why": chain.finality.why,
        "explorer": chain.explorer,
        "tokens": tokens,
    })
}

//! What the commands that ask a node by themselves share: which node, which key, and a last look.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use paywatch_sweep::{GasAccount, GasKey, GasPrice, Node};

use crate::cli::Spending;
use crate::config::ChainConfig;

/// The first endpoint of `chain` that answers over HTTP and is on that chain, by priority.
pub(crate) async fn node(chain: &ChainConfig) -> anyhow::Result<Node> {
    let mut endpoints: Vec<_> = chain
        .endpoints
        .iter()
        .filter_map(|endpoint| Some((endpoint, endpoint.http.clone()?)))
        .collect();
    endpoints.sort_by_key(|(endpoint, _)| endpoint.priority);
    let mut troubles = Vec::new();
    for (endpoint, url) in endpoints {
        let node = Node::new(url, chain.request_timeout)?;
        let trouble = match node.chain_id().await {
            Ok(id) if id == chain.id.get() => return Ok(node),
            Ok(other) => format!("it is on chain {other}, not on {}", chain.id),
            Err(error) => format!("{:#}", anyhow::Error::new(error)),
        };
        troubles.push(format!("{}: {trouble}", endpoint.name));
    }
    if troubles.is_empty() {
        troubles.push("none has http, which this needs".to_owned());
    }
    anyhow::bail!(
        "chains.{}: no endpoint can be asked: {}",
        chain.name,
        troubles.join("; ")
    )
}

/// The key that pays for gas on `chain`. One that could move the merchant's money is refused.
pub(crate) fn gas_key(spending: &Spending, chain: &ChainConfig) -> anyhow::Result<GasKey> {
    let key = GasKey::read(&spending.key_file)?;
    refuse_keys_of_money(&key, chain)?;
    Ok(key)
}

fn refuse_keys_of_money(key: &GasKey, chain: &ChainConfig) -> anyhow::Result<()> {
    let account = key.address();
    let holds_money = chain.treasury == account || chain.wallets.contains(&account);
    anyhow::ensure!(
        !holds_money,
        "{account} is where your money goes, and its key can move it; give one that holds gas only"
    );
    Ok(())
}

/// The account of `key` on `chain`.
pub(crate) fn account<'a>(
    node: &'a Node,
    key: &'a GasKey,
    chain: &ChainConfig,
    (ceiling, spending): (GasPrice, &Spending),
) -> GasAccount<'a> {
    GasAccount {
        node,
        key,
        chain_id: chain.id.get(),
        ceiling,
        patience: spending.wait.into(),
    }
}

/// Whether the operator wants it, who has seen what will be done. Without a terminal he says so
/// with --yes.
pub(crate) fn agrees(spending: &Spending, question: &str) -> anyhow::Result<bool> {
    if spending.yes {
        return Ok(true);
    }
    anyhow::ensure!(
        io::stdin().is_terminal(),
        "nothing was sent: there is no terminal to ask at, so say --yes"
    );
    let mut terminal = io::stderr().lock();
    write!(terminal, "{question} [y/N] ")?;
    terminal.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str()))
}

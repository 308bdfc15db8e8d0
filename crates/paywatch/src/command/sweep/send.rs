//! `paywatch sweep run`: sends the flushes, one after the other.

use std::process::ExitCode;

use alloy_primitives::Address;
use anyhow::Context as _;
use paywatch_store::Store;
use paywatch_sweep::{Flush, GasAccount, GasPrice, Outcome, Receipt, SignedCall, outcome, renew};
use serde::Serialize;
use serde_json::{Value, json};

use crate::cli;
use crate::command::sweep::plan::{affordable, in_words};
use crate::command::sweep::{symbol, work};
use crate::command::{configured_chain, signing};
use crate::config::{ChainConfig, Config};
use crate::output::{self, Format};

/// What was done.
#[derive(Debug, Default, Serialize)]
struct Report {
    chain: String,
    account: String,
    sent: Vec<Value>,
    /// What should have moved and did not.
    stayed: Vec<Value>,
    notes: Vec<String>,
}

/// Sends what there is to send, and tells of it.
pub(super) async fn run(
    config: &Config,
    store: &Store,
    args: cli::RunSweep,
    format: Format,
) -> anyhow::Result<ExitCode> {
    let cli::RunSweep { limits, spending } = &args;
    let chain = configured_chain(config, &limits.chain)?;
    let key = signing::gas_key(spending, chain)?;
    let node = signing::node(chain).await?;
    let price = affordable(&node, limits.max_gas_price).await?;
    let work = work(chain, store, &node, limits, Some(key.address())).await?;
    let flushes = work.prepared.flushes;
    refuse_key_of_treasury(key.address(), &flushes)?;
    let tell = |text: &str| match format {
        Format::Text => output::line(text),
        Format::Json => output::aside(text),
    };
    tell(&in_words(chain, &flushes, price))?;
    for note in &work.notes {
        tell(note)?;
    }
    let mut report = Report {
        chain: chain.name.clone(),
        account: key.address().to_string(),
        notes: work.notes,
        ..Report::default()
    };
    let account = signing::account(&node, &key, chain, (limits.max_gas_price, spending));
    let mut ended = Ok(());
    if !flushes.is_empty() {
        let (count, from) = (flushes.len(), key.address());
        let question = format!("Send {count} transactions from {from}?");
        if !signing::agrees(spending, &question)? {
            tell("Nothing was sent.")?;
            return Ok(ExitCode::FAILURE);
        }
        ended = send_all(&account, chain, &flushes, (&mut report, format)).await;
    }
    if format == Format::Json {
        output::json(&report)?;
    }
    ended?;
    Ok(if report.stayed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// An older order may have another treasury than the chain has now.
fn refuse_key_of_treasury(account: Address, flushes: &[Flush]) -> anyhow::Result<()> {
    let is_treasury = flushes
        .iter()
        .any(|flush| flush.batch.group.treasury == account);
    anyhow::ensure!(
        !is_treasury,
        "{account} is the treasury of some deposits, and its key can move money; give one that \
         holds gas only"
    );
    Ok(())
}

/// Sends one after the other, and stops at the first that cannot be sent or fails: what was not
/// sent stays where it is.
async fn send_all(
    account: &GasAccount<'_>,
    chain: &ChainConfig,
    flushes: &[Flush],
    (report, format): (&mut Report, Format),
) -> anyhow::Result<()> {
    let tell = |text: &str| match format {
        Format::Text => output::line(text),
        Format::Json => output::aside(text),
    };
    for (number, planned) in (1_usize..).zip(flushes) {
        let which = format!("transaction {number} of {}", flushes.len());
        let from = Some(account.key.address());
        let renewed = renew(account.node, &planned.batch, &chain.tokens, from).await;
        let Some(flush) = renewed.with_context(|| which.clone())? else {
            tell(&format!("{which}: somebody else has flushed it meanwhile"))?;
            continue;
        };
        let signed = account
            .sign(flush.to, flush.data.clone(), flush.gas)
            .await
            .with_context(|| which.clone())?;
        let SignedCall { hash, nonce, .. } = &signed;
        tell(&format!("{which}: {hash} (nonce {nonce})"))?;
        account.send(&signed).await.with_context(|| which.clone())?;
        let receipt = account
            .mined(&signed)
            .await
            .with_context(|| which.clone())?;
        let done = outcome(&flush.batch, &receipt, &chain.tokens);
        tell(&in_brief(chain, &receipt, &done))?;
        report.add(chain, &signed, &receipt, &done);
    }
    Ok(())
}

/// What a transaction did.
fn in_brief(chain: &ChainConfig, receipt: &Receipt, done: &Outcome) -> String {
    let moved: Vec<_> = done
        .moved
        .iter()
        .map(|(token, amount)| format!("{amount} {}", symbol(chain, *token)))
        .collect();
    let paid = receipt.gas_price.map_or_else(String::new, |wei| {
        let price = GasPrice::from_wei(wei);
        format!(", {} of the native coin", price.cost(receipt.gas_used))
    });
    let mut text = format!(
        "  block {}, gas {}{paid}: {} from {} deposits",
        receipt.block_number,
        receipt.gas_used,
        if moved.is_empty() {
            "nothing".to_owned()
        } else {
            moved.join(" and ")
        },
        done.deposits,
    );
    for part in &done.stayed {
        let (amount, token) = (part.amount, symbol(chain, part.token));
        text = format!("{text}\n  {amount} {token} stayed at {}", part.deposit);
    }
    text
}

impl Report {
    fn add(&mut self, chain: &ChainConfig, signed: &SignedCall, receipt: &Receipt, done: &Outcome) {
        let moved: serde_json::Map<String, Value> = done
            .moved
            .iter()
            .map(|(token, amount)| (symbol(chain, *token), json!(amount.to_string())))
            .collect();
        self.sent.push(json!({
            "hash": signed.hash.to_string(),
            "nonce": signed.nonce,
            "block": receipt.block_number,
            "gas_used": receipt.gas_used,
            "gas_price_wei": receipt.gas_price.map(|wei| wei.to_string()),
            "deposits": done.deposits,
            "moved": moved,
        }));
        self.stayed.extend(done.stayed.iter().map(|part| {
            json!({
                "deposit": part.deposit.to_string(),
                "token": symbol(chain, part.token),
                "amount": part.amount.to_string(),
            })
        }));
    }
}

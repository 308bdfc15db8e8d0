//! What is printed of a transaction.

use paywatch_core::B256;
use serde::Serialize;

use crate::output::{self, Format};

/// All that is said of a transaction.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    tx_hash: String,
    pub(super) imports: Vec<ImportView>,
    pub(super) chains: Vec<ChainView>,
}

/// What an import came to.
#[derive(Debug, Serialize)]
pub(super) struct ImportView {
    pub(super) chain: String,
    /// The payments that are in the books since.
    pub(super) imported: Vec<String>,
    /// Those that were there before.
    pub(super) known: Vec<String>,
    pub(super) orders_changed: usize,
}

/// What one chain says of it.
#[derive(Debug, Serialize)]
pub(super) struct ChainView {
    chain: String,
    /// `found`, `not_found` or `unknown`.
    outcome: &'static str,
    /// Why it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<TxView>,
}

/// What came of looking for it.
pub(super) enum Outcome {
    There(TxView),
    NotThere,
    Unknown(String),
}

/// The transaction on one chain.
#[derive(Debug, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent fact, not a state"
)]
pub(super) struct TxView {
    pub(super) block_number: u64,
    pub(super) block_hash: String,
    pub(super) succeeded: bool,
    /// Whether its block is on the chain now.
    pub(super) on_chain: bool,
    /// The transaction as a whole, in words.
    pub(super) summary: String,
    pub(super) logs: Vec<LogView>,
}

/// One log of it.
#[derive(Debug, Default, Serialize)]
pub(super) struct LogView {
    pub(super) log_index: u64,
    pub(super) contract: String,
    /// What the contract is to us.
    pub(super) contract_is: String,
    /// What the log says: `transfer`, `paid`, `notice` or `other`.
    pub(super) says: &'static str,
    pub(super) from: Option<String>,
    pub(super) from_is: Option<String>,
    pub(super) to: Option<String>,
    pub(super) to_is: Option<String>,
    pub(super) amount: Option<String>,
    /// The payment that it is in the books.
    pub(super) payment: Option<String>,
    pub(super) order: Option<String>,
    /// Its status there.
    pub(super) status: Option<String>,
    /// What it is to us and why, in words.
    pub(super) meaning: String,
}

impl Report {
    pub(super) fn of(tx: B256) -> Self {
        Self {
            tx_hash: tx.to_string(),
            imports: Vec::new(),
            chains: Vec::new(),
        }
    }
}

impl ChainView {
    pub(super) fn of(chain: &str, outcome: Outcome) -> Self {
        let (outcome, trouble, transaction) = match outcome {
            Outcome::There(transaction) => ("found", None, Some(transaction)),
            Outcome::NotThere => ("not_found", None, None),
            Outcome::Unknown(trouble) => ("unknown", Some(trouble), None),
        };
        Self {
            chain: chain.to_owned(),
            outcome,
            trouble,
            transaction,
        }
    }

    pub(super) const fn is_found(&self) -> bool {
        self.transaction.is_some()
    }
}

/// Prints `report`.
pub(super) fn print(report: &Report, format: Format) -> anyhow::Result<()> {
    if format == Format::Json {
        return output::json(report);
    }
    for import in &report.imports {
        output::line(&imported(import))?;
    }
    for chain in &report.chains {
        for line in in_words(chain) {
            output::line(&line)?;
        }
    }
    if !report.chains.iter().any(ChainView::is_found) {
        output::line(
            "No chain that was asked has it in a block. Check the hash (0x and 64 digits, from the \
             payer's wallet and not from a screenshot), the chain that the payer used (is it \
             configured?), and whether it is still pending: then ask again in some minutes.",
        )?;
    }
    Ok(())
}

fn imported(import: &ImportView) -> String {
    let ImportView {
        chain,
        imported,
        known,
        orders_changed,
    } = import;
    if imported.is_empty() {
        return format!(
            "{chain}: in the books already, so nothing was changed: {}",
            known.join(", ")
        );
    }
    format!(
        "{chain}: imported {}; {orders_changed} orders changed",
        imported.join(", ")
    )
}

fn in_words(view: &ChainView) -> Vec<String> {
    let chain = &view.chain;
    let Some(transaction) = &view.transaction else {
        return vec![match &view.trouble {
            Some(trouble) => format!("{chain}: could not be asked: {trouble}"),
            None => format!("{chain}: no such transaction in a block"),
        }];
    };
    let TxView {
        block_number,
        block_hash,
        summary,
        logs,
        ..
    } = transaction;
    let mut lines = vec![format!(
        "{chain}: in block {block_number} ({block_hash}); {summary}"
    )];
    for log in logs {
        lines.push(format!(
            "  log {}  {} ({})",
            log.log_index, log.contract, log.contract_is
        ));
        let whose = |is: &Option<String>| is.as_deref().unwrap_or("nobody's").to_owned();
        if let (Some(from), Some(to)) = (&log.from, &log.to) {
            let amount = log.amount.as_deref().unwrap_or("an impossible amount");
            lines.push(format!("    moves    {amount}"));
            lines.push(format!("    from     {from} ({})", whose(&log.from_is)));
            lines.push(format!("    to       {to} ({})", whose(&log.to_is)));
        }
        if let Some(payment) = &log.payment {
            let status = log.status.as_deref().unwrap_or("unknown");
            let order = log.order.as_deref().unwrap_or("no order");
            lines.push(format!("    payment  {payment}: {status}, of {order}"));
        }
        lines.push(format!("    {}", log.meaning));
    }
    lines
}

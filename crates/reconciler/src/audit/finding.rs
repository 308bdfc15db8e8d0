//! What an audit of a chain found.

use std::fmt;

use paywatch_core::{
    Address, AddressForm, Amount, BlockRef, ChainEvent, ChainEventKind, ChainId, Token, Turnover,
    Verdict, explain,
};

/// How many findings an event tells one by one.
const TOLD: usize = 5;

/// What an audit of a chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainReport {
    /// The chain.
    pub chain_id: ChainId,
    /// The block after which it was looked at.
    pub block: BlockRef,
    /// How many addresses were looked at, once for each token.
    pub accounts: u64,
    /// How many of them were not compared: their opening was taken after this block.
    pub later: u64,
    /// Whether that was all of them.
    pub is_whole: bool,
    /// The differences.
    pub findings: Vec<Finding>,
    /// The addresses that were looked at for the first time, and what they are taken to have held.
    pub opened: Vec<Opened>,
}

impl ChainReport {
    /// A report of nothing yet.
    pub(super) const fn of(chain_id: ChainId, block: BlockRef) -> Self {
        Self {
            chain_id,
            block,
            accounts: 0,
            later: 0,
            is_whole: true,
            findings: Vec::new(),
            opened: Vec::new(),
        }
    }
}

/// An address that was looked at for the first time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The token.
    pub token: Token,
    /// The address.
    pub address: Address,
    /// What it holds. From now on that, and what comes and goes, is what it should hold.
    pub balance: Amount,
}

/// An address that does not hold what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The token.
    pub token: Token,
    /// The address.
    pub address: Address,
    /// What was found.
    pub what: What,
    /// Where its money goes, if that is an address that is not watched.
    pub goes_to: Option<Address>,
}

/// What was found of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The balance is another than the books say.
    Differs {
        /// What it held at first.
        opening: Amount,
        /// What came and went by the books.
        turnover: Turnover,
        /// What it holds.
        balance: Amount,
        /// The difference.
        verdict: Verdict,
    },
    /// It cannot be said, for this reason.
    Uncountable(String),
}

impl Finding {
    /// What it may come from, in words.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let What::Differs { verdict, .. } = &self.what else {
            return None;
        };
        match (self.goes_to, verdict) {
            (Some(treasury), Verdict::Less(_)) => Some(format!(
                "its money goes to {}, which is not watched: what was moved there is not in the \
                 books; [treasury] named it when the order was made",
                AddressForm::of(self.token.chain_id).write(&treasury)
            )),
            _ => explain(&self.token, *verdict).map(str::to_owned),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = AddressForm::of(self.token.chain_id).write(&self.address);
        let symbol = &self.token.symbol;
        match &self.what {
            What::Differs {
                balance, verdict, ..
            } => write!(
                f,
                "{address} holds {balance} {symbol}, {verdict} against the books"
            ),
            What::Uncountable(why) => write!(f, "{address} cannot be settled in {symbol}: {why}"),
        }
    }
}

/// What is told of `report`, if there is a difference.
#[must_use]
pub fn chain_event(report: &ChainReport) -> Option<ChainEvent> {
    if report.findings.is_empty() {
        return None;
    }
    let told: Vec<String> = report
        .findings
        .iter()
        .take(TOLD)
        .map(ToString::to_string)
        .collect();
    let more = report.findings.len().saturating_sub(told.len());
    let and_more = if more > 0 {
        format!("; and {more} more")
    } else {
        String::new()
    };
    Some(ChainEvent {
        chain_id: report.chain_id,
        kind: ChainEventKind::AuditMismatch,
        detail: format!(
            "after block {}: {}{and_more}",
            report.block.number,
            told.join("; ")
        ),
    })
}

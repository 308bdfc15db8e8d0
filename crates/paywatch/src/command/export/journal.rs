//! Payments as transactions of double-entry bookkeeping, for hledger and for beancount.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use anyhow::Context as _;
use paywatch_core::{
    Address, AddressForm, BlockNumber, ChainId, Loose, OrderId, PaymentState, Reference, Transfer,
};
use paywatch_store::{BookedPlace, BookedTransfer, Period};

use crate::command::export::row::{Names, status};
use crate::output::rfc3339;

/// The longest name of a commodity in beancount.
const LONGEST_COMMODITY: usize = 24;
/// Decimals of a token that is not configured any more: as many as there may be.
const MOST_DECIMALS: u8 = 18;

/// Whose journal it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    Hledger,
    Beancount,
}

/// A journal under way.
pub(super) struct Journal<'a> {
    pub(super) syntax: Syntax,
    pub(super) names: &'a Names,
    /// The merchant's own addresses.
    pub(super) own: BTreeSet<Address>,
    /// Up to where each chain is final.
    pub(super) final_blocks: BTreeMap<ChainId, BlockNumber>,
    /// Whether accounts and commodities are declared.
    pub(super) declares: bool,
    /// Those that were; of an order its id alone, since there may be many.
    pub(super) declared: Declared,
    pub(super) out: &'a mut (dyn Write + Send),
}

/// What was declared.
#[derive(Debug, Default)]
pub(super) struct Declared {
    names: BTreeSet<String>,
    orders: BTreeSet<(OrderId, &'static str)>,
}

/// An account, and the order that it is of.
struct Account {
    name: String,
    of: Option<(OrderId, &'static str)>,
}

impl Account {
    const fn shared(name: String) -> Self {
        Self { name, of: None }
    }

    fn of_order(group: &'static str, id: OrderId, reference: Option<&Reference>) -> Self {
        Self {
            name: format!("{group}:{}", order_component(id, reference)),
            of: Some((id, group)),
        }
    }
}

impl Journal<'_> {
    /// Writes what stands before all transactions.
    pub(super) fn begin(&mut self, period: Period) -> anyhow::Result<()> {
        let (from, before) = (rfc3339(period.from), rfc3339(period.before));
        writeln!(
            self.out,
            "; Payments from {from} up to {before}, by paywatch."
        )?;
        match (self.syntax, self.declares) {
            (Syntax::Hledger, true) => writeln!(self.out, "decimal-mark ."),
            (Syntax::Beancount, true) => {
                writeln!(self.out, "option \"title\" \"Payments by paywatch\"")
            },
            (Syntax::Hledger | Syntax::Beancount, false) => Ok(()),
        }?;
        Ok(())
    }

    /// Writes a payment, if it is final and moved anything; whether it was.
    pub(super) fn write(
        &mut self,
        booked: &BookedTransfer,
        reference: Option<&Reference>,
    ) -> anyhow::Result<bool> {
        let transfer = &booked.recorded.transfer;
        let Some(against) = self.against(booked, reference) else {
            return Ok(false);
        };
        let holds = Account::shared(match booked.place {
            BookedPlace::Loose(Loose::Sent) => "Expenses:Sent".to_owned(),
            BookedPlace::Loose(_) | BookedPlace::Order { .. } => self.asset(transfer, &transfer.to),
        });
        let commodity = commodity(&self.names.symbol(transfer.id.chain_id, transfer.token));
        if self.declares {
            self.declare_commodity(&commodity)?;
            self.declare(&holds)?;
            self.declare(&against)?;
        }
        self.head(booked, reference)?;
        let amount = transfer.amount;
        let shown = match self.syntax {
            Syntax::Hledger => format!("\"{commodity}\""),
            Syntax::Beancount => commodity,
        };
        writeln!(self.out, "    {}  {amount} {shown}", holds.name)?;
        writeln!(self.out, "    {}  -{amount} {shown}", against.name)?;
        Ok(true)
    }

    /// Where the money is from; `None` for what is not to be written.
    fn against(&self, booked: &BookedTransfer, reference: Option<&Reference>) -> Option<Account> {
        let transfer = &booked.recorded.transfer;
        let of_order = |group, id| Some(Account::of_order(group, id, reference));
        let shared = |name: &str| Some(Account::shared(name.to_owned()));
        let finals = &self.final_blocks;
        let is_final = finals
            .get(&transfer.id.chain_id)
            .is_some_and(|newest| transfer.block_number <= *newest);
        match (booked.reverted_at, booked.place) {
            (Some(_), _) => None,
            (None, BookedPlace::Order { id, state, .. }) => match state {
                PaymentState::Confirmed => of_order("Income:Orders", id),
                PaymentState::Ignored(_) if is_final => of_order("Liabilities:Orders", id),
                PaymentState::Seen | PaymentState::Ignored(_) => None,
            },
            (None, BookedPlace::Loose(_)) if !is_final => None,
            (None, BookedPlace::Loose(loose)) => match loose {
                Loose::Moved | Loose::Sent => {
                    Some(Account::shared(self.asset(transfer, &transfer.from)))
                },
                Loose::Unmatched => shared("Liabilities:Unmatched"),
                Loose::Dust => shared("Income:Dust"),
                Loose::WrittenOff => shared("Equity:Written-Off"),
                Loose::ZeroValue => None,
            },
        }
    }

    /// The account of what `address`, one of the merchant's, holds.
    fn asset(&self, transfer: &Transfer, address: &Address) -> String {
        let chain = transfer.id.chain_id;
        let (chain_name, _) = component(&self.names.chain(chain));
        let (token, _) = component(&commodity(&self.names.symbol(chain, transfer.token)));
        let whose = if self.own.contains(address) {
            "Treasury"
        } else {
            "Deposits"
        };
        format!("Assets:Crypto:{chain_name}:{token}:{whose}")
    }

    fn head(
        &mut self,
        booked: &BookedTransfer,
        reference: Option<&Reference>,
    ) -> anyhow::Result<()> {
        let transfer = &booked.recorded.transfer;
        let time = rfc3339(transfer.block_timestamp);
        let date = time.get(..10).context("a time begins with its date")?;
        let payment = transfer.payment_id();
        let title = reference.map_or_else(|| status(booked).to_owned(), ToString::to_string);
        match self.syntax {
            // A semicolon begins a comment, and a bar ends the payee.
            Syntax::Hledger => {
                let title = title.replace([';', '|'], " ");
                writeln!(self.out, "\n{date} * ({payment}) {title}")?;
            },
            Syntax::Beancount => {
                let title = title.replace('\\', "\\\\").replace('"', "\\\"");
                writeln!(self.out, "\n{date} * \"{title}\" \"{}\"", status(booked))?;
            },
        }
        let form = AddressForm::of(transfer.id.chain_id);
        let tags = [
            ("payment", Some(payment.to_string())),
            ("order", booked.order().map(|order| order.to_string())),
            ("tx", Some(transfer.tx_hash.to_string())),
            ("log", Some(transfer.id.log_index.to_string())),
            ("block", Some(transfer.block_number.to_string())),
            ("time", Some(time.clone())),
            ("from", Some(form.write(&transfer.from))),
            ("to", Some(form.write(&transfer.to))),
        ];
        for (name, value) in tags {
            let Some(value) = value else { continue };
            match self.syntax {
                Syntax::Hledger => writeln!(self.out, "    ; {name}: {value}")?,
                Syntax::Beancount => writeln!(self.out, "    {name}: \"{value}\"")?,
            }
        }
        Ok(())
    }

    fn declare(&mut self, account: &Account) -> anyhow::Result<()> {
        let is_new = match account.of {
            Some(order) => self.declared.orders.insert(order),
            None => self.declared.names.insert(account.name.clone()),
        };
        if is_new {
            let name = &account.name;
            match self.syntax {
                Syntax::Hledger => writeln!(self.out, "\naccount {name}")?,
                Syntax::Beancount => writeln!(self.out, "\n1970-01-01 open {name}")?,
            }
        }
        Ok(())
    }

    fn declare_commodity(&mut self, name: &str) -> anyhow::Result<()> {
        if !self.declared.names.insert(format!("commodity {name}")) {
            return Ok(());
        }
        match self.syntax {
            Syntax::Hledger => {
                let zeros = "0".repeat(usize::from(self.decimals(name)));
                writeln!(self.out, "\ncommodity 1000.{zeros} \"{name}\"")?;
            },
            Syntax::Beancount => writeln!(self.out, "\n1970-01-01 commodity {name}")?,
        }
        Ok(())
    }

    /// The most decimals of the tokens of this name.
    fn decimals(&self, name: &str) -> u8 {
        let tokens = self.names.tokens.values();
        let of_name = tokens.filter(|token| commodity(&token.symbol) == name);
        let decimals = of_name.map(|token| token.decimals.get()).max();
        decimals.unwrap_or(MOST_DECIMALS)
    }
}

/// `text` as a part of an account's name, and whether it is still the same text.
fn component(text: &str) -> (String, bool) {
    let mut part: String = text
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    match part.chars().next() {
        Some(first) if first.is_ascii_lowercase() => {
            let upper = first.to_ascii_uppercase().to_string();
            part.replace_range(..1, &upper);
        },
        Some('-') | None => part.insert(0, 'X'),
        Some(_) => {},
    }
    let is_same = part == text;
    (part, is_same)
}

/// What an order's accounts are called: its reference, and where that had to be changed, the end of
/// its id, so that no two orders share one.
fn order_component(id: OrderId, reference: Option<&Reference>) -> String {
    let id = id.to_string();
    let Some(reference) = reference else {
        return component(&id).0;
    };
    let (part, is_same) = component(reference.as_str());
    if is_same {
        return part;
    }
    let (_, end) = id.split_at_checked(24).unwrap_or(("", &id));
    format!("{part}-{end}")
}

/// `symbol` as both programs take it: capitals, digits and a few signs, a capital first, and a
/// capital or a digit last.
fn commodity(symbol: &str) -> String {
    let plain = symbol.to_uppercase().replace('₮', "T");
    let is_fine = |c: &char| c.is_ascii_uppercase() || c.is_ascii_digit() || "._-".contains(*c);
    let mut name: String = plain.chars().filter(is_fine).collect();
    if !name.starts_with(|c: char| c.is_ascii_uppercase()) {
        name.insert(0, 'T');
    }
    name.truncate(LONGEST_COMMODITY);
    name.trim_end_matches(['.', '_', '-']).to_owned()
}

#[cfg(test)]
mod tests;

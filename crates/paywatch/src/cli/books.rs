//! What can be asked of the books: whether they are right, and copies for accounting.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use paywatch_core::{BlockNumber, Timestamp};

pub(super) const AUDIT_HELP: &str = "\
For every watched address and token: what it held at first, and what came and went by the recorded
transfers, against balanceOf after a final block (the newest by the chain's rule, or --block). The
books themselves are checked as well: the sums of every order, the places of all transfers, the
numbers of the events, the digests of the decisions.

A deposit address holds nothing at first. What the treasury holds when it is first audited is taken
as it is, and kept. Works on the configuration and the database; the daemon may be running. A
difference is also written to the event log (audit.mismatch). Exit code 1 if there is any.

Examples:
  paywatch audit
  paywatch audit --chain ethereum --all --json";

pub(super) const EXPORT_HELP: &str = "\
The period is half open: --from is in it, --to is not. Both are dates (midnight, UTC) or times with
an offset. Payments are of a period by the time of their block, orders by when they were made.

  csv, jsonl   every payment, also one that left its chain (status reverted), or every order.
               Times are RFC 3339 in UTC, amounts exact decimals. In csv, a text that begins with
               = + - @ or a tab gets an apostrophe before it, so that no spreadsheet takes it for a
               formula; jsonl has it as it is.
  hledger, beancount
               payments only, one transaction each, once they are confirmed; of money that no order
               counts, once its block is final. What arrives is in Assets:Crypto:CHAIN:TOKEN, under
               Deposits or Treasury, against Income:Orders:REFERENCE; what no order counts is a
               liability. Flushes move it from Deposits to Treasury. Who flushes pays the fees of the
               network, so they are not in these books. For several periods in one ledger, leave out
               the declarations (--no-declarations) and keep your own.

Examples:
  paywatch export --what payments --format csv --from 2026-11-01 --to 2026-12-01 --out november.csv
  paywatch export --what payments --format hledger --from 2026-01-01 --to 2027-01-01 | hledger -f- bal";

/// `paywatch audit`
#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// Only this chain, by its name in the configuration.
    #[arg(long, value_name = "NAME")]
    pub chain: Option<String>,
    /// After this block, which must be final; by default the newest that is.
    #[arg(long, value_name = "BLOCK", requires = "chain")]
    pub block: Option<BlockNumber>,
    /// Every watched address, also those that no transfer ever touched.
    #[arg(long)]
    pub all: bool,
}

/// What is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Exported {
    /// Orders.
    Orders,
    /// Payments.
    Payments,
}

/// As what it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// Comma-separated values (RFC 4180).
    Csv,
    /// A JSON object a line.
    Jsonl,
    /// A journal for hledger.
    Hledger,
    /// A journal for beancount.
    Beancount,
}

/// `paywatch export`
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// What to write.
    #[arg(long, value_enum)]
    pub what: Exported,
    /// As what.
    #[arg(long, value_enum, default_value = "csv")]
    pub format: ExportFormat,
    /// The first moment of the period.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub from: Timestamp,
    /// The first moment after the period.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub to: Timestamp,
    /// Where to write it; by default to stdout.
    #[arg(long, value_name = "PATH")]
    pub out: Option<PathBuf>,
    /// Leave out the accounts and commodities that a journal declares.
    #[arg(long)]
    pub no_declarations: bool,
}

/// A date, which is its midnight in UTC, or a time with an offset.
fn moment(text: &str) -> Result<Timestamp, String> {
    let date = text.parse::<jiff::civil::Date>();
    let read = match date {
        Ok(date) if !text.contains(['T', 't', ' ']) => {
            jiff::tz::Offset::UTC.to_timestamp(date.at(0, 0, 0, 0))
        },
        Ok(_) | Err(_) => text.parse::<jiff::Timestamp>(),
    };
    let moment = read.map_err(|cause| {
        format!("write a date such as 2026-11-01, or a time such as 2026-11-01T00:00:00Z ({cause})")
    })?;
    Timestamp::from_unix_ms(moment.as_millisecond()).map_err(|cause| cause.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_date_or_a_time_with_an_offset() {
        let midnight = Timestamp::from_unix_s(1_793_491_200).unwrap();
        for text in [
            "2026-11-01",
            "2026-11-01T00:00:00Z",
            "2026-11-01T02:00:00+02:00",
        ] {
            assert_eq!(moment(text), Ok(midnight), "{text}");
        }
        for text in [
            "november",
            "2026-13-01",
            "2026-11-01T00:00:00",
            "1960-01-01",
        ] {
            assert!(moment(text).is_err(), "{text}");
        }
    }
}

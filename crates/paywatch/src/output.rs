//! Writes results to stdout, for people or as JSON.

use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::num::NonZeroUsize;

use comfy_table::Table;
use comfy_table::presets::UTF8_BORDERS_ONLY;
use paywatch_core::Timestamp;
use serde::Serialize;

/// For whom results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Writes `text` and a line break to stdout. A reader that has gone away, such as `head`, is no
/// error.
pub(crate) fn line(text: &str) -> io::Result<()> {
    written(writeln!(io::stdout().lock(), "{text}").and_then(|()| io::stdout().flush()))
}

/// Writes `bytes` to stdout as they are.
pub(crate) fn bytes(bytes: &[u8]) -> io::Result<()> {
    written(
        io::stdout()
            .lock()
            .write_all(bytes)
            .and_then(|()| io::stdout().flush()),
    )
}

/// Writes `value` to stdout as JSON with line breaks.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    Ok(line(&serde_json::to_string_pretty(value)?)?)
}

/// Writes `value` to stdout as JSON on one line.
pub(crate) fn json_line(value: &impl Serialize) -> anyhow::Result<()> {
    Ok(line(&serde_json::to_string(value)?)?)
}

/// Writes `text` and a line break to stderr, for people beside what programs read.
pub(crate) fn aside(text: &str) -> io::Result<()> {
    written(writeln!(io::stderr().lock(), "{text}"))
}

/// Whether stdout is a terminal, where what was written can be drawn over.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// An empty table under these headings.
pub(crate) fn table<const N: usize>(headings: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY).set_header(headings);
    table
}

/// A time as the API writes it: RFC 3339, in UTC, to the millisecond.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    // Every Timestamp lies between 1970 and 9999, which jiff can print.
    jiff::Timestamp::from_millisecond(at.unix_ms())
        .map_or_else(|error| error.to_string(), |at| format!("{at:.3}"))
}

/// How deep a payment lies, where that is said, to follow what it is.
pub(crate) fn confirmations(count: Option<u64>) -> String {
    count.map_or_else(String::new, |count| format!(" ({count} confirmations)"))
}

/// How many rows `text` takes in this terminal, which breaks lines that are too long for it.
pub(crate) fn rows(text: &str) -> usize {
    let width = Table::new()
        .width()
        .and_then(|width| NonZeroUsize::new(width.into()));
    text.lines()
        .map(|line| rows_of(line.chars().count(), width))
        .sum()
}

fn rows_of(length: usize, width: Option<NonZeroUsize>) -> usize {
    width.map_or(1, |width| length.div_ceil(width.get()).max(1))
}

fn written(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_to_the_millisecond() {
        let at = Timestamp::from_unix_ms(1_764_086_400_000).unwrap();
        assert_eq!(rfc3339(at), "2025-11-25T16:00:00.000Z");
    }

    #[test]
    fn long_lines_take_more_rows() {
        let cases = [
            (0, Some(80), 1),
            (80, Some(80), 1),
            (81, Some(80), 2),
            (500, None, 1),
        ];
        for (length, width, rows) in cases {
            assert_eq!(
                rows_of(length, width.and_then(NonZeroUsize::new)),
                rows,
                "{length} in {width:?}"
            );
        }
    }
}

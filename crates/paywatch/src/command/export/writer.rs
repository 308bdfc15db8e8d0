//! Rows as comma-separated values and as JSON lines.

use std::io::Write;

use serde::Serialize;
use serde_json::Value;

/// Where rows go.
pub(super) trait Rows: Send {
    /// Writes one.
    fn write(&mut self, row: &(impl Serialize + Sync)) -> anyhow::Result<()>;

    /// Writes what is left.
    fn end(self) -> anyhow::Result<()>;
}

/// A JSON object a line.
pub(super) struct JsonLines<'a>(pub(super) &'a mut (dyn Write + Send));

impl Rows for JsonLines<'_> {
    fn write(&mut self, row: &(impl Serialize + Sync)) -> anyhow::Result<()> {
        serde_json::to_writer(&mut *self.0, row)?;
        Ok(self.0.write_all(b"\n")?)
    }

    fn end(self) -> anyhow::Result<()> {
        Ok(())
    }
}

/// Comma-separated values as RFC 4180 has them, with headings.
pub(super) struct CsvRows<'a> {
    writer: csv::Writer<&'a mut (dyn Write + Send)>,
    headings: &'static [&'static str],
}

impl<'a> CsvRows<'a> {
    pub(super) fn begin(
        out: &'a mut (dyn Write + Send),
        headings: &'static [&'static str],
    ) -> anyhow::Result<Self> {
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(out);
        writer.write_record(headings)?;
        Ok(Self { writer, headings })
    }
}

impl Rows for CsvRows<'_> {
    fn write(&mut self, row: &(impl Serialize + Sync)) -> anyhow::Result<()> {
        let row = serde_json::to_value(row)?;
        for heading in self.headings {
            let cell = match row.get(heading) {
                None | Some(Value::Null) => String::new(),
                Some(Value::String(text)) => harmless(text),
                Some(other) => other.to_string(),
            };
            self.writer.write_field(cell)?;
        }
        Ok(self.writer.write_record(None::<&[u8]>)?)
    }

    fn end(mut self) -> anyhow::Result<()> {
        Ok(self.writer.flush()?)
    }
}

/// A text that no spreadsheet takes for a formula.
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HEADINGS: [&str; 3] = ["reference", "amount", "order"];

    #[test]
    fn cells_are_quoted_as_needed_and_run_nothing() {
        let mut out = Vec::new();
        let mut rows = CsvRows::begin(&mut out, &HEADINGS).unwrap();
        rows.write(&json!({ "reference": "=1+1", "amount": "0.000001", "order": null }))
            .unwrap();
        rows.write(&json!({ "reference": "a, \"b\"", "amount": "1", "order": 7 }))
            .unwrap();
        rows.end().unwrap();
        let text = String::from_utf8(out).unwrap();
        let expected = "reference,amount,order\r\n'=1+1,0.000001,\r\n\"a, \"\"b\"\"\",1,7\r\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn every_beginning_of_a_formula_is_disarmed() {
        for begin in ["=", "+", "-", "@", "\t", "\r"] {
            assert_eq!(harmless(&format!("{begin}A1")), format!("'{begin}A1"));
        }
        for fine in ["INV-1", "", "1", "'=x"] {
            assert_eq!(harmless(fine), fine);
        }
    }

    #[test]
    fn a_line_is_an_object() {
        let mut out = Vec::new();
        let mut rows = JsonLines(&mut out);
        rows.write(&json!({ "reference": "=1" })).unwrap();
        rows.end().unwrap();
        assert_eq!(out, b"{\"reference\":\"=1\"}\n");
    }
}

//! What of buses and people may be shown.

use serde::Serialize;

use crate::config::SinkConfig;

/// A bus, or people, who are told of events.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct SinkView {
    kind: &'static str,
    name: String,
    to: String,
    how: String,
    types: String,
}

/// What of `config` may be shown.
pub(super) fn view(config: &SinkConfig) -> SinkView {
    SinkView {
        kind: config.kind.name(),
        name: config.name.clone(),
        to: config.place.clone(),
        how: config.how.clone(),
        types: config.types.to_string(),
    }
}

/// Each on a line.
pub(super) fn in_words(sinks: &[SinkView]) -> String {
    let line = |sink: &SinkView| {
        let SinkView {
            kind,
            name,
            to,
            how,
            types,
        } = sink;
        let name = if kind == name {
            String::new()
        } else {
            format!(" {name}")
        };
        format!("told       {kind}{name} at {to} ({how}) of {types}\n")
    };
    sinks.iter().map(line).collect()
}

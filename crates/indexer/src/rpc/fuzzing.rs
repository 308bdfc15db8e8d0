//! Doors for the fuzz targets: whatever reads what strangers send, without a network.

use alloy_primitives::Address;
use serde_json::value::RawValue;
use url::Url;

use crate::rpc::classify::classify;
use crate::rpc::endpoint::Endpoint;
use crate::rpc::envelope::{self, Message};
use crate::rpc::failure::RpcFailure;
use crate::rpc::logs::read_logs;
use crate::rpc::wire::WireHeader;
use crate::{LogFilter, LogQuery};

/// Reads `text` as everything that a node may send: answers to one question and to several,
/// refusals, messages over a socket, headers.
pub fn answers(text: &str) {
    let Ok(url) = Url::parse("http://node.example") else {
        return;
    };
    let endpoint = Endpoint::new(&url);
    for count in [1, 3] {
        for answer in envelope::answers(text, 1, count, &endpoint)
            .into_iter()
            .flatten()
        {
            match answer {
                Ok(raw) => header(raw),
                Err(kind) => drop(classify(RpcFailure::new(
                    endpoint.clone(),
                    "eth_getLogs",
                    kind,
                ))),
            }
        }
    }
    drop(envelope::refusal(text, &endpoint));
    if let Ok(Message::Announcement(raw)) = envelope::message(text) {
        header(raw);
    }
}

fn header(raw: &RawValue) {
    if let Ok(header) = serde_json::from_str::<WireHeader>(raw.get()) {
        drop(header.to_header());
    }
}

/// Reads `text` as the logs of a range.
///
/// # Panics
/// When it takes a log that was not asked for.
pub fn logs(text: &str, token: Address) {
    let filter = LogFilter {
        receivers: vec![token],
        ..LogFilter::of(vec![token])
    };
    let range = LogQuery::Range { from: 1, to: 100 };
    if let Ok(answer) = read_logs(text, &range, &filter) {
        for place in answer.places() {
            let number = place.block_number;
            assert!((1..=100).contains(&number), "its block was not asked for");
        }
        for log in &answer.transfers {
            assert_eq!(log.token, token, "it was not asked for");
        }
    }
}

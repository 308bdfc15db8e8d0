//! Transactions without a signature, for whoever signs them elsewhere.

use serde_json::{Value, json};

use crate::prepare::Flush;

/// The version of the transaction builder whose files these are.
const BUILDER: &str = "1.18.0";

/// Transactions as JSON-RPC takes them (`eth_sendTransaction`), except for the sender and what he
/// pays for gas.
#[must_use]
pub fn plain(chain_id: u64, flushes: &[Flush]) -> Value {
    flushes
        .iter()
        .map(|flush| {
            json!({
                "to": flush.to.to_checksum(None),
                "data": flush.data.to_string(),
                "value": "0x0",
                "chainId": format!("{chain_id:#x}"),
                "gas": format!("{:#x}", flush.gas),
            })
        })
        .collect()
}

/// A file for the transaction builder of a Safe, which puts all of them into one transaction.
/// `created_at` is in Unix milliseconds.
#[must_use]
pub fn safe(chain_id: u64, created_at: i64, flushes: &[Flush]) -> Value {
    let transactions: Vec<Value> = flushes
        .iter()
        .map(|flush| {
            json!({
                "to": flush.to.to_checksum(None),
                "value": "0",
                "data": flush.data.to_string(),
                "contractMethod": null,
                "contractInputsValues": null,
            })
        })
        .collect();
    json!({
        "version": "1.0",
        "chainId": chain_id.to_string(),
        "createdAt": created_at,
        "meta": {
            "name": "paywatch sweep",
            "description": "Flushes deposit addresses to their treasury. Anybody may send it.",
            "txBuilderVersion": BUILDER,
            "createdFromSafeAddress": "",
            "createdFromOwnerAddress": "",
        },
        "transactions": transactions,
    })
}

//! Receipts, between the JSON of nodes and the bytes that the chain commits to.

use alloy::consensus::{Eip658Value, Receipt, ReceiptWithBloom};
use alloy::eips::eip2718::Encodable2718;
use alloy::network::{AnyReceiptEnvelope, AnyTransactionReceipt};
use alloy::rlp::{self, BufMut, Decodable, Encodable, Header as ListHeader, PayloadView};
use alloy_primitives::{Bytes, Log, U64};

/// The type of deposits on chains of the OP stack (OP stack specification, deposits).
const DEPOSIT: u8 = 0x7e;
/// Bytes below this are a type (EIP-2718); a legacy receipt begins with an RLP list.
const LEGACY_FROM: u8 = 0xc0;

/// The receipt as the chain holds it (EIP-2718).
pub(crate) fn encoded(told: &AnyTransactionReceipt) -> Bytes {
    let envelope = &told.inner.inner;
    let receipt = &envelope.inner.receipt;
    let held = AnyReceiptEnvelope {
        inner: ReceiptWithBloom {
            receipt: Receipt {
                status: receipt.status,
                cumulative_gas_used: receipt.cumulative_gas_used,
                logs: receipt.logs.iter().map(|log| log.inner.clone()).collect(),
            },
            logs_bloom: envelope.inner.logs_bloom,
        },
        r#type: envelope.r#type,
    };
    let field = |name: &str| {
        let value = told.other.get_deserialized::<U64>(name);
        value.and_then(Result::ok).map(|number| number.to::<u64>())
    };
    match (field("depositNonce"), field("depositReceiptVersion")) {
        // Before Canyon the nonce was told but not held; the version says that it is.
        (Some(nonce), Some(version)) if held.r#type == DEPOSIT => {
            deposit(&held.inner, nonce, version)
        },
        (Some(_) | None, Some(_) | None) => held.encoded_2718().into(),
    }
}

/// A deposit's receipt: the usual four fields, its nonce and its version.
fn deposit(inner: &ReceiptWithBloom<Receipt>, nonce: u64, version: u64) -> Bytes {
    let mut payload = Vec::new();
    match &inner.receipt.status {
        Eip658Value::Eip658(succeeded) => succeeded.encode(&mut payload),
        Eip658Value::PostState(root) => root.encode(&mut payload),
    }
    inner.receipt.cumulative_gas_used.encode(&mut payload);
    inner.logs_bloom.encode(&mut payload);
    inner.receipt.logs.encode(&mut payload);
    nonce.encode(&mut payload);
    version.encode(&mut payload);
    let mut encoded = vec![DEPOSIT];
    ListHeader {
        list: true,
        payload_length: payload.len(),
    }
    .encode(&mut encoded);
    encoded.put_slice(&payload);
    encoded.into()
}

/// The logs in an encoded receipt: the fourth field of its list, whatever else it has.
pub(crate) fn logs_of(encoded: &[u8]) -> rlp::Result<Vec<Log>> {
    let mut list = match encoded.first() {
        Some(first) if *first >= LEGACY_FROM => encoded,
        Some(_) => encoded.get(1..).unwrap_or_default(),
        None => return Err(rlp::Error::InputTooShort),
    };
    let PayloadView::List(fields) = ListHeader::decode_raw(&mut list)? else {
        return Err(rlp::Error::UnexpectedString);
    };
    if !list.is_empty() {
        return Err(rlp::Error::UnexpectedLength);
    }
    let mut logs = *fields.get(3).ok_or(rlp::Error::InputTooShort)?;
    let read = Vec::<Log>::decode(&mut logs)?;
    if !logs.is_empty() {
        return Err(rlp::Error::UnexpectedLength);
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, B256, LogData, hex};
    use serde_json::json;

    use super::*;

    fn told(kind: &str, more: &[(&str, &str)]) -> AnyTransactionReceipt {
        let mut value = json!({
            "type": kind, "status": "0x1", "cumulativeGasUsed": "0xb729",
            "logsBloom": format!("0x{}", "00".repeat(256)), "logs": [],
            "transactionHash": B256::ZERO, "transactionIndex": "0x0", "blockHash": B256::ZERO,
            "blockNumber": "0x1", "gasUsed": "0xb729", "effectiveGasPrice": "0x0",
            "from": Address::ZERO, "to": Address::ZERO, "contractAddress": null,
        });
        for (name, text) in more {
            value[*name] = json!(text);
        }
        serde_json::from_value(value).unwrap()
    }

    /// By hand after the OP stack's specification: type, list of status, gas, bloom, logs, nonce,
    /// version.
    #[test]
    fn a_deposit_since_canyon_holds_its_nonce_and_version() {
        let bloom = "00".repeat(256);
        let with = told(
            "0x7e",
            &[("depositNonce", "0x9"), ("depositReceiptVersion", "0x1")],
        );
        let expected = format!("7ef9010a{}{}b90100{bloom}c00901", "01", "82b729");
        assert_eq!(hex::encode(encoded(&with)), expected);
        // One before Canyon tells its nonce but does not hold it.
        let before = told("0x7e", &[("depositNonce", "0x9")]);
        let expected = format!("7ef90108{}{}b90100{bloom}c0", "01", "82b729");
        assert_eq!(hex::encode(encoded(&before)), expected);
        assert_eq!(logs_of(&encoded(&with)), Ok(Vec::new()));
    }

    #[test]
    fn logs_are_read_from_every_kind() {
        let log = Log {
            address: Address::repeat_byte(7),
            data: LogData::new_unchecked(vec![B256::repeat_byte(1)], Bytes::from_static(&[1, 2])),
        };
        for kind in [0_u8, 1, 2, 3, 4, 0x6a, 0x78] {
            let envelope = AnyReceiptEnvelope {
                inner: ReceiptWithBloom {
                    receipt: Receipt {
                        status: Eip658Value::Eip658(true),
                        cumulative_gas_used: 21_000,
                        logs: vec![log.clone(), log.clone()],
                    },
                    logs_bloom: alloy_primitives::Bloom::ZERO,
                },
                r#type: kind,
            };
            let read = logs_of(&envelope.encoded_2718()).unwrap();
            assert_eq!(read, [log.clone(), log.clone()], "type {kind}");
        }
    }

    #[test]
    fn what_is_no_receipt_is_refused() {
        for bytes in [&[][..], &[0x02], &[0x02, 0xc0], &[0xc1, 0x80], &[0xf8]] {
            assert!(logs_of(bytes).is_err(), "{bytes:?}");
        }
    }
}

//! Real blocks of real chains: every USDT transfer in them is read, and nothing else, and their
//! receipts root recomputes. The data lies beside the checkout, not in it.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and says what it skipped"
)]

use std::fs;
use std::path::{Path, PathBuf};

use alloy::consensus::{Eip658Value, Receipt, ReceiptWithBloom};
use alloy::network::{AnyReceiptEnvelope, AnyTransactionReceipt};
use alloy::primitives::{Address, B256, Log as BareLog, U256, address, keccak256, logs_bloom};
use alloy::rlp::{Decodable, Header, PayloadView};
use alloy::rpc::types::Log;
use paywatch_indexer::{TransferLog, consensus_receipt, decode, receipts_root};
use serde_json::Value;

const ETHEREUM_USDT: Address = address!("0xdac17f958d2ee523a2206206994597c13d831ec7");
const POLYGON_USDT: Address = address!("0xc2132d05d31c914a87c6611c10748aeb04b58e8f");
const ARBITRUM_USDT: Address = address!("0xfd086bc7cd5c481dcc9c85ebe478a1c0b69fcbb9");

/// The folder `name` of the data, or nothing where there is none.
fn folder(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/fixtures")
        .join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: there is no {name} in shared/fixtures beside the checkout");
    None
}

fn json(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    serde_json::from_str(&text).unwrap()
}

/// The transfers of `token` among `logs`.
fn transfers<'a>(logs: impl Iterator<Item = &'a Log>, token: Address) -> Vec<TransferLog> {
    logs.filter(|log| log.address() == token)
        .filter_map(|log| decode(log).unwrap())
        .collect()
}

/// What the folder says that the block holds, read by hand.
fn expected(folder: &Path) -> Vec<TransferLog> {
    let logs = json(&folder.join("expected_usdt_transfer_logs.json"));
    let number = |value: &Value| {
        let digits = value.as_str().unwrap().strip_prefix("0x").unwrap();
        u64::from_str_radix(digits, 16).unwrap()
    };
    let party = |value: &Value| Address::from_word(value.as_str().unwrap().parse().unwrap());
    let hash = |value: &Value| value.as_str().unwrap().parse::<B256>().unwrap();
    let logs = logs.as_array().unwrap();
    logs.iter()
        .map(|log| TransferLog {
            block_number: number(&log["blockNumber"]),
            block_hash: hash(&log["blockHash"]),
            tx_hash: hash(&log["transactionHash"]),
            log_index: number(&log["logIndex"]),
            token: log["address"].as_str().unwrap().parse().unwrap(),
            from: party(&log["topics"][1]),
            to: party(&log["topics"][2]),
            value: log["data"].as_str().unwrap().parse::<U256>().unwrap(),
        })
        .collect()
}

/// A block whose receipts are as `eth_getBlockReceipts` gives them.
fn check_json(name: &str, token: Address, count: usize) {
    let Some(folder) = folder(name) else { return };
    let block = json(&folder.join("block.json"));
    let receipts = json(&folder.join("receipts.json"));
    let receipts: Vec<AnyTransactionReceipt> = serde_json::from_value(receipts).unwrap();
    let logs = receipts
        .iter()
        .flat_map(|receipt| receipt.inner.inner.logs());
    let found = transfers(logs, token);
    assert_eq!(found, expected(&folder), "{name}");
    assert_eq!(found.len(), count, "{name}");
    let receipts: Vec<_> = receipts.iter().map(consensus_receipt).collect();
    let root: B256 = block["receiptsRoot"].as_str().unwrap().parse().unwrap();
    assert_eq!(receipts_root(&receipts), root, "{name}");
    let mut missing_one = receipts;
    missing_one.pop();
    assert_ne!(receipts_root(&missing_one), root, "{name}");
}

/// The items of an RLP list, each still encoded.
fn items(mut encoded: &[u8]) -> Vec<&[u8]> {
    match Header::decode_raw(&mut encoded).unwrap() {
        PayloadView::List(items) => items,
        PayloadView::String(_) => panic!("an RLP string where a list should be"),
    }
}

/// The `key: 0xhex` lines of a `block-data.yaml`.
fn yaml(folder: &Path, key: &str) -> Vec<u8> {
    let text = fs::read_to_string(folder.join("block-data.yaml")).unwrap();
    let start = format!("{key}: 0x");
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(&start))
        .unwrap();
    hex::decode(line.trim()).unwrap()
}

/// An eth/69 receipt: type, status, cumulative gas, logs. Its bloom follows from its logs.
fn receipt(encoded: &[u8]) -> AnyReceiptEnvelope {
    let fields = items(encoded);
    let logs = Vec::<BareLog>::decode(&mut &*fields[3]).unwrap();
    let logs_bloom = logs_bloom(&logs);
    let receipt = Receipt {
        status: Eip658Value::Eip658(bool::decode(&mut &*fields[1]).unwrap()),
        cumulative_gas_used: u64::decode(&mut &*fields[2]).unwrap(),
        logs,
    };
    AnyReceiptEnvelope {
        inner: ReceiptWithBloom {
            receipt,
            logs_bloom,
        },
        r#type: u8::decode(&mut &*fields[0]).unwrap(),
    }
}

/// A transaction's hash is that of its bytes; a typed one is wrapped in an RLP string.
fn tx_hash(encoded: &[u8]) -> B256 {
    match Header::decode_raw(&mut &*encoded).unwrap() {
        PayloadView::List(_) => keccak256(encoded),
        PayloadView::String(typed) => keccak256(typed),
    }
}

/// A block as RLP: header, body, and receipts in the form of eth/69.
fn check_rlp(name: &str, count: usize) {
    let Some(folder) = folder(name) else { return };
    let header = yaml(&folder, "header");
    let header_fields = items(&header);
    let root = B256::decode(&mut &*header_fields[5]).unwrap();
    let number = u64::decode(&mut &*header_fields[8]).unwrap();
    let body = yaml(&folder, "body");
    let hashes: Vec<_> = items(items(&body)[0]).into_iter().map(tx_hash).collect();
    let receipts = yaml(&folder, "receipts");
    let receipts: Vec<_> = items(&receipts).into_iter().map(receipt).collect();
    assert_eq!(receipts.len(), hashes.len(), "{name}");
    assert_eq!(receipts_root(&receipts), root, "{name}");
    let logs: Vec<_> = receipts
        .iter()
        .zip(&hashes)
        .flat_map(|(receipt, hash)| receipt.logs().iter().map(move |log| (log, hash)))
        .zip(0..)
        .map(|((log, hash), index)| Log {
            inner: log.clone(),
            block_hash: Some(keccak256(&header)),
            block_number: Some(number),
            transaction_hash: Some(*hash),
            log_index: Some(index),
            ..Log::default()
        })
        .collect();
    let found = transfers(logs.iter(), ETHEREUM_USDT);
    assert_eq!(found, expected(&folder), "{name}");
    assert_eq!(found.len(), count, "{name}");
}

#[test]
fn ethereum_as_nodes_serve_it() {
    check_json("ethereum-18000000", ETHEREUM_USDT, 45);
}

#[test]
fn polygon_as_nodes_serve_it() {
    check_json("polygon-50000000", POLYGON_USDT, 17);
}

#[test]
fn arbitrum_as_nodes_serve_it() {
    check_json("arbitrum-150000000", ARBITRUM_USDT, 4);
}

#[test]
fn ethereum_as_nodes_keep_it() {
    check_rlp("ethereum-15537394-rlp", 0);
    check_rlp("ethereum-17034869-rlp", 3);
    check_rlp("ethereum-17034870-rlp", 19);
    check_rlp("ethereum-22431083-rlp", 95);
    check_rlp("ethereum-22431084-rlp", 29);
}

/// The vector has no envelope: a block is put around it.
#[test]
fn tron_logs_are_read_as_well() {
    let Some(folder) = folder("tron") else { return };
    let vector = json(&folder.join("usdt_transfer_log_vector.json"));
    let mut told = vector["log"].clone();
    told["blockNumber"] = "0x1".into();
    told["blockHash"] = B256::repeat_byte(1).to_string().into();
    told["transactionHash"] = B256::repeat_byte(2).to_string().into();
    told["transactionIndex"] = "0x0".into();
    told["logIndex"] = "0x0".into();
    let log: Log = serde_json::from_value(told).unwrap();
    let read = decode(&log).unwrap().unwrap();
    let value: U256 = vector["expected"]["value"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(read.value, value);
    // The recipient also stands in the call's data, behind the selector and Tron's 0x41.
    let calldata = hex::decode(
        vector["calldata"]
            .as_str()
            .unwrap()
            .trim_start_matches("0x"),
    );
    assert_eq!(read.to.as_slice(), &calldata.unwrap()[16..36]);
}

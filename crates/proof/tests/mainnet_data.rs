//! Real blocks of real chains: every USDT transfer in them is proved, and no changed proof holds.
//! The data lies beside the checkout, not in it.
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
use alloy::eips::eip2718::Encodable2718;
use alloy::network::AnyReceiptEnvelope;
use alloy::rlp::{Decodable, Header, PayloadView};
use alloy_primitives::{
    Address, B256, Bytes, Log as BareLog, U256, address, keccak256, logs_bloom,
};
use paywatch_core::{BlockRef, ChainId};
use paywatch_proof::{BlockEvidence, ProvenBlock, ProvenTransfer, verify_bundle};
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

/// What is told of a transfer, by log.
type Told = (u64, B256, u64, Address, Address, U256);

/// What the folder says that the block holds, read by hand.
fn expected(folder: &Path) -> Vec<Told> {
    let logs = json(&folder.join("expected_usdt_transfer_logs.json"));
    let number = |value: &Value| {
        let digits = value.as_str().unwrap().strip_prefix("0x").unwrap();
        u64::from_str_radix(digits, 16).unwrap()
    };
    let party = |value: &Value| Address::from_word(value.as_str().unwrap().parse().unwrap());
    let hash = |value: &Value| value.as_str().unwrap().parse::<B256>().unwrap();
    let logs = logs.as_array().unwrap();
    logs.iter()
        .map(|log| {
            (
                number(&log["blockNumber"]),
                hash(&log["transactionHash"]),
                number(&log["logIndex"]),
                party(&log["topics"][1]),
                party(&log["topics"][2]),
                log["data"].as_str().unwrap().parse::<U256>().unwrap(),
            )
        })
        .collect()
}

fn told(proven: &ProvenTransfer) -> Told {
    (
        proven.block.number,
        proven.tx_hash,
        proven.log_index,
        proven.from,
        proven.to,
        proven.value,
    )
}

/// Proves every transfer of `token` in the block, checks each proof, and that none holds with a
/// byte changed.
fn check(block: &ProvenBlock, token: Address, folder: &Path, count: usize) {
    let chain = ChainId::new(1).unwrap();
    let mut shown = Vec::new();
    for log in block.logs() {
        if log.log.address != token {
            continue;
        }
        let Some(bundle) = block.prove(chain, log.log_index) else {
            continue;
        };
        let json = bundle.to_json();
        shown.push(told(&verify_bundle(json.as_bytes()).unwrap()));
        let step = json.len() / 16;
        for place in (0..json.len()).step_by(step.max(1)) {
            let mut changed = json.clone().into_bytes();
            changed[place] ^= 0x01;
            assert!(verify_bundle(&changed).is_err(), "byte {place}");
        }
    }
    assert_eq!(shown, expected(folder), "{folder:?}");
    assert_eq!(shown.len(), count, "{folder:?}");
}

/// A block whose receipts are as `eth_getBlockReceipts` gives them.
fn check_json(name: &str, token: Address, count: usize) {
    let Some(folder) = folder(name) else { return };
    let header = fs::read_to_string(folder.join("block.json")).unwrap();
    let receipts = fs::read_to_string(folder.join("receipts.json")).unwrap();
    let block = json(&folder.join("block.json"));
    let text = |field: &str| block[field].as_str().unwrap().to_owned();
    let digits = text("number");
    let reference = BlockRef {
        number: u64::from_str_radix(digits.trim_start_matches("0x"), 16).unwrap(),
        hash: text("hash").parse().unwrap(),
    };
    let evidence = BlockEvidence::from_json(&header, &receipts).unwrap();
    let mut missing_one = evidence.clone();
    missing_one.receipts.pop();
    missing_one.tx_hashes.pop();
    assert!(missing_one.verify(reference).is_err(), "{name}");
    let proven = evidence.verify(reference).unwrap();
    check(&proven, token, &folder, count);
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
    let number = u64::decode(&mut &*items(&header)[8]).unwrap();
    let body = yaml(&folder, "body");
    let receipts = yaml(&folder, "receipts");
    let evidence = BlockEvidence {
        tx_hashes: items(items(&body)[0]).into_iter().map(tx_hash).collect(),
        receipts: items(&receipts)
            .into_iter()
            .map(|encoded| Bytes::from(receipt(encoded).encoded_2718()))
            .collect(),
        header_rlp: header.clone().into(),
    };
    let reference = BlockRef {
        number,
        hash: keccak256(&header),
    };
    let proven = evidence.verify(reference).unwrap();
    check(&proven, ETHEREUM_USDT, &folder, count);
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

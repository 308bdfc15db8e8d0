//! Bundles of a made-up block: they hold as they are, and no byte of them may change.
#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

use std::sync::OnceLock;

use alloy::consensus::proofs::calculate_receipt_root;
use alloy::consensus::{Eip658Value, Header, Receipt, ReceiptEnvelope};
use alloy::eips::eip2718::Encodable2718;
use alloy::rlp;
use alloy_primitives::{Address, B256, Log, LogData, U256, keccak256};
use paywatch_core::{BlockRef, ChainId};
use paywatch_proof::{BlockEvidence, BundleError, ProofError, ProvenBlock, verify_bundle};
use proptest::prelude::*;

fn transfer(value: u64) -> Log {
    let topic = keccak256("Transfer(address,address,uint256)");
    let party = |byte: u8| Address::repeat_byte(byte).into_word();
    Log {
        address: Address::repeat_byte(0x70),
        data: LogData::new_unchecked(
            vec![topic, party(0xaa), party(0xbb)],
            U256::from(value).to_be_bytes::<32>().into(),
        ),
    }
}

/// A block of `count` receipts, each with a transfer and a log of another kind.
fn evidence(count: u64) -> (BlockEvidence, BlockRef) {
    let receipts: Vec<ReceiptEnvelope> = (0..count)
        .map(|number| {
            let other = Log {
                address: Address::repeat_byte(0x71),
                data: LogData::new_unchecked(vec![B256::repeat_byte(9)], vec![1].into()),
            };
            let receipt = Receipt {
                status: Eip658Value::Eip658(true),
                cumulative_gas_used: 50_000 * (number + 1),
                logs: vec![other, transfer(1_000_000 + number)],
            };
            ReceiptEnvelope::Eip1559(receipt.into())
        })
        .collect();
    let header = Header {
        number: 77,
        timestamp: 1_700_000_000,
        receipts_root: calculate_receipt_root(&receipts),
        base_fee_per_gas: Some(1),
        ..Header::default()
    };
    let evidence = BlockEvidence {
        header_rlp: rlp::encode(&header).into(),
        tx_hashes: (0..count).map(|n| B256::from(U256::from(n + 1))).collect(),
        receipts: receipts
            .iter()
            .map(|receipt| receipt.encoded_2718().into())
            .collect(),
    };
    let block = BlockRef {
        number: 77,
        hash: header.hash_slow(),
    };
    (evidence, block)
}

fn proven(count: u64) -> ProvenBlock {
    let (evidence, block) = evidence(count);
    evidence.verify(block).unwrap()
}

/// One and the same, made once.
fn a_bundle() -> &'static [u8] {
    static BUNDLE: OnceLock<Vec<u8>> = OnceLock::new();
    BUNDLE.get_or_init(|| {
        proven(20)
            .prove(chain(), 17)
            .unwrap()
            .to_json()
            .into_bytes()
    })
}

fn chain() -> ChainId {
    ChainId::new(56).unwrap()
}

#[test]
fn every_transfer_of_a_block_can_be_proved_and_nothing_else() {
    for count in [1, 3, 140] {
        let block = proven(count);
        assert_eq!(block.logs().len(), usize::try_from(2 * count).unwrap());
        for log in block.logs() {
            let Some(bundle) = block.prove(chain(), log.log_index) else {
                assert_eq!(log.log.address, Address::repeat_byte(0x71));
                continue;
            };
            let shown = verify_bundle(bundle.to_json().as_bytes()).unwrap();
            assert_eq!(shown.block, block.block());
            assert_eq!(
                (shown.log_index, shown.tx_hash),
                (log.log_index, log.tx_hash)
            );
            assert_eq!(shown.value, U256::from(1_000_000 + log.log_index / 2));
            assert_eq!(shown.to, Address::repeat_byte(0xbb));
        }
        assert!(block.prove(chain(), 2 * count).is_none());
    }
}

#[test]
fn evidence_that_does_not_fit_is_refused() {
    let (good, block) = evidence(4);
    let other = BlockRef {
        hash: B256::ZERO,
        ..block
    };
    let refused = good.clone().verify(other);
    assert!(matches!(refused, Err(ProofError::OtherHash { .. })));
    let higher = BlockRef {
        number: 78,
        ..block
    };
    let refused = good.clone().verify(higher);
    assert!(matches!(refused, Err(ProofError::OtherNumber { .. })));
    let mut short = good.clone();
    short.receipts.pop();
    short.tx_hashes.pop();
    assert!(matches!(
        short.verify(block),
        Err(ProofError::OtherRoot { .. })
    ));
    let mut swapped = good.clone();
    swapped.receipts.swap(0, 1);
    assert!(matches!(
        swapped.verify(block),
        Err(ProofError::OtherRoot { .. })
    ));
    let mut uncounted = good;
    uncounted.tx_hashes.pop();
    assert!(matches!(
        uncounted.verify(block),
        Err(ProofError::Count { .. })
    ));
}

#[test]
fn what_is_no_bundle_says_so() {
    assert!(matches!(verify_bundle(b""), Err(BundleError::Json(_))));
    assert!(matches!(verify_bundle(b"{}"), Err(BundleError::Json(_))));
    let huge = vec![b' '; 17 * 1024 * 1024];
    assert!(matches!(
        verify_bundle(&huge),
        Err(BundleError::TooLarge(_))
    ));
    let json = proven(2).prove(chain(), 1).unwrap().to_json();
    let later = json.replace("\"version\": 1", "\"version\": 2");
    assert!(matches!(
        verify_bundle(later.as_bytes()),
        Err(BundleError::Version { found: 2 })
    ));
    let spaced = format!("{json} ");
    assert!(matches!(
        verify_bundle(spaced.as_bytes()),
        Err(BundleError::Changed)
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_byte_may_change(at in any::<prop::sample::Index>(), byte in any::<u8>(), how in 0..3) {
        let mut json = a_bundle().to_vec();
        let place = at.index(json.len());
        match how {
            0 if json[place] == byte => return Ok(()),
            0 => json[place] = byte,
            1 => json.insert(place, byte),
            _ => drop(json.remove(place)),
        }
        prop_assert!(verify_bundle(&json).is_err());
    }

    #[test]
    fn bytes_that_mean_nothing_are_no_proof(json in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(verify_bundle(&json).is_err());
    }
}

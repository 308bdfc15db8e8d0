//! The trie of a block's receipts: its root, and the path to one of them.

use alloy::rlp;
use alloy_primitives::{B256, Bytes};
use alloy_trie::proof::{ProofRetainer, ProofVerificationError, verify_proof};
use alloy_trie::root::{adjust_index_for_rlp, ordered_trie_root_encoded};
use alloy_trie::{HashBuilder, Nibbles};

/// The root of the trie that `receipts`, in the order of their transactions, make up.
pub(crate) fn root(receipts: &[Bytes]) -> B256 {
    ordered_trie_root_encoded(receipts)
}

/// The nodes from the root to the receipt number `index`.
pub(crate) fn path(receipts: &[Bytes], index: usize) -> Vec<Bytes> {
    let target = key(index);
    let retainer = ProofRetainer::from_iter([target]);
    let mut builder = HashBuilder::default().with_proof_retainer(retainer);
    for place in 0..receipts.len() {
        let place = adjust_index_for_rlp(place, receipts.len());
        if let Some(receipt) = receipts.get(place) {
            builder.add_leaf(key(place), receipt);
        }
    }
    let _root = builder.root();
    let nodes = builder.take_proof_nodes().matching_nodes_sorted(&target);
    nodes.into_iter().map(|(_, node)| node).collect()
}

/// Whether `path` leads from `root` to `receipt` as number `index`.
pub(crate) fn check(
    root: B256,
    index: usize,
    receipt: &Bytes,
    path: &[Bytes],
) -> Result<(), Box<ProofVerificationError>> {
    verify_proof(root, key(index), Some(receipt.to_vec()), path).map_err(Box::new)
}

/// Where a receipt lies in the trie: the RLP of its number.
fn key(index: usize) -> Nibbles {
    Nibbles::unpack(rlp::encode(index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_leads_to_its_receipt_and_to_no_other() {
        for count in [1_usize, 2, 16, 127, 128, 129, 300] {
            let receipts: Vec<Bytes> = (0..count)
                .map(|number| vec![u8::try_from(number % 251).unwrap(); 40].into())
                .collect();
            let root = root(&receipts);
            for index in [0, count / 2, count - 1] {
                let path = path(&receipts, index);
                assert_eq!(check(root, index, &receipts[index], &path), Ok(()));
                let other: Bytes = vec![9; 40].into();
                assert!(check(root, index, &other, &path).is_err());
                assert!(check(root, index + 1, &receipts[index], &path).is_err());
                assert!(check(B256::ZERO, index, &receipts[index], &path).is_err());
            }
        }
    }
}

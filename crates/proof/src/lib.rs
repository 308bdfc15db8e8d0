//! Proves that a block holds a payment, and checks such proofs with no node and no database.
//!
//! A block's hash commits to its header, the header to the root of a trie of receipts, and the
//! receipts to every log (yellow paper, 4.3). [`BlockEvidence::verify`] recomputes all of that from
//! what a node gave; [`ProofBundle`] is the part of it that shows one log, small enough to keep.
//!
//! What is shown: the block with this hash holds this log at this place. What is not: that the block
//! is on its chain (that takes somebody who follows the chain), which chain it is of (a header does
//! not say), the transaction's hash and the log's number within the block (receipts hold neither;
//! they are what the node said, and are sealed against corruption by the bundle's digest).

mod bundle;
mod evidence;
mod receipt;
mod trie;

pub use crate::bundle::{BundleError, ProofBundle, ProvenTransfer, verify_bundle};
pub use crate::evidence::{
    BlockEvidence, EvidenceError, ProofError, ProvenBlock, ProvenLog, header_rlp,
};

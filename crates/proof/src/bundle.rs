//! The proof of one transfer as a file that can be kept and checked anywhere.

use alloy::rlp;
use alloy_primitives::{Address, B256, Bytes, Log, U256, b256, keccak256};
use alloy_trie::proof::ProofVerificationError;
use paywatch_core::{Block, BlockRef, ChainId, ChainIdError, PaymentId, TimeError, TransferId};
use serde::{Deserialize, Serialize};

use crate::evidence::{ProofError, ProvenLog, block_of, header};
use crate::receipt::logs_of;
use crate::trie;

/// The version of the format.
const VERSION: u32 = 1;
/// A larger file is none of ours: the largest receipts that chains allow are far smaller.
const LARGEST: usize = 16 * 1024 * 1024;
/// keccak256 of `Transfer(address,address,uint256)` (ERC-20).
const TRANSFER: B256 = b256!("0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");

/// Header, receipt, Merkle path and log of one transfer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct ProofBundle {
    #[serde(flatten)]
    contents: Contents,
    /// keccak256 of the contents as JSON: what is only stated is sealed by it against corruption.
    digest: B256,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
struct Contents {
    version: u32,
    payment_id: String,
    chain_id: u64,
    block_number: u64,
    block_hash: B256,
    /// RLP.
    header: Bytes,
    transaction_index: usize,
    /// As the node said.
    transaction_hash: B256,
    /// EIP-2718.
    receipt: Bytes,
    /// The nodes of the receipts trie, from the root to the receipt.
    receipt_path: Vec<Bytes>,
    log_position: usize,
    log_index: u64,
    token: String,
    from: String,
    to: String,
    /// Base units of the token, decimal.
    value: String,
}

/// What a checked bundle shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenTransfer {
    /// The payment's id, which binds chain, block and log.
    pub payment_id: PaymentId,
    /// The chain, as stated.
    pub chain_id: ChainId,
    /// The block that holds it.
    pub block: Block,
    /// The number of its transaction within the block.
    pub tx_index: usize,
    /// Its transaction, as stated.
    pub tx_hash: B256,
    /// The log's number within the block, as stated.
    pub log_index: u64,
    /// The contract that wrote the log.
    pub token: Address,
    /// Who paid.
    pub from: Address,
    /// Who was paid.
    pub to: Address,
    /// How much, in the token's base units.
    pub value: U256,
}

/// Why a file proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// No proof is so large.
    #[error("it has {0} bytes, more than any proof")]
    TooLarge(usize),
    /// Not the JSON of a proof.
    #[error("it is not the JSON of a proof")]
    Json(#[source] serde_json::Error),
    /// The JSON of a proof, but not as it was written.
    #[error("it was changed since it was written")]
    Changed,
    /// Of a later format.
    #[error("it has format {found}; this program knows {VERSION}")]
    Version {
        /// Its format.
        found: u32,
    },
    /// The chain id is none.
    #[error("it names no chain")]
    Chain(#[from] ChainIdError),
    /// The header is not the block's.
    #[error("its header does not show its block")]
    Header(#[from] ProofError),
    /// The header's time is none.
    #[error("its header has an impossible time")]
    Time(#[from] TimeError),
    /// The path does not lead from the header to the receipt.
    #[error("its receipt is not one of the block's")]
    Path(#[source] Box<ProofVerificationError>),
    /// The receipt is none.
    #[error("its receipt cannot be decoded")]
    Receipt(#[source] rlp::Error),
    /// The log is not the transfer that is stated.
    #[error("its receipt does not hold the transfer that it states")]
    OtherTransfer,
    /// The payment's id is another one's.
    #[error("its payment id is that of another payment")]
    OtherPayment,
}

/// What a `Transfer` log says.
struct Movement {
    from: Address,
    to: Address,
    value: U256,
}

/// The transfer in `log`, if it is one of ERC-20.
fn movement(log: &Log) -> Option<Movement> {
    let [topic, from, to] = log.data.topics() else {
        return None;
    };
    let word: &[u8; 32] = log.data.data.as_ref().try_into().ok()?;
    let address = |word: &B256| {
        let address = Address::from_word(*word);
        (address.into_word() == *word).then_some(address)
    };
    if *topic != TRANSFER {
        return None;
    }
    Some(Movement {
        from: address(from)?,
        to: address(to)?,
        value: U256::from_be_bytes(*word),
    })
}

impl ProofBundle {
    /// The bundle of the transfer in `log`; `None` if it is none.
    pub(crate) fn of(
        chain_id: ChainId,
        block: Block,
        header: Bytes,
        log: &ProvenLog,
        (receipt, receipt_path): (Bytes, Vec<Bytes>),
    ) -> Option<Self> {
        let movement = movement(&log.log)?;
        let id = TransferId {
            chain_id,
            block_hash: block.hash,
            log_index: log.log_index,
        };
        let contents = Contents {
            version: VERSION,
            payment_id: PaymentId::of(&id).to_string(),
            chain_id: chain_id.get(),
            block_number: block.number,
            block_hash: block.hash,
            header,
            transaction_index: log.tx_index,
            transaction_hash: log.tx_hash,
            receipt,
            receipt_path,
            log_position: log.position,
            log_index: log.log_index,
            token: log.log.address.to_checksum(None),
            from: movement.from.to_checksum(None),
            to: movement.to.to_checksum(None),
            value: movement.value.to_string(),
        };
        let digest = contents.digest();
        Some(Self { contents, digest })
    }

    /// The file: JSON, to be kept byte for byte.
    #[must_use]
    pub fn to_json(&self) -> String {
        // A struct of texts and numbers always has a JSON form.
        let mut json = serde_json::to_string_pretty(self).unwrap_or_default();
        json.push('\n');
        json
    }
}

impl Contents {
    fn digest(&self) -> B256 {
        keccak256(serde_json::to_vec(self).unwrap_or_default())
    }
}

/// Checks the file of a proof. It takes nothing else: no node, no database, no network.
///
/// # Errors
/// [`BundleError`] for whatever does not show the transfer that it states, and for every file that
/// is not, byte for byte, as it was written.
pub fn verify_bundle(json: &[u8]) -> Result<ProvenTransfer, BundleError> {
    if json.len() > LARGEST {
        return Err(BundleError::TooLarge(json.len()));
    }
    let bundle: ProofBundle = serde_json::from_slice(json).map_err(BundleError::Json)?;
    let contents = &bundle.contents;
    if contents.version != VERSION {
        return Err(BundleError::Version {
            found: contents.version,
        });
    }
    if bundle.to_json().as_bytes() != json || contents.digest() != bundle.digest {
        return Err(BundleError::Changed);
    }
    let chain_id = ChainId::new(contents.chain_id)?;
    let stated = BlockRef {
        number: contents.block_number,
        hash: contents.block_hash,
    };
    let header = header(&contents.header, stated)?;
    trie::check(
        header.receipts_root,
        contents.transaction_index,
        &contents.receipt,
        &contents.receipt_path,
    )
    .map_err(BundleError::Path)?;
    let logs = logs_of(&contents.receipt).map_err(BundleError::Receipt)?;
    let log = logs
        .get(contents.log_position)
        .ok_or(BundleError::OtherTransfer)?;
    let movement = movement(log).ok_or(BundleError::OtherTransfer)?;
    let is_stated = log.address.to_checksum(None) == contents.token
        && movement.from.to_checksum(None) == contents.from
        && movement.to.to_checksum(None) == contents.to
        && movement.value.to_string() == contents.value;
    if !is_stated {
        return Err(BundleError::OtherTransfer);
    }
    let payment_id = PaymentId::of(&TransferId {
        chain_id,
        block_hash: stated.hash,
        log_index: contents.log_index,
    });
    if payment_id.to_string() != contents.payment_id {
        return Err(BundleError::OtherPayment);
    }
    Ok(ProvenTransfer {
        payment_id,
        chain_id,
        block: block_of(&header, stated.hash)?,
        tx_index: contents.transaction_index,
        tx_hash: contents.transaction_hash,
        log_index: contents.log_index,
        token: log.address,
        from: movement.from,
        to: movement.to,
        value: movement.value,
    })
}

//! A block's header and receipts as a node gives them, and what they come to when they fit.

use alloy::consensus::Header;
use alloy::network::AnyTransactionReceipt;
use alloy::rlp::{self, Decodable};
use alloy_primitives::{B256, Bloom, Bytes, Log, keccak256};
use paywatch_core::{Block, BlockNumber, BlockRef, ChainId, TimeError, Timestamp};

use crate::bundle::ProofBundle;
use crate::receipt::{encoded, logs_of};
use crate::trie;

/// What a node says is in a block, in the form in which the chain commits to it. Unchecked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockEvidence {
    /// The header's RLP.
    pub header_rlp: Bytes,
    /// The receipts (EIP-2718), in the order of their transactions.
    pub receipts: Vec<Bytes>,
    /// The hashes of the transactions, as the node says, in the same order.
    pub tx_hashes: Vec<B256>,
}

/// Answers of a node that are no header and no receipts.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The header lacks a field, or has one of another kind.
    #[error(
        "the header cannot be read; if the chain's headers are not Ethereum's, set proof = \"none\""
    )]
    Header(#[source] serde_json::Error),
    /// So does a receipt.
    #[error(
        "the receipts cannot be read; if the chain's receipts are not Ethereum's, set proof = \"none\""
    )]
    Receipts(#[source] serde_json::Error),
    /// The receipts are not those of one block in order.
    #[error("the receipts are not in the order of their transactions")]
    Order,
}

/// Why evidence does not show what the block holds.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The header is another block's, or of a kind that hashes otherwise.
    #[error(
        "the header hashes to {found} instead of {expected}; if this is so for every block of the \
         chain, its headers are not Ethereum's: set proof = \"none\""
    )]
    OtherHash {
        /// The block's hash.
        expected: B256,
        /// The header's.
        found: B256,
    },
    /// The header has another height.
    #[error("the header is of block {found} instead of {expected}")]
    OtherNumber {
        /// The block's height.
        expected: BlockNumber,
        /// The header's.
        found: BlockNumber,
    },
    /// The receipts are not those that the header commits to.
    #[error(
        "the receipts make up the root {found} instead of {expected}: some are missing or altered; if \
         this is so for every block of the chain, set proof = \"none\""
    )]
    OtherRoot {
        /// The header's receipts root.
        expected: B256,
        /// That of the receipts.
        found: B256,
    },
    /// As many hashes as receipts are needed.
    #[error("there are {receipts} receipts and {hashes} hashes of transactions")]
    Count {
        /// How many receipts there are.
        receipts: usize,
        /// How many hashes.
        hashes: usize,
    },
    /// Not RLP of a header or a receipt.
    #[error("it cannot be decoded")]
    Rlp(#[from] rlp::Error),
    /// The header's time is none.
    #[error("its time is impossible")]
    Time(#[from] TimeError),
}

/// A block of which everything is known and shown. Only [`BlockEvidence::verify`] makes one.
#[derive(Clone, Debug)]
pub struct ProvenBlock {
    block: Block,
    bloom: Bloom,
    header_rlp: Bytes,
    receipts: Vec<Bytes>,
    logs: Vec<ProvenLog>,
}

/// A log of a proven block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenLog {
    /// Its number within the block.
    pub log_index: u64,
    /// Its place among the logs of its transaction.
    pub position: usize,
    /// The number of its transaction within the block.
    pub tx_index: usize,
    /// Its transaction, as the node says: receipts do not hold it.
    pub tx_hash: B256,
    /// The log.
    pub log: Log,
}

impl BlockEvidence {
    /// Evidence from the results of `eth_getBlockByHash` and `eth_getBlockReceipts`.
    ///
    /// # Errors
    /// [`EvidenceError`] when they cannot be read. Whether they are true, [`Self::verify`] says.
    pub fn from_json(header: &str, receipts: &str) -> Result<Self, EvidenceError> {
        Self::of_header(header_rlp(header)?, receipts)
    }

    /// Evidence from a header that is already known, by its RLP, and the result of
    /// `eth_getBlockReceipts`.
    ///
    /// # Errors
    /// [`EvidenceError`] when the receipts cannot be read.
    pub fn of_header(header_rlp: Bytes, receipts: &str) -> Result<Self, EvidenceError> {
        let told: Vec<AnyTransactionReceipt> =
            serde_json::from_str(receipts).map_err(EvidenceError::Receipts)?;
        let is_ordered = (0_u64..)
            .zip(&told)
            .all(|(place, receipt)| receipt.inner.transaction_index == Some(place));
        if !is_ordered {
            return Err(EvidenceError::Order);
        }
        Ok(Self {
            header_rlp,
            receipts: told.iter().map(encoded).collect(),
            tx_hashes: told
                .iter()
                .map(|receipt| receipt.inner.transaction_hash)
                .collect(),
        })
    }

    /// Checks that this is what the block `expected` holds, all of it and nothing else.
    ///
    /// # Errors
    /// [`ProofError`] says what does not fit.
    pub fn verify(self, expected: BlockRef) -> Result<ProvenBlock, ProofError> {
        let header = header(&self.header_rlp, expected)?;
        if self.receipts.len() != self.tx_hashes.len() {
            return Err(ProofError::Count {
                receipts: self.receipts.len(),
                hashes: self.tx_hashes.len(),
            });
        }
        let found = trie::root(&self.receipts);
        if found != header.receipts_root {
            return Err(ProofError::OtherRoot {
                expected: header.receipts_root,
                found,
            });
        }
        let mut logs: Vec<ProvenLog> = Vec::new();
        let mut log_index = 0_u64;
        for (tx_index, (receipt, tx_hash)) in self.receipts.iter().zip(&self.tx_hashes).enumerate()
        {
            for (position, log) in logs_of(receipt)?.into_iter().enumerate() {
                logs.push(ProvenLog {
                    log_index,
                    position,
                    tx_index,
                    tx_hash: *tx_hash,
                    log,
                });
                log_index = log_index.saturating_add(1);
            }
        }
        Ok(ProvenBlock {
            block: block_of(&header, expected.hash)?,
            bloom: header.logs_bloom,
            header_rlp: self.header_rlp,
            receipts: self.receipts,
            logs,
        })
    }
}

/// The RLP of a header in JSON, as nodes answer and announce it.
///
/// # Errors
/// [`EvidenceError::Header`] when it is no header of Ethereum's kind.
pub fn header_rlp(json: &str) -> Result<Bytes, EvidenceError> {
    let header: Header = serde_json::from_str(json).map_err(EvidenceError::Header)?;
    Ok(rlp::encode(&header).into())
}

/// The header in `encoded`, which must be that of the block `expected`.
pub(crate) fn header(encoded: &Bytes, expected: BlockRef) -> Result<Header, ProofError> {
    let found = keccak256(encoded);
    if found != expected.hash {
        return Err(ProofError::OtherHash {
            expected: expected.hash,
            found,
        });
    }
    let mut rest = encoded.as_ref();
    let header = Header::decode(&mut rest)?;
    if !rest.is_empty() {
        return Err(rlp::Error::UnexpectedLength.into());
    }
    if header.number != expected.number {
        return Err(ProofError::OtherNumber {
            expected: expected.number,
            found: header.number,
        });
    }
    Ok(header)
}

/// The block that `header` is of.
pub(crate) fn block_of(header: &Header, hash: B256) -> Result<Block, TimeError> {
    Ok(Block {
        number: header.number,
        hash,
        parent_hash: header.parent_hash,
        timestamp: Timestamp::from_unix_s(header.timestamp)?,
    })
}

impl ProvenBlock {
    /// The block.
    #[must_use]
    pub const fn block(&self) -> Block {
        self.block
    }

    /// Its `logsBloom`.
    #[must_use]
    pub const fn bloom(&self) -> &Bloom {
        &self.bloom
    }

    /// All of its logs, in their order.
    #[must_use]
    pub fn logs(&self) -> &[ProvenLog] {
        &self.logs
    }

    /// What shows the transfer in the log number `log_index`; `None` if that is no `Transfer` of
    /// money (ERC-20), or not there.
    #[must_use]
    pub fn prove(&self, chain_id: ChainId, log_index: u64) -> Option<ProofBundle> {
        let place = usize::try_from(log_index).ok()?;
        let log = self.logs.get(place)?;
        let receipt = self.receipts.get(log.tx_index)?;
        ProofBundle::of(
            chain_id,
            self.block,
            self.header_rlp.clone(),
            log,
            (receipt.clone(), trie::path(&self.receipts, log.tx_index)),
        )
    }
}

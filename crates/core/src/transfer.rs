//! One `Transfer` log of a configured token.

use alloy_primitives::{Address, B256};

use crate::{Amount, BlockNumber, ChainId, FinalityRule, PaymentId, Proof, Timestamp};

/// What makes a transfer itself: its log. A transaction may hold many, so its hash is no identity;
/// mined again in another block it is another transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransferId {
    /// The chain.
    pub chain_id: ChainId,
    /// The block that holds the log.
    pub block_hash: B256,
    /// The log's index within that block.
    pub log_index: u64,
}

/// What the payment receiver said of a transfer that it passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContractPayment {
    /// The contract that said it.
    pub receiver: Address,
    /// Who paid by calling it.
    pub payer: Address,
    /// For what: an order's id, if it is one of ours.
    pub order_ref: B256,
}

/// A `Transfer(from, to, value)` log (ERC-20) of a configured token in a block that a node showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Which log it is.
    pub id: TransferId,
    /// The height of its block.
    pub block_number: BlockNumber,
    /// The timestamp of its block.
    pub block_timestamp: Timestamp,
    /// The transaction that it happened in.
    pub tx_hash: B256,
    /// The token's contract.
    pub token: Address,
    /// Who paid; 0x0 when a bridge or the issuer minted.
    pub from: Address,
    /// Who was paid.
    pub to: Address,
    /// How much arrived, as the log says: after any fee that the token took.
    pub amount: Amount,
    /// What the payment receiver said of it, if it came through one. The payment is still this
    /// transfer, and only this: what the receiver says is no money by itself.
    pub paid_through: Option<ContractPayment>,
}

impl Transfer {
    /// The id under which people see it.
    #[must_use]
    pub fn payment_id(&self) -> PaymentId {
        PaymentId::of(&self.id)
    }
}

/// A transfer as the books hold it: with the deepest it has ever been below its chain's tip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedTransfer {
    /// The transfer.
    pub transfer: Transfer,
    /// The highest tip that was covered above it when it was found confirmed; `None` before that.
    /// It keeps a confirmed payment confirmed while a short reorg above it lowers the tip.
    pub confirmed_at_tip: Option<BlockNumber>,
    /// What shows that its block holds it.
    pub proof: Proof,
    /// When it is confirmed, if an operator gave it to its order: then it counts, whatever it was
    /// paid in and whenever it came.
    pub assigned: Option<FinalityRule>,
}

impl From<Transfer> for RecordedTransfer {
    fn from(transfer: Transfer) -> Self {
        Self {
            transfer,
            confirmed_at_tip: None,
            proof: Proof::None,
            assigned: None,
        }
    }
}

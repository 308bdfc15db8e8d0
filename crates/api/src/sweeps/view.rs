//! A sweep as the API shows it. Pure: records in, JSON types out.

use paywatch_store::Sweep;
use serde::Serialize;
use utoipa::ToSchema;

use crate::state::Shop;
use crate::wire::{address, time};

/// A deposit address that was flushed to its treasury.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Sweep)]
pub(crate) struct SweepView {
    /// Its id, which is that of its transfer: one that is mined again in another block has another.
    #[schema(example = "pay_5f1d7a84db00d2fce00b31a7fc73224f")]
    id: String,
    /// `detected` (it is mined), `completed` (it is as deep as its order's payments have to be), or
    /// `reverted` (it left its chain).
    #[schema(example = "completed")]
    status: &'static str,
    /// The order whose deposit address it was.
    #[schema(example = "ord_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b")]
    order: String,
    /// The chain's id (EIP-155).
    #[schema(example = 137)]
    chain_id: u64,
    /// The chain's name in the configuration.
    #[schema(example = "polygon")]
    chain: String,
    /// The deposit address.
    address: String,
    /// Where the money is now.
    treasury: String,
    /// The token's contract.
    token: String,
    /// How much it was.
    #[schema(example = "100")]
    amount: String,
    /// The transaction, which may hold other sweeps as well.
    tx_hash: String,
    /// The log's index in its block.
    #[schema(example = 0)]
    log_index: u64,
    /// The block's height.
    #[schema(example = 12)]
    block_number: u64,
    /// The block.
    block_hash: String,
    /// The block's time, by its producer's word.
    #[schema(example = "2026-11-23T14:50:10.000Z")]
    block_time: String,
    /// When it was first seen.
    #[schema(example = "2026-11-23T14:50:10.004Z")]
    detected_at: String,
    /// When it was found to have left its chain, if it did.
    reverted_at: Option<String>,
}

impl SweepView {
    pub(super) fn new(sweep: &Sweep, shop: &Shop) -> Self {
        let transfer = &sweep.recorded.transfer;
        let chain_id = transfer.id.chain_id;
        let written = |of| address(chain_id, of);
        Self {
            id: transfer.payment_id().to_string(),
            status: sweep.status().name(),
            order: sweep.order.to_string(),
            chain_id: chain_id.get(),
            chain: shop.name_of(chain_id),
            address: written(transfer.from),
            treasury: written(transfer.to),
            token: written(transfer.token),
            amount: transfer.amount.to_string(),
            tx_hash: transfer.tx_hash.to_string(),
            log_index: transfer.id.log_index,
            block_number: transfer.block_number,
            block_hash: transfer.id.block_hash.to_string(),
            block_time: time(transfer.block_timestamp),
            detected_at: time(sweep.detected_at),
            reverted_at: sweep.reverted_at.map(time),
        }
    }
}

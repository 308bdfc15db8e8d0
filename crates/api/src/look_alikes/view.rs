//! Look-alikes as the API shows them. Pure: records in, JSON types out.

use paywatch_core::ChainId;
use paywatch_store::{LookAlike, LookAlikePlace, LookAlikeSums};
use serde::Serialize;
use utoipa::ToSchema;

use crate::wire::{address, time};

/// What one contract has sent to one of your addresses. It is no money.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = LookAlike)]
pub(crate) struct LookAlikeView {
    /// `look_alike`: it calls itself like a configured token, or so that it looks like it;
    /// `unknown_token`: it does not, says nothing, or was not asked yet.
    #[schema(example = "look_alike")]
    kind: &'static str,
    /// The chain's id.
    #[schema(example = 137)]
    chain_id: u64,
    /// The contract that says that it transferred something.
    contract: String,
    /// The address of yours that it names.
    to: String,
    /// What it calls its symbol, without what cannot be seen, at most 64 characters. A stranger
    /// chose it: show it as text.
    #[schema(example = "USDT")]
    symbol: Option<String>,
    /// What it calls itself, in the same way.
    #[schema(example = "Tether USD")]
    name: Option<String>,
    /// What it says of its decimals.
    #[schema(example = 6)]
    decimals: Option<u8>,
    /// How many transfers there were.
    #[schema(example = 1)]
    transfers: u64,
    /// What the last one says, in the contract's own units.
    #[schema(example = "100000000")]
    last_value: String,
    /// The first transfer.
    first: LookAlikeTransferView,
    /// The last transfer.
    last: LookAlikeTransferView,
}

/// Where a transfer stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = LookAlikeTransfer)]
pub(crate) struct LookAlikeTransferView {
    /// The height of its block.
    #[schema(example = 12)]
    block_number: u64,
    /// The time of that block.
    #[schema(example = "2026-11-23T14:50:10.000Z")]
    block_time: String,
    /// Its transaction.
    tx_hash: String,
}

/// How much came to an order's own addresses from contracts that are no configured token.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct LookAlikeCounts {
    /// All transfers.
    #[schema(example = 1)]
    transfers: u64,
    /// Those of contracts that look like a configured token.
    #[schema(example = 1)]
    of_look_alikes: u64,
}

impl LookAlikeCounts {
    /// What is shown of `sums`: nothing, if nothing came.
    pub(crate) fn of(sums: LookAlikeSums) -> Option<Self> {
        (sums.transfers > 0).then_some(Self {
            transfers: sums.transfers,
            of_look_alikes: sums.look_alikes,
        })
    }
}

impl LookAlikeView {
    pub(super) fn of(record: &LookAlike) -> Self {
        let LookAlike {
            chain_id,
            transfers,
            says,
            ..
        } = record;
        let chain: ChainId = *chain_id;
        Self {
            kind: says.kind.name(),
            chain_id: chain.get(),
            contract: address(chain, transfers.contract),
            to: address(chain, transfers.to),
            symbol: says.symbol.clone(),
            name: says.name.clone(),
            decimals: says.decimals,
            transfers: transfers.count,
            last_value: transfers.value.to_string(),
            first: place(transfers.first),
            last: place(transfers.last),
        }
    }
}

fn place(place: LookAlikePlace) -> LookAlikeTransferView {
    LookAlikeTransferView {
        block_number: place.block,
        block_time: time(place.time),
        tx_hash: place.tx_hash.to_string(),
    }
}

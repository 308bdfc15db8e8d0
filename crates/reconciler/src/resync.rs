//! Sets a chain's cursor back, on an operator's word, to a block that the books and the chain
//! share. What follows is read again.

use std::collections::BTreeMap;
use std::sync::Arc;

use paywatch_core::{B256, BlockNumber, BlockRef, ChainEvent, ChainEventKind, ChainId, Timestamp};
use paywatch_indexer::{ChainSource, ChainUpdate, Header, SourceError};
use paywatch_store::{Store, StoreError};

use crate::address_book::AddressBook;
use crate::reconciler::{By, ReconcileError, Reconciler, Shown};

/// How many headers are compared at once.
const AT_ONCE: usize = 100;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resynced {
    /// Where the cursor stood.
    pub from: BlockRef,
    /// Where it stands now.
    pub to: BlockRef,
    /// How many orders changed by it, because payments of theirs are not on the chain.
    pub orders_changed: usize,
}

/// Why the cursor was not set back. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ResyncError {
    /// There is nothing to set back.
    #[error("chain {0} was never followed, so there is nothing to set back")]
    NeverFollowed(ChainId),
    /// Resyncing goes back, not ahead.
    #[error(
        "block {to} lies above block {tip}, up to which the chain is covered; choose a lower one"
    )]
    Ahead {
        /// The block that was asked for.
        to: BlockNumber,
        /// The cursor.
        tip: BlockNumber,
    },
    /// The nodes could not be asked.
    #[error("the endpoints could not be asked")]
    Source(#[from] SourceError),
    /// There is no such block.
    #[error("the endpoints have no block {0}")]
    NoBlock(BlockNumber),
    /// It could not be committed.
    #[error("the cursor could not be set back")]
    Reconcile(#[from] ReconcileError),
    /// The database failed.
    #[error("the database could not be read")]
    Store(#[from] StoreError),
}

/// Sets the cursor of `chain_id` back to block `to`, or else to the highest block that the books
/// share with `source` for certain.
///
/// # Errors
/// [`ResyncError`]; in every case nothing was written.
pub async fn resync(
    store: &Store,
    source: &dyn ChainSource,
    chain_id: ChainId,
    to: Option<BlockNumber>,
    at: Timestamp,
) -> Result<Resynced, ResyncError> {
    let chains = store.chains().await?;
    let stored = chains
        .into_iter()
        .find(|chain| chain.heads.chain_id == chain_id)
        .ok_or(ResyncError::NeverFollowed(chain_id))?;
    let from = stored.heads.tip.to_ref();
    if let Some(to) = to
        && to > from.number
    {
        return Err(ResyncError::Ahead {
            to,
            tip: from.number,
        });
    }
    let target = match to {
        Some(number) => number,
        None => highest_shared(store, source, chain_id, from.number)
            .await?
            .unwrap_or_else(|| stored.started_at.saturating_sub(1)),
    };
    let tip = header(source, target).await?.block;
    source.agreed(tip.to_ref()).await?;
    let mut update = ChainUpdate::standing(chain_id, tip, stored.node_head);
    update.previous = Some(from);
    update.retract_above = Some(tip.to_ref());
    let event = ChainEvent {
        chain_id,
        kind: ChainEventKind::Resynced,
        detail: format!(
            "an operator set the cursor back from block {} ({}) to block {} ({})",
            from.number, from.hash, tip.number, tip.hash
        ),
    };
    let shown = Shown {
        events: vec![event],
        ..Shown::default()
    };
    let addresses = Arc::new(AddressBook::new(store.clone()));
    // The blocks that are kept are those that stand; more will follow.
    let mut reconciler = Reconciler::new(store.clone(), addresses, u32::MAX);
    let applied = reconciler
        .apply_shown(&update, shown, By::Operator, at)
        .await?;
    Ok(Resynced {
        from,
        to: tip.to_ref(),
        orders_changed: applied.changes.len(),
    })
}

/// The highest block of which the books know a hash that the chain has, too: what lies below it
/// is shared, because each header names its parent.
async fn highest_shared(
    store: &Store,
    source: &dyn ChainSource,
    chain_id: ChainId,
    tip: BlockNumber,
) -> Result<Option<BlockNumber>, ResyncError> {
    let mut known: BTreeMap<BlockNumber, B256> = BTreeMap::new();
    for payment in store.payments_between(chain_id, 0, tip).await? {
        let transfer = payment.recorded.transfer;
        known.insert(transfer.block_number, transfer.id.block_hash);
    }
    for block in store.recent_blocks(chain_id).await? {
        known.insert(block.number, block.hash);
    }
    let descending: Vec<(BlockNumber, B256)> = known.into_iter().rev().collect();
    for part in descending.chunks(AT_ONCE) {
        let numbers: Vec<_> = part.iter().map(|(number, _)| *number).collect();
        let headers = source.headers(&numbers).await?;
        let shared = part.iter().zip(headers).find(|((_, hash), header)| {
            header
                .as_ref()
                .is_some_and(|header| header.block.hash == *hash)
        });
        if let Some(((number, _), _)) = shared {
            return Ok(Some(*number));
        }
    }
    Ok(None)
}

async fn header(source: &dyn ChainSource, number: BlockNumber) -> Result<Header, ResyncError> {
    let headers = source.headers(&[number]).await?;
    let header = headers.into_iter().next().flatten();
    header.ok_or(ResyncError::NoBlock(number))
}

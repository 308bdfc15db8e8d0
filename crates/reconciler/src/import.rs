//! Brings payments into the books that lie below the first covered block, on an operator's word.

use std::collections::BTreeSet;
use std::sync::Arc;

use paywatch_core::{
    Block, BlockNumber, BlockRef, ChainId, FinalityRule, PaymentId, Proof, RecordedTransfer,
    Timestamp, Transfer,
};
use paywatch_indexer::{
    ChainSource, ChainUpdate, CoveredBlock, FollowSettings, NotThere, Reread, RereadError,
    SourceError, TxReceipt,
};
use paywatch_store::{ChainRecord, Imported, NewDecision, PaymentProof, StoreError};

use crate::prove::{proven, transfers_in};
use crate::reconciler::{Applied, By, ReconcileError, Reconciler, Shown};

/// How often it is tried again because the chain moved on meanwhile.
const ATTEMPTS: u32 = 64;

/// What is to be imported.
#[derive(Clone, Debug)]
pub struct ImportRequest {
    /// The transaction, as the chain tells it now.
    pub receipt: TxReceipt,
    /// How the chain is read.
    pub follow: FollowSettings,
    /// When a payment is final.
    pub rule: FinalityRule,
}

/// What was imported.
#[derive(Debug)]
pub struct ImportOutcome {
    /// The payments that are in the books since.
    pub imported: Vec<PaymentId>,
    /// Those that were there before.
    pub known: Vec<PaymentId>,
    /// What followed from it, if anything was imported.
    pub applied: Option<Applied>,
}

/// Why nothing was imported. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// There are no books of the chain.
    #[error("chain {0} was never followed: start the daemon first, so that it has a covered range")]
    NeverFollowed(ChainId),
    /// It moved nothing.
    #[error("the transaction failed, so it moved nothing")]
    Failed,
    /// The daemon's own work.
    #[error(
        "block {block} is not below block {started_at}, the first that is covered: what lies there \
         is read without an import; if a payment is missing, use `paywatch chain resync`"
    )]
    Covered {
        /// The transaction's block.
        block: BlockNumber,
        /// The first covered block.
        started_at: BlockNumber,
    },
    /// The chain may still take it back.
    #[error(
        "block {block} is not final yet by the chain's rule (covered up to {tip}, finalized {}); \
         try again later", finalized.map_or_else(|| "unknown".to_owned(), |number| number.to_string())
    )]
    NotFinal {
        /// The transaction's block.
        block: BlockNumber,
        /// Up to where the chain is covered.
        tip: BlockNumber,
        /// The finalized block.
        finalized: Option<BlockNumber>,
    },
    /// Nothing in it is for the merchant.
    #[error("no transfer of a configured token in it is to an address of yours")]
    NotOurs,
    /// The chain is too fast.
    #[error("the chain moved on each time; try again")]
    MovedOn,
    /// The nodes could not be asked, or do not show it.
    #[error("the endpoints do not show the block")]
    Source(#[from] SourceError),
    /// The nodes do not serve the block's logs.
    #[error("the logs of the block could not be read")]
    Reread(#[from] RereadError),
    /// It could not be committed.
    #[error("the payment could not be written")]
    Reconcile(#[from] ReconcileError),
    /// The database failed.
    #[error("the database could not be read")]
    Store(#[from] StoreError),
}

/// What a block was shown to hold of one transaction.
struct Found {
    block: Block,
    transfers: Vec<Transfer>,
    proofs: Vec<PaymentProof>,
}

impl Reconciler {
    /// Brings the payments of a transaction into the books that are to addresses of the merchant's.
    /// Its block must lie below the first covered one, which stays where it is. `decide` makes
    /// the decision that is written down for each.
    ///
    /// # Errors
    /// [`ImportError`]; in every case nothing was written.
    pub async fn import(
        &mut self,
        source: Arc<dyn ChainSource>,
        request: &ImportRequest,
        decide: impl Fn(&Transfer) -> NewDecision,
        at: Timestamp,
    ) -> Result<ImportOutcome, ImportError> {
        let block = request.receipt.block;
        if !request.receipt.succeeded {
            return Err(ImportError::Failed);
        }
        let chain = self.importable(request).await?;
        let mut found = self.found_below(source, request).await?;
        found
            .transfers
            .retain(|transfer| transfer.id.block_hash == block.hash && !transfer.amount.is_zero());
        if found.transfers.is_empty() {
            return Err(ImportError::NotOurs);
        }
        for transfer in &found.transfers {
            let recorded = RecordedTransfer {
                proof: request.rule.proof(),
                ..RecordedTransfer::from(transfer.clone())
            };
            if request.rule.confirm(&recorded, &chain.heads).is_none() {
                return Err(ImportError::NotFinal {
                    block: block.number,
                    tip: chain.heads.tip.number,
                    finalized: chain.heads.finalized,
                });
            }
        }
        for _ in 0..ATTEMPTS {
            let (known, new) = self.split(&found.transfers).await?;
            if new.is_empty() {
                return Ok(ImportOutcome {
                    imported: Vec::new(),
                    known,
                    applied: None,
                });
            }
            let chain = self.importable(request).await?;
            let imported = new.iter().map(Transfer::payment_id).collect();
            match self.commit_import(&chain, (&found, new), &decide, at).await {
                Ok(applied) => {
                    return Ok(ImportOutcome {
                        imported,
                        known,
                        applied: Some(applied),
                    });
                },
                Err(
                    ReconcileError::CursorMoved { .. }
                    | ReconcileError::Store(StoreError::Stale { .. }),
                ) => {},
                Err(error) => return Err(error.into()),
            }
        }
        Err(ImportError::MovedOn)
    }

    /// The chain as the books have it, if the block lies below what they cover.
    async fn importable(&self, request: &ImportRequest) -> Result<ChainRecord, ImportError> {
        let chain_id = request.follow.chain_id;
        let chains = self.store.chains().await?;
        let mut chains = chains.into_iter();
        let chain = chains
            .find(|chain| chain.heads.chain_id == chain_id)
            .ok_or(ImportError::NeverFollowed(chain_id))?;
        let block = request.receipt.block.number;
        if block >= chain.started_at {
            return Err(ImportError::Covered {
                block,
                started_at: chain.started_at,
            });
        }
        Ok(chain)
    }

    /// The transfers of the transaction to the merchant's addresses, as far as its block is shown to
    /// hold them.
    async fn found_below(
        &self,
        source: Arc<dyn ChainSource>,
        request: &ImportRequest,
    ) -> Result<Found, ImportError> {
        let block = request.receipt.block;
        let ours = self.addresses.read_on().await?;
        let is_wanted = |transfer: &Transfer| {
            let mut logs = request.receipt.logs.iter();
            logs.any(|log| log.log_index == transfer.id.log_index)
                && ours.read().contains(&transfer.to)
        };
        if request.rule.proof() == Proof::ReceiptsRoot {
            let proven = proven(source.as_ref(), block).await?;
            let filter = self.filter().await?.to_anybody();
            let chain_id = request.follow.chain_id;
            let transfers = transfers_in(&proven, &filter, &self.contracts.tokens);
            let transfers: Vec<_> = transfers.into_values().filter(is_wanted).collect();
            let proofs = transfers.iter().filter_map(|transfer| {
                let bundle = proven.prove(chain_id, transfer.id.log_index)?;
                Some(PaymentProof {
                    transfer: transfer.id,
                    bundle: bundle.to_json(),
                })
            });
            return Ok(Found {
                block: proven.block(),
                proofs: proofs.collect(),
                transfers,
            });
        }
        source.agreed(block).await?;
        let header = header(source.as_ref(), block).await?;
        let (follow, number) = (&request.follow, block.number);
        let mut reread =
            Reread::begin(source, self.addresses.as_ref(), follow, number, number).await?;
        let mut transfers = Vec::new();
        while let Some(part) = reread.next().await? {
            transfers.extend(part.transfers);
        }
        transfers.retain(is_wanted);
        Ok(Found {
            block: header,
            transfers,
            proofs: Vec::new(),
        })
    }

    /// Which of them are in the books, and which are not.
    async fn split(
        &self,
        transfers: &[Transfer],
    ) -> Result<(Vec<PaymentId>, Vec<Transfer>), StoreError> {
        let (mut known, mut new) = (Vec::new(), Vec::new());
        for transfer in transfers {
            let id = transfer.payment_id();
            let booked = self.store.payment(&id).await?;
            if booked.is_some_and(|booked| booked.reverted_at.is_none()) {
                known.push(id);
            } else {
                new.push(transfer.clone());
            }
        }
        Ok((known, new))
    }

    async fn commit_import(
        &mut self,
        chain: &ChainRecord,
        (found, new): (&Found, Vec<Transfer>),
        decide: impl Fn(&Transfer) -> NewDecision,
        at: Timestamp,
    ) -> Result<Applied, ReconcileError> {
        let ids: BTreeSet<_> = new.iter().map(|transfer| transfer.id).collect();
        let proofs = found.proofs.iter();
        let shown = Shown {
            proofs: proofs
                .filter(|proof| ids.contains(&proof.transfer))
                .cloned()
                .collect(),
            imports: new
                .iter()
                .map(|transfer| Imported {
                    payment: transfer.payment_id(),
                    // Set once it is known.
                    order: None,
                    decision: decide(transfer),
                })
                .collect(),
            ..Shown::default()
        };
        let heads = chain.heads;
        let mut update = ChainUpdate::standing(heads.chain_id, heads.tip, chain.node_head);
        update.blocks = vec![CoveredBlock {
            block: found.block,
            transfers: new,
            notices: Vec::new(),
        }];
        self.apply_shown(&update, shown, By::Chain, at).await
    }
}

async fn header(source: &dyn ChainSource, block: BlockRef) -> Result<Block, SourceError> {
    let number = block.number;
    let headers = source.headers(&[number]).await?;
    let header = headers.into_iter().next().flatten();
    let header = header.filter(|header| header.block.hash == block.hash);
    Ok(header.ok_or(NotThere { number })?.block)
}

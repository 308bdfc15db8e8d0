//! Shows of payments that their blocks hold them, before they may count as confirmed.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt};
use paywatch_core::{
    Amount, Block, BlockNumber, BlockRef, ChainEvent, ChainEventKind, ChainId, ContractPayment,
    Timestamp, Token, Transfer, TransferId,
};
use paywatch_indexer::{
    ChainSource, ChainUpdate, CoveredBlock, LogAnswer, LogFilter, LogPlace, SourceError, Wanted,
    pair,
};
use paywatch_proof::ProvenBlock;
use paywatch_store::{PaymentProof, StoreError};

use crate::reconciler::{Applied, By, ReconcileError, Reconciler, Shown};

/// How many blocks are proved at the same time.
const AT_ONCE: usize = 4;
/// How many blocks are proved in one commit.
const IN_ONE_COMMIT: usize = 32;
/// A block that could not be proved is tried again after at most so many rounds.
const LONGEST_BREAK: u64 = 64;

/// The blocks with payments of which nothing is shown yet.
#[derive(Debug, Default)]
pub(crate) struct Unproved {
    /// By height and hash; with how often it failed, and the round from which on it is due.
    blocks: BTreeMap<(BlockNumber, paywatch_core::B256), (u32, u64)>,
    round: u64,
    is_loaded: bool,
}

impl Unproved {
    /// Takes note of what an update brought and took away.
    pub(crate) fn applied<'a>(
        &mut self,
        update: &ChainUpdate,
        transfers: impl Iterator<Item = &'a Transfer>,
    ) {
        if let Some(common) = update.retract_above {
            self.blocks
                .retain(|(number, _), _| *number <= common.number);
        }
        for transfer in transfers {
            let block = (transfer.block_number, transfer.id.block_hash);
            self.blocks.entry(block).or_insert((0, self.round));
        }
    }

    fn due(&mut self) -> Vec<BlockRef> {
        self.round = self.round.saturating_add(1);
        let due = self
            .blocks
            .iter()
            .filter(|(_, (_, from))| *from <= self.round);
        due.take(IN_ONE_COMMIT)
            .map(|((number, hash), _)| BlockRef {
                number: *number,
                hash: *hash,
            })
            .collect()
    }

    fn failed(&mut self, block: BlockRef) {
        let round = self.round;
        if let Some((failures, from)) = self.blocks.get_mut(&(block.number, block.hash)) {
            let pause = 1_u64
                .checked_shl(*failures)
                .unwrap_or(LONGEST_BREAK)
                .min(LONGEST_BREAK);
            *failures = failures.saturating_add(1);
            *from = round.saturating_add(pause);
        }
    }
}

/// What proving came to.
#[derive(Debug)]
pub struct Proved {
    /// What it did to the orders, if anything was proved.
    pub applied: Option<Applied>,
    /// How many blocks still are to be proved.
    pub left: usize,
    /// Why the last of them could not be.
    pub trouble: Option<SourceError>,
}

impl Reconciler {
    /// Proves blocks that hold payments, and commits what follows from it: payments that their
    /// blocks hold are marked, those that they do not hold are struck and told of, and those that
    /// nobody had told of are added.
    ///
    /// # Errors
    /// As [`Self::apply`]. A node that does not give what it takes is no error: it is asked again
    /// the next time.
    pub async fn prove(
        &mut self,
        source: &dyn ChainSource,
        at: Timestamp,
    ) -> Result<Proved, ReconcileError> {
        let tokens = &self.contracts.tokens;
        let Some(chain_id) = tokens.first().map(|token| token.chain_id) else {
            return Ok(self.proved(None, None));
        };
        self.load_unproved(chain_id).await?;
        let due = self.unproved.due();
        if due.is_empty() {
            return Ok(self.proved(None, None));
        }
        let questions = due.into_iter().map(|block| async move {
            let outcome = proven(source, block).await;
            (block, outcome)
        });
        let outcomes: Vec<_> = stream::iter(questions).buffered(AT_ONCE).collect().await;
        let mut trouble = None;
        let mut proven = Vec::new();
        for (block, outcome) in outcomes {
            match outcome {
                Ok(block) => proven.push(block),
                Err(error) => {
                    self.unproved.failed(block);
                    trouble = Some(error);
                },
            }
        }
        if proven.is_empty() {
            return Ok(self.proved(None, trouble));
        }
        let applied = self.commit_proven(chain_id, &proven, at).await?;
        for proven in &proven {
            let block = proven.block();
            self.unproved.blocks.remove(&(block.number, block.hash));
        }
        Ok(self.proved(applied, trouble))
    }

    fn proved(&self, applied: Option<Applied>, trouble: Option<SourceError>) -> Proved {
        Proved {
            applied,
            left: self.unproved.blocks.len(),
            trouble,
        }
    }

    async fn load_unproved(&mut self, chain_id: ChainId) -> Result<(), StoreError> {
        if self.unproved.is_loaded {
            return Ok(());
        }
        let round = self.unproved.round;
        for block in self.store.unproved_blocks(chain_id).await? {
            let key = (block.number, block.hash);
            self.unproved.blocks.entry(key).or_insert((0, round));
        }
        self.unproved.is_loaded = true;
        Ok(())
    }

    async fn commit_proven(
        &mut self,
        chain_id: ChainId,
        proven: &[ProvenBlock],
        at: Timestamp,
    ) -> Result<Option<Applied>, ReconcileError> {
        let chains = self.store.chains().await?;
        let Some(stored) = chains
            .into_iter()
            .find(|chain| chain.heads.chain_id == chain_id)
        else {
            return Ok(None);
        };
        let mut shown = Shown::default();
        let mut blocks = Vec::new();
        for block in proven {
            let found = self.compare(chain_id, block, &mut shown).await?;
            if !found.transfers.is_empty() {
                blocks.push(found);
            }
        }
        let mut update = ChainUpdate::standing(chain_id, stored.heads.tip, stored.node_head);
        update.blocks = blocks;
        Ok(Some(self.apply_shown(&update, shown, By::Chain, at).await?))
    }

    /// What of a block's logs matters.
    pub(crate) async fn filter(&self) -> Result<LogFilter, StoreError> {
        Ok(LogFilter {
            tokens: self.contracts.tokens.iter().map(|t| t.address).collect(),
            receivers: self.contracts.receivers.clone(),
            recipients: Some(self.addresses.read_on().await?),
            senders: self.addresses.own(),
            by_node: false,
        })
    }

    /// Compares the books with what `proven` holds. Returns the transfers that the books lack.
    async fn compare(
        &self,
        chain_id: ChainId,
        proven: &ProvenBlock,
        shown: &mut Shown,
    ) -> Result<CoveredBlock, StoreError> {
        let block = proven.block();
        let filter = self.filter().await?;
        // Everything, so that what is booked of addresses that are not watched any more stands.
        let on_chain = transfers_in(proven, &filter.to_anybody(), &self.contracts.tokens);
        let mut missing = on_chain.clone();
        {
            let wanted = Wanted::by(&filter);
            missing.retain(|_, it| wanted.is_paid(&it.to) || wanted.is_sent(&it.from));
        }
        let number = block.number;
        let booked = self
            .store
            .payments_between(chain_id, number, number)
            .await?;
        let mut struck = BTreeSet::new();
        for payment in booked {
            let ours = payment.recorded.transfer;
            if ours.id.block_hash != block.hash {
                continue;
            }
            match on_chain.get(&ours.id) {
                Some(theirs) if is_same(&ours, theirs) => {
                    missing.remove(&ours.id);
                    if let Some(bundle) = proven.prove(chain_id, ours.id.log_index) {
                        shown.proofs.push(PaymentProof {
                            transfer: ours.id,
                            bundle: bundle.to_json(),
                        });
                    }
                },
                // What it really holds under that log, if anything, is added below.
                Some(_) | None => {
                    struck.insert(ours.payment_id().to_string());
                    shown.disproved.push(ours.id);
                },
            }
        }
        shown
            .events
            .extend(differences(&block, chain_id, &struck, missing.len()));
        for transfer in missing.values() {
            if let Some(bundle) = proven.prove(chain_id, transfer.id.log_index) {
                shown.proofs.push(PaymentProof {
                    transfer: transfer.id,
                    bundle: bundle.to_json(),
                });
            }
        }
        Ok(CoveredBlock {
            block,
            transfers: missing.into_values().collect(),
            // Told when the block was covered.
            notices: Vec::new(),
        })
    }
}

/// What is told of a block whose payments an endpoint had told wrongly.
fn differences(
    block: &Block,
    chain_id: ChainId,
    struck: &BTreeSet<String>,
    added: usize,
) -> Vec<ChainEvent> {
    let Block { number, hash, .. } = block;
    let mut events = Vec::new();
    if !struck.is_empty() {
        let struck: Vec<_> = struck.iter().map(String::as_str).collect();
        events.push(disagreement(
            chain_id,
            format!(
                "block {number} ({hash}) does not hold what an endpoint told of it; struck: {}",
                struck.join(", ")
            ),
        ));
    }
    if added > 0 {
        events.push(disagreement(
            chain_id,
            format!(
                "{added} payments of block {number} ({hash}) had not been told as they are; they were added"
            ),
        ));
    }
    events
}

fn disagreement(chain_id: ChainId, detail: String) -> ChainEvent {
    ChainEvent {
        chain_id,
        kind: ChainEventKind::Disagreement,
        detail,
    }
}

/// `block`, once enough endpoints have it and its receipts are shown to be its own.
pub(crate) async fn proven(
    source: &dyn ChainSource,
    block: BlockRef,
) -> Result<ProvenBlock, SourceError> {
    source.agreed(block).await?;
    let evidence = source.evidence(block).await?;
    evidence
        .verify(block)
        .map_err(|cause| SourceError::Unprovable {
            number: block.number,
            cause: Box::new(cause),
        })
}

/// Whether the books say of a transfer what its block does. The transaction's hash is not in the
/// receipts.
fn is_same(ours: &Transfer, theirs: &Transfer) -> bool {
    ours.block_number == theirs.block_number
        && ours.block_timestamp == theirs.block_timestamp
        && ours.token == theirs.token
        && ours.from == theirs.from
        && ours.to == theirs.to
        && ours.amount == theirs.amount
        && ours.paid_through == theirs.paid_through
}

/// The transfers of `tokens` in `proven` that `filter` wants, with what receivers said of them. Which
/// logs are of one transaction is shown by the receipts; the transaction's hash is not.
pub(crate) fn transfers_in(
    proven: &ProvenBlock,
    filter: &LogFilter,
    tokens: &[Token],
) -> BTreeMap<TransferId, Transfer> {
    let block = proven.block();
    let wanted = Wanted::by(filter);
    let mut answer = LogAnswer::default();
    let mut transactions = BTreeMap::new();
    for proven in proven.logs() {
        let contract = proven.log.address;
        // What is no transfer cannot be in the books.
        let said = wanted.read(contract, proven.log.topics(), &proven.log.data.data);
        let Ok(Some(said)) = said else {
            continue;
        };
        transactions.insert(proven.log_index, proven.tx_index);
        let place = LogPlace {
            block_number: block.number,
            block_hash: block.hash,
            tx_hash: proven.tx_hash,
            log_index: proven.log_index,
        };
        answer.add(place, contract, said);
    }
    let pairing = pair(&answer.transfers, &answer.paid, |transfer, paid| {
        transactions.get(&transfer.log_index) == transactions.get(&paid.place.log_index)
    });
    let mut transfers = BTreeMap::new();
    for log in &answer.transfers {
        let mut known = tokens.iter();
        let Some(token) = known.find(|token| token.address == log.token) else {
            continue;
        };
        // Nor is what has no possible amount.
        let Ok(amount) = Amount::from_base_units(log.value, token.decimals) else {
            continue;
        };
        let id = TransferId {
            chain_id: token.chain_id,
            block_hash: block.hash,
            log_index: log.log_index,
        };
        let paid = pairing.of.get(&log.log_index);
        transfers.insert(
            id,
            Transfer {
                id,
                block_number: block.number,
                block_timestamp: block.timestamp,
                tx_hash: log.tx_hash,
                token: log.token,
                from: log.from,
                to: log.to,
                amount,
                paid_through: paid.map(|paid| ContractPayment::from(*paid)),
            },
        );
    }
    transfers
}

//! Joins the logs of a block with its header: transfers with what receivers said of them, and what
//! tokens said of their levers. What does not fit together is refused.

use std::collections::{BTreeMap, BTreeSet};

use paywatch_core::{
    Amount, Block, BlockNumber, BlockRef, ContractPayment, TokenNotice, Transfer, TransferId,
};

use crate::follower::cover::Coverer;
use crate::follower::error::{FollowError, Halt};
use crate::{
    Contradiction, CoveredBlock, LogAnswer, LogPlace, LogQuery, NoticeLog, PaidLog, TransferLog,
    pair, same_transaction,
};

/// Wanted logs, by the heights of their blocks.
pub(super) type ByBlock = BTreeMap<BlockNumber, LogAnswer>;

/// The logs in an answer to `query`, all of which it must have asked for.
pub(super) fn by_block(query: &LogQuery, answer: LogAnswer) -> Result<ByBlock, Halt> {
    let is_asked = |place: &LogPlace| match query {
        LogQuery::Block(header) => place.block_number == header.block.number,
        LogQuery::Range { from, to } => (*from..=*to).contains(&place.block_number),
    };
    if let Some(foreign) = answer.places().find(|place| !is_asked(place)) {
        return Err(Contradiction::ForeignLog {
            asked: query.to_string(),
            number: foreign.block_number,
            hash: foreign.block_hash,
        }
        .into());
    }
    let mut by_block = ByBlock::new();
    for log in answer.transfers {
        let block = by_block.entry(log.block_number).or_default();
        block.transfers.push(log);
    }
    for log in answer.paid {
        let block = by_block.entry(log.place.block_number).or_default();
        block.paid.push(log);
    }
    for log in answer.notices {
        let block = by_block.entry(log.place.block_number).or_default();
        block.notices.push(log);
    }
    Ok(by_block)
}

/// Whether `logs` are of `block`, and not of another one at its height.
pub(super) fn check_block(block: &Block, logs: &LogAnswer) -> Result<(), Contradiction> {
    let is_foreign =
        |place: &LogPlace| place.block_hash != block.hash || place.block_number != block.number;
    match logs.places().find(is_foreign) {
        Some(foreign) => Err(Contradiction::Changed {
            number: foreign.block_number,
            before: foreign.block_hash,
            after: block.hash,
        }),
        None => Ok(()),
    }
}

impl Coverer {
    /// `block`, with all that `logs` say of it.
    pub(super) fn join(&self, block: Block, mut logs: LogAnswer) -> Result<CoveredBlock, Halt> {
        logs.sort();
        check_block(&block, &logs)?;
        let mut known = BTreeSet::new();
        for place in logs.places() {
            if !known.insert(place.log_index) {
                return Err(Contradiction::RepeatedLog {
                    number: block.number,
                    log_index: place.log_index,
                }
                .into());
            }
        }
        let pairing = pair(&logs.transfers, &logs.paid, same_transaction);
        for paid in &pairing.without {
            self.drop_paid(paid);
        }
        let transfers = logs
            .transfers
            .iter()
            .map(|log| self.transfer(&block, log, pairing.of.get(&log.log_index).copied()))
            .collect::<Result<_, _>>()?;
        let notices = logs.notices.into_iter();
        Ok(CoveredBlock {
            block,
            transfers,
            notices: notices
                .map(|log| self.notice(block.to_ref(), log))
                .collect(),
        })
    }

    /// What a receiver said of no transfer is no money.
    fn drop_paid(&self, paid: &PaidLog) {
        let token = paid.said.token;
        let is_known = self.tokens.iter().any(|known| known.address == token);
        tracing::warn!(
            chain.id = %self.chain_id,
            receiver = %paid.receiver,
            token = %token,
            transaction = %paid.place.tx_hash,
            log.index = paid.place.log_index,
            "a payment through the receiver is left out: {}",
            if is_known {
                "no transfer in its transaction is as it says"
            } else {
                "its token is not configured"
            }
        );
    }

    fn transfer(
        &self,
        block: &Block,
        log: &TransferLog,
        paid: Option<&PaidLog>,
    ) -> Result<Transfer, Halt> {
        let known = self.tokens.iter().find(|token| token.address == log.token);
        let token = known.ok_or(Contradiction::ForeignToken {
            token: log.token,
            tx_hash: log.tx_hash,
        })?;
        let amount = Amount::from_base_units(log.value, token.decimals).map_err(|source| {
            Halt::stop(FollowError::ImpossibleAmount {
                chain_id: self.chain_id,
                symbol: token.symbol.clone(),
                token: token.address,
                tx_hash: log.tx_hash,
                source,
            })
        })?;
        Ok(Transfer {
            id: TransferId {
                chain_id: self.chain_id,
                block_hash: log.block_hash,
                log_index: log.log_index,
            },
            block_number: log.block_number,
            block_timestamp: block.timestamp,
            tx_hash: log.tx_hash,
            token: log.token,
            from: log.from,
            to: log.to,
            amount,
            paid_through: paid.map(ContractPayment::from),
        })
    }

    fn notice(&self, block: BlockRef, log: NoticeLog) -> TokenNotice {
        TokenNotice {
            chain_id: self.chain_id,
            token: log.token,
            block,
            tx_hash: log.place.tx_hash,
            log_index: log.place.log_index,
            kind: log.kind,
        }
    }
}

impl From<&PaidLog> for ContractPayment {
    fn from(log: &PaidLog) -> Self {
        Self {
            receiver: log.receiver,
            payer: log.said.payer,
            order_ref: log.said.order_ref,
        }
    }
}

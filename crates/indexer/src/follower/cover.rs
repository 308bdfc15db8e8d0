//! Puts logs and headers together into covered blocks, and refuses what does not fit together.

use std::collections::BTreeMap;

use alloy_primitives::Address;
use futures::{StreamExt, TryStreamExt, stream};
use paywatch_core::{Amount, Block, BlockNumber, Transfer, TransferId};

use crate::follower::Halt;
use crate::follower::read::Reader;
use crate::{Contradiction, CoveredBlock, FollowError, LogQuery, TransferLog};

/// How many blocks' logs are asked for at the same time.
const AT_ONCE: usize = 8;

impl Reader<'_> {
    /// Asks for each block's logs by its hash.
    pub(super) async fn cover_each(&self, headers: &[Block]) -> Result<Vec<CoveredBlock>, Halt> {
        let tokens = self.token_addresses();
        let questions: Vec<_> = headers
            .iter()
            .map(|header| self.cover_one(*header, &tokens))
            .collect();
        stream::iter(questions)
            .buffered(AT_ONCE)
            .try_collect()
            .await
    }

    async fn cover_one(&self, header: Block, tokens: &[Address]) -> Result<CoveredBlock, Halt> {
        let query = LogQuery::Block(header.to_ref());
        let logs = self.logs(query, tokens).await?;
        self.join(header, logs)
    }

    /// Asks for the logs of all blocks from `from` to `to` at once, then for the headers of those
    /// that hold any, and of the last. Also returns that last one.
    pub(super) async fn cover_range(
        &self,
        from: BlockNumber,
        to: BlockNumber,
    ) -> Result<(Vec<CoveredBlock>, Block), Halt> {
        let query = LogQuery::Range { from, to };
        let logs = self.logs(query, &self.token_addresses()).await?;
        let mut by_block: BTreeMap<BlockNumber, Vec<TransferLog>> = BTreeMap::new();
        by_block.insert(to, Vec::new());
        for log in logs {
            if log.block_number < from || log.block_number > to {
                return Err(foreign(query, &log).into());
            }
            by_block.entry(log.block_number).or_default().push(log);
        }
        let numbers: Vec<_> = by_block.keys().copied().collect();
        let headers = self.headers(&numbers).await?;
        let last = *headers.last().ok_or(Contradiction::OtherCount {
            asked: numbers.len(),
            answered: 0,
        })?;
        let blocks = headers
            .into_iter()
            .zip(by_block.into_values())
            .map(|(header, logs)| self.join(header, logs))
            .collect::<Result<_, _>>()?;
        Ok((blocks, last))
    }

    /// No tokens, no question: an empty list of addresses would mean every contract.
    async fn logs(&self, query: LogQuery, tokens: &[Address]) -> Result<Vec<TransferLog>, Halt> {
        if tokens.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.source.transfer_logs(query, tokens).await?)
    }

    fn token_addresses(&self) -> Vec<Address> {
        self.settings
            .tokens
            .iter()
            .map(|token| token.address)
            .collect()
    }

    fn join(&self, header: Block, mut logs: Vec<TransferLog>) -> Result<CoveredBlock, Halt> {
        logs.sort_by_key(|log| log.log_index);
        let repeated = logs
            .iter()
            .zip(logs.iter().skip(1))
            .find(|(one, next)| one.log_index == next.log_index);
        if let Some((log, _)) = repeated {
            return Err(Contradiction::RepeatedLog {
                number: header.number,
                log_index: log.log_index,
            }
            .into());
        }
        let transfers = logs
            .iter()
            .map(|log| self.transfer(&header, log))
            .collect::<Result<_, _>>()?;
        Ok(CoveredBlock {
            block: header,
            transfers,
        })
    }

    fn transfer(&self, header: &Block, log: &TransferLog) -> Result<Transfer, Halt> {
        if log.block_hash != header.hash || log.block_number != header.number {
            return Err(foreign(LogQuery::Block(header.to_ref()), log).into());
        }
        let known = self
            .settings
            .tokens
            .iter()
            .find(|token| token.address == log.token);
        let token = known.ok_or(Contradiction::ForeignToken {
            token: log.token,
            tx_hash: log.tx_hash,
        })?;
        let amount = Amount::from_base_units(log.value, token.decimals).map_err(|source| {
            Halt::Stop(FollowError::ImpossibleAmount {
                chain_id: self.settings.chain_id,
                symbol: token.symbol.clone(),
                token: token.address,
                tx_hash: log.tx_hash,
                source,
            })
        })?;
        Ok(Transfer {
            id: TransferId {
                chain_id: self.settings.chain_id,
                block_hash: log.block_hash,
                log_index: log.log_index,
            },
            block_number: log.block_number,
            block_timestamp: header.timestamp,
            tx_hash: log.tx_hash,
            token: log.token,
            from: log.from,
            to: log.to,
            amount,
        })
    }
}

const fn foreign(asked: LogQuery, log: &TransferLog) -> Contradiction {
    Contradiction::ForeignLog {
        asked,
        number: log.block_number,
        hash: log.block_hash,
    }
}

//! Logs from several endpoints: within each one's limits, compared, and settled by the block's own
//! receipts where they differ or are too good to be true.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::future::BoxFuture;
use paywatch_core::{BlockNumber, BlockRef, ChainEventKind, Proof};

use crate::pool::compare::{differences, may_hold, read_proven};
use crate::pool::member::Member;
use crate::pool::{LIE_REST, Pool, UNSUPPORTED};
use crate::{ChainSource, Contradiction, Header, LogAnswer, LogFilter, LogQuery, SourceError};

/// An answer without a single log is doubted where so many were to be expected.
const EXPECTED: u64 = 50;
/// How long an endpoint that left out logs, or made some up, is passed over.
const WRONG_REST: Duration = Duration::from_secs(60);

impl Pool {
    /// The logs of one block, by as many endpoints as must agree.
    pub(super) async fn logs_of_block(
        &self,
        header: &Header,
        filter: &LogFilter,
    ) -> Result<LogAnswer, SourceError> {
        let query = LogQuery::block(header);
        let answers = self
            .several(|member| -> BoxFuture<'_, _> {
                let (query, filter) = (query.clone(), filter.clone());
                Box::pin(async move { member.source().transfer_logs(&query, &filter).await })
            })
            .await;
        let answers = match answers {
            Ok(answers) => answers,
            Err(error) => {
                self.doubt_head(header, &error).await;
                return Err(error);
            },
        };
        self.unsupported.store(0, Ordering::Relaxed);
        let mut sorted = answers.into_iter().map(|(member, mut answer)| {
            answer.sort();
            (member, answer)
        });
        let Some((first, answer)) = sorted.next() else {
            return Err(self.all_rest());
        };
        let differing: Vec<_> = sorted
            .filter(|(_, other)| !other.says_what(&answer))
            .collect();
        if !differing.is_empty() {
            let mut all = vec![(first, answer)];
            all.extend(differing);
            return self.settle(header.block.to_ref(), filter, &all).await;
        }
        if answer.seen == 0 && self.settings.blooms && may_hold(&header.bloom, filter) {
            return self.doubt_empty(first, answer, header, filter).await;
        }
        Ok(answer)
    }

    /// An empty answer for a block whose bloom says that there may be logs: asks elsewhere, best by
    /// the receipts themselves.
    async fn doubt_empty(
        &self,
        by: &Member,
        empty: LogAnswer,
        header: &Header,
        filter: &LogFilter,
    ) -> Result<LogAnswer, SourceError> {
        let block = header.block.to_ref();
        let mut second = if self.settings.proof == Proof::ReceiptsRoot {
            self.proven_logs(block, filter).await?
        } else {
            let query = LogQuery::block(header);
            let mut others = self.candidates();
            others.retain(|member| !std::ptr::eq(*member, by));
            let other = others.first().copied().unwrap_or(by);
            other
                .timed(other.source().transfer_logs(&query, filter))
                .await?
        };
        second.sort();
        if !second.says_what(&empty) {
            self.blame(by, block.number, "left out logs");
        }
        Ok(second)
    }

    /// What `block` really holds, when `answers` differ.
    async fn settle(
        &self,
        block: BlockRef,
        filter: &LogFilter,
        answers: &[(&Member, LogAnswer)],
    ) -> Result<LogAnswer, SourceError> {
        if self.settings.proof == Proof::None {
            let names: Vec<_> = answers.iter().map(|(member, _)| member.name()).collect();
            self.alarm(
                ChainEventKind::Disagreement,
                format!(
                    "{} give different logs for block {}",
                    names.join(" and "),
                    block.number
                ),
            );
            return Err(Contradiction::Disagreement {
                number: block.number,
            }
            .into());
        }
        let truth = self.proven_logs(block, filter).await?;
        for (member, answer) in answers {
            if !answer.says_what(&truth) {
                self.blame(member, block.number, "left out logs or made some up");
            }
        }
        Ok(truth)
    }

    fn blame(&self, member: &Member, number: BlockNumber, what: &str) {
        self.alarm(
            ChainEventKind::Disagreement,
            format!("{} {what} of block {number}", member.name()),
        );
        // The only one there is must go on being asked: its answers are checked.
        if self.members.len() > 1 {
            member.rest(WRONG_REST, format!("it {what} of block {number}"));
        }
    }

    /// The wanted logs of `block`, from its receipts.
    async fn proven_logs(
        &self,
        block: BlockRef,
        filter: &LogFilter,
    ) -> Result<LogAnswer, SourceError> {
        let evidence = self.evidence(block).await?;
        let proven = evidence
            .verify(block)
            .map_err(|cause| SourceError::Unprovable {
                number: block.number,
                cause: Box::new(cause),
            })?;
        read_proven(&proven, block, filter)
    }

    /// Nobody else knows the block that one endpoint showed: it may be behind, ahead, or lying.
    async fn doubt_head(&self, header: &Header, error: &SourceError) {
        let is_unknown = matches!(error, SourceError::Lagging { .. });
        if self.settings.agreement == 1 || !is_unknown {
            return;
        }
        if self.unsupported.fetch_add(1, Ordering::Relaxed) < UNSUPPORTED {
            return;
        }
        let number = header.block.number;
        let by = self.head_by.load(Ordering::Relaxed);
        let others_beyond = self
            .all_heads()
            .await
            .iter()
            .filter(|(index, head)| *index != by && head.block.number >= number)
            .count();
        if let Some(member) = self.members.get(by)
            && others_beyond >= self.settings.agreement
        {
            self.unsupported.store(0, Ordering::Relaxed);
            let what = format!("showed a block {number} that the others do not know");
            self.alarm(
                ChainEventKind::Disagreement,
                format!("{} {what}", member.name()),
            );
            member.rest(LIE_REST, format!("it {what}"));
        }
    }

    /// The logs of a range, by as many endpoints as must agree.
    pub(super) async fn logs_of_range(
        &self,
        from: BlockNumber,
        to: BlockNumber,
        filter: &LogFilter,
    ) -> Result<LogAnswer, SourceError> {
        let answers = self
            .several(|member| Box::pin(range_of(member, from, to, filter)))
            .await?;
        let mut answers = answers.into_iter();
        let Some((first, mut answer)) = answers.next() else {
            return Err(self.all_rest());
        };
        let mut differing = BTreeSet::new();
        for (_, other) in answers {
            differing.extend(differences(&answer, &other));
        }
        if answer.seen == 0 && !filter.by_node && expected(first, from, to) >= EXPECTED {
            let second = self.second_range(first, from, to, filter).await?;
            differing.extend(differences(&answer, &second));
        }
        for number in differing {
            let settled = self.settled_at(number, filter).await?;
            answer.forget_block(number);
            answer.extend(settled);
        }
        answer.sort();
        Ok(answer)
    }

    async fn second_range(
        &self,
        first: &Member,
        from: BlockNumber,
        to: BlockNumber,
        filter: &LogFilter,
    ) -> Result<LogAnswer, SourceError> {
        let candidates = self.candidates();
        let other = candidates
            .iter()
            .find(|member| !std::ptr::eq(**member, first));
        range_of(other.copied().unwrap_or(first), from, to, filter).await
    }

    /// The logs of the canonical block at `number`, with all care.
    async fn settled_at(
        &self,
        number: BlockNumber,
        filter: &LogFilter,
    ) -> Result<LogAnswer, SourceError> {
        let header = self.headers(&[number]).await?.into_iter().next().flatten();
        let header = header.ok_or(crate::NotThere { number })?;
        let block = header.block.to_ref();
        self.agreed_on(block).await?;
        if self.settings.proof == Proof::ReceiptsRoot {
            return self.proven_logs(block, filter).await;
        }
        self.logs_of_block(&header, filter).await
    }
}

/// The logs of a range from one endpoint, in pieces that it serves.
async fn range_of(
    member: &Member,
    from: BlockNumber,
    to: BlockNumber,
    filter: &LogFilter,
) -> Result<LogAnswer, SourceError> {
    let mut whole = LogAnswer::default();
    let mut next = from;
    while next <= to {
        let width = member.width();
        let end = next.saturating_add(width.saturating_sub(1)).min(to);
        let query = LogQuery::Range {
            from: next,
            to: end,
        };
        let asked = query.width();
        match member.source().transfer_logs(&query, filter).await {
            Ok(answer) => {
                member.span(|span| span.served(asked, answer.seen));
                whole.extend(answer);
                next = end.saturating_add(1);
            },
            Err(SourceError::TooWide { suggested, cause }) => {
                if !member.span(|span| span.narrow(asked, suggested)) {
                    return Err(SourceError::Later { after: None, cause });
                }
                tracing::debug!(
                    endpoint = member.name(),
                    span.blocks = member.width(),
                    "it does not serve so much at once; asking for less"
                );
            },
            Err(error) => {
                // It may be the width, whatever the words.
                member.span(|span| span.shrink(asked));
                return Err(error);
            },
        }
    }
    Ok(whole)
}

/// How many logs the range should hold, by what came before.
fn expected(member: &Member, from: BlockNumber, to: BlockNumber) -> u64 {
    let width = LogQuery::Range { from, to }.width();
    member.span(|span| span.expected(width))
}

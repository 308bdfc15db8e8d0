//! Several endpoints that must say the same: a floor that is never lowered.

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use paywatch_core::{B256, BlockNumber, BlockRef, ChainEventKind};

use crate::pool::member::Member;
use crate::pool::{LAG_REST, Pool};
use crate::{Contradiction, NotThere, SourceError};

impl Pool {
    /// The answers of as many endpoints as must agree; the best ones are asked first, and others
    /// in place of those that fail.
    pub(super) async fn several<'a, T: Send + 'a>(
        &'a self,
        question: impl Fn(&'a Member) -> BoxFuture<'a, Result<T, SourceError>> + Send + Sync,
    ) -> Result<Vec<(&'a Member, T)>, SourceError> {
        let wanted = self.settings.agreement;
        let mut waiting = self.candidates().into_iter();
        let mut under_way = FuturesUnordered::new();
        let mut answers = Vec::with_capacity(wanted);
        let mut worst = None;
        let ask = |member: &'a Member| {
            let question = question(member);
            async move { (member, self.ask_member(member, question).await) }
        };
        while answers.len() < wanted {
            while under_way.len().saturating_add(answers.len()) < wanted
                && let Some(member) = waiting.next()
            {
                under_way.push(ask(member));
            }
            match under_way.next().await {
                Some((member, Ok(answer))) => answers.push((member, answer)),
                Some((_, Err(error))) => worst = Some(more_telling(worst, error)),
                None => return Err(worst.unwrap_or_else(|| self.all_rest())),
            }
        }
        Ok(answers)
    }

    /// Whether enough endpoints have `block` on their chain.
    pub(super) async fn agreed_on(&self, block: BlockRef) -> Result<(), SourceError> {
        let wanted = self.settings.agreement;
        if wanted == 1 {
            return Ok(());
        }
        let mut waiting = self.candidates().into_iter();
        let mut under_way = FuturesUnordered::new();
        let ask = |member| async move { (member, self.at(member, block.number).await) };
        let mut votes = Votes::default();
        let mut worst = None;
        loop {
            let agreeing = votes.of(block.hash).len();
            if agreeing >= wanted {
                return Ok(());
            }
            while under_way.len().saturating_add(agreeing) < wanted
                && let Some(member) = waiting.next()
            {
                under_way.push(ask(member));
            }
            match under_way.next().await {
                Some((member, Ok(hash))) => votes.0.push((hash, member)),
                Some((_, Err(error))) => worst = Some(more_telling(worst, error)),
                None => break,
            }
        }
        if votes.0.iter().all(|(hash, _)| *hash == block.hash) {
            return Err(worst.unwrap_or_else(|| self.all_rest()));
        }
        Err(self.outvoted(block, &votes))
    }

    async fn at(&self, member: &Member, number: BlockNumber) -> Result<B256, SourceError> {
        let headers = self.headers_of(member, &[number]).await?;
        let header = headers.into_iter().next().flatten();
        Ok(header.ok_or(NotThere { number })?.block.hash)
    }

    /// Endpoints have different blocks at one height. Where enough agree on another, those that
    /// have this one are passed over for a while: they are on a branch that is left, or lie.
    fn outvoted(&self, block: BlockRef, votes: &Votes<'_>) -> SourceError {
        let number = block.number;
        let told: Vec<_> = votes
            .0
            .iter()
            .map(|(hash, member)| format!("{}: {hash}", member.name()))
            .collect();
        self.alarm(
            ChainEventKind::Disagreement,
            format!(
                "endpoints have different blocks {number}: {}",
                told.join(", ")
            ),
        );
        let has_majority = votes.0.iter().any(|(hash, _)| {
            *hash != block.hash && votes.of(*hash).len() >= self.settings.agreement
        });
        if has_majority {
            for member in votes.of(block.hash) {
                member.rest(
                    LAG_REST,
                    format!("it has a block {number} that the others do not have"),
                );
            }
        }
        Contradiction::Disagreement { number }.into()
    }
}

/// Which of two errors says more about what to do next: what will pass soonest.
pub(super) fn more_telling(known: Option<SourceError>, new: SourceError) -> SourceError {
    const fn weight(error: &SourceError) -> u8 {
        match error {
            SourceError::TooWide { .. } => 0,
            SourceError::Lagging { .. } => 1,
            SourceError::Inconsistent { .. } => 2,
            SourceError::Later { .. } => 3,
            SourceError::Unprovable { .. } => 4,
            SourceError::NoAnswer { .. } => 5,
            SourceError::Unusable { .. } => 6,
        }
    }
    match known {
        Some(known) if weight(&known) <= weight(&new) => known,
        Some(_) | None => new,
    }
}

/// Who has which block at one height.
#[derive(Default)]
struct Votes<'a>(Vec<(B256, &'a Member)>);

impl<'a> Votes<'a> {
    fn of(&self, hash: B256) -> Vec<&'a Member> {
        let voters = self.0.iter().filter(|(theirs, _)| *theirs == hash);
        voters.map(|(_, member)| *member).collect()
    }
}

//! Several endpoints that must say the same: a floor that is never lowered.

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use paywatch_core::{BlockRef, ChainEventKind};

use crate::pool::member::Member;
use crate::pool::{Pool, more_telling};
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
        let candidates = self.candidates();
        let mut questions: FuturesUnordered<_> = candidates
            .into_iter()
            .map(|member| async move {
                let numbers = [block.number];
                let question = member.source().headers(&numbers);
                (member, self.ask_member(member, question).await)
            })
            .collect();
        let (mut agreeing, mut others) = (0_usize, Vec::new());
        let mut worst = None;
        while let Some((member, answer)) = questions.next().await {
            match answer.map(|headers| headers.into_iter().next().flatten()) {
                Ok(Some(header)) if header.block.hash == block.hash => {
                    agreeing = agreeing.saturating_add(1);
                    if agreeing >= wanted {
                        return Ok(());
                    }
                },
                Ok(Some(header)) => others.push(format!("{} {}", member.name(), header.block.hash)),
                Ok(None) => {
                    let behind = NotThere {
                        number: block.number,
                    };
                    worst = Some(more_telling(worst, behind.into()));
                },
                Err(error) => worst = Some(more_telling(worst, error)),
            }
        }
        if others.is_empty() {
            return Err(worst.unwrap_or_else(|| self.all_rest()));
        }
        self.alarm(
            ChainEventKind::EndpointsDisagree,
            format!(
                "block {} is {} by {agreeing} of {wanted} endpoints that must agree; others say: {}",
                block.number,
                block.hash,
                others.join(", ")
            ),
        );
        Err(Contradiction::Disagreement {
            number: block.number,
        }
        .into())
    }
}

//! What contracts answer, by the word of as many endpoints as must agree.

use alloy_primitives::Bytes;
use futures::stream::{FuturesUnordered, StreamExt as _};
use paywatch_core::ChainEventKind;

use crate::pool::Pool;
use crate::pool::agreement::more_telling;
use crate::pool::member::Member;
use crate::{Call, CallAt, ChainSource as _, Contradiction, SourceError};

/// An answer, and who gave it.
type Told<'a> = (&'a Member, Vec<Bytes>);

impl Pool {
    /// The answers to `calls` that enough endpoints give. What is called at the newest block is
    /// called at one that they agree on, since each has another.
    pub(super) async fn called(
        &self,
        calls: &[Call],
        at: CallAt,
    ) -> Result<Vec<Bytes>, SourceError> {
        let wanted = self.settings.agreement;
        let at = match at {
            CallAt::Latest if wanted > 1 => CallAt::Block(self.latest().await?.block.to_ref()),
            CallAt::Latest | CallAt::Number(_) | CallAt::Block(_) => at,
        };
        let mut waiting = self.candidates().into_iter();
        let mut under_way = FuturesUnordered::new();
        let ask = |member| async move { (member, self.answers_of(member, calls, at).await) };
        let mut told: Vec<Told<'_>> = Vec::new();
        let mut worst = None;
        loop {
            if let Some(answers) = agreed(&told, wanted) {
                let answers = answers.clone();
                self.tell_of_others(&told, &answers, at);
                return Ok(answers);
            }
            let most = most_alike(&told);
            while under_way.len().saturating_add(most) < wanted
                && let Some(member) = waiting.next()
            {
                under_way.push(ask(member));
            }
            match under_way.next().await {
                Some((member, Ok(answers))) => told.push((member, answers)),
                Some((_, Err(error))) => worst = Some(more_telling(worst, error)),
                None => break,
            }
        }
        let first = told.first().map(|(_, answers)| answers.clone());
        match first {
            Some(first) if told.iter().any(|(_, answers)| *answers != first) => {
                self.tell_of_others(&told, &first, at);
                Err(Contradiction::Answers { at }.into())
            },
            Some(_) | None => Err(worst.unwrap_or_else(|| self.all_rest())),
        }
    }

    async fn answers_of(
        &self,
        member: &Member,
        calls: &[Call],
        at: CallAt,
    ) -> Result<Vec<Bytes>, SourceError> {
        let answers = self
            .ask_member(member, member.source().calls(calls, at))
            .await?;
        if answers.len() == calls.len() {
            return Ok(answers);
        }
        Err(Contradiction::OtherCount {
            asked: calls.len(),
            answered: answers.len(),
        }
        .into())
    }

    /// Raises an alarm if anybody said anything but `answers`.
    fn tell_of_others(&self, told: &[Told<'_>], answers: &[Bytes], at: CallAt) {
        let names = |is_same: bool| -> Vec<&str> {
            told.iter()
                .filter(|(_, theirs)| (theirs == answers) == is_same)
                .map(|(member, _)| member.name())
                .collect()
        };
        let others = names(false);
        if !others.is_empty() {
            let same = names(true).join(", ");
            self.alarm(
                ChainEventKind::Disagreement,
                format!(
                    "endpoints answer differently what was called at {at}: {same} against {}",
                    others.join(", ")
                ),
            );
        }
    }
}

/// The answers that `wanted` gave, if so many did.
fn agreed<'t>(told: &'t [Told<'_>], wanted: usize) -> Option<&'t Vec<Bytes>> {
    let mut answers = told.iter().map(|(_, answers)| answers);
    answers.find(|answers| alike(told, answers) >= wanted)
}

fn most_alike(told: &[Told<'_>]) -> usize {
    let counts = told.iter().map(|(_, answers)| alike(told, answers));
    counts.max().unwrap_or_default()
}

fn alike(told: &[Told<'_>], answers: &[Bytes]) -> usize {
    told.iter().filter(|(_, theirs)| theirs == answers).count()
}

//! The newest block, as far as enough endpoints support it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures::stream::{FuturesUnordered, StreamExt};
use paywatch_core::BlockNumber;

use crate::pool::member::Member;
use crate::pool::{HEAD_LAG, LAG_REST, Pool};
use crate::{ChainSource, Contradiction, Header, SourceError};

impl Pool {
    /// The highest head that as many endpoints as must agree have shown.
    pub(super) fn highest_head(&self) -> BlockNumber {
        let able = self.members.iter().filter(|member| !member.is_resting());
        let mut heads: Vec<_> = able.map(Member::head).collect();
        heads.sort_unstable_by_key(|head| std::cmp::Reverse(*head));
        let supported = self.settings.agreement.saturating_sub(1);
        heads.get(supported).copied().unwrap_or_default()
    }

    /// The heads of all endpoints that can be asked, highest first.
    pub(super) async fn all_heads(&self) -> Vec<(usize, Header)> {
        let questions: FuturesUnordered<_> = self
            .members
            .iter()
            .enumerate()
            .filter(|(_, member)| !member.is_resting())
            .map(|(index, member)| async move {
                let answer = self.ask_member(member, member.source().latest()).await;
                let header = answer.ok()?;
                member.saw_head(header.block.number);
                Some((index, header))
            })
            .collect();
        let mut heads: Vec<_> = questions.filter_map(std::future::ready).collect().await;
        heads.sort_by_key(|(index, header)| (std::cmp::Reverse(header.block.number), *index));
        heads
    }

    /// Whether a head is neither behind what enough endpoints have shown, nor far beyond it.
    pub(super) fn is_plausible(&self, header: &Header) -> bool {
        let supported = self.highest_head();
        let number = header.block.number;
        let is_behind = number.saturating_add(HEAD_LAG) < supported;
        let is_beyond = self.settings.agreement > 1 && number > supported.saturating_add(HEAD_LAG);
        !is_behind && !is_beyond
    }

    /// The highest head that is not beyond what enough endpoints show. Those that are far behind
    /// it are passed over for a while.
    pub(super) async fn compared_heads(&self) -> Result<Header, SourceError> {
        let heads = self.all_heads().await;
        let supported = heads.get(self.settings.agreement.saturating_sub(1));
        let Some(supported) = supported.map(|(_, header)| header.block.number) else {
            return Err(self.all_rest());
        };
        for (index, header) in &heads {
            if let Some(member) = self.members.get(*index)
                && header.block.number.saturating_add(HEAD_LAG) < supported
            {
                member.rest(LAG_REST, "its head is behind that of the others".to_owned());
            }
        }
        let highest = heads
            .into_iter()
            .find(|(_, header)| header.block.number <= supported.saturating_add(HEAD_LAG));
        let (index, header) = highest.ok_or_else(|| self.all_rest())?;
        Ok(self.take_head(index, header))
    }

    /// Notes who gave this head.
    pub(super) fn take_head(&self, index: usize, header: Header) -> Header {
        if let Some(member) = self.members.get(index) {
            member.saw_head(header.block.number);
        }
        self.head_by.store(index, Ordering::Relaxed);
        header
    }
}

/// The headers at `numbers`, and of no other heights.
pub(super) async fn headers_from(
    source: &Arc<dyn ChainSource>,
    numbers: &[BlockNumber],
) -> Result<Vec<Option<Header>>, SourceError> {
    let headers = source.headers(numbers).await?;
    if headers.len() != numbers.len() {
        return Err(Contradiction::OtherCount {
            asked: numbers.len(),
            answered: headers.len(),
        }
        .into());
    }
    let other = numbers.iter().zip(&headers).find_map(|(asked, header)| {
        let answered = header.as_ref()?.block.number;
        (answered != *asked).then_some(Contradiction::OtherNumber {
            asked: *asked,
            answered,
        })
    });
    match other {
        Some(other) => Err(other.into()),
        None => Ok(headers),
    }
}

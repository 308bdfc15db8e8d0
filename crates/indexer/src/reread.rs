//! Reads a range of a chain once more, to compare it with the books.

use std::sync::Arc;

use paywatch_core::{BlockNumber, Transfer};

use crate::follower::{Extent, FollowError, FollowSettings, Halt, History};
use crate::{ChainSource, SourceError, WatchList};

/// A range of blocks that is read anew, part by part.
#[derive(Debug)]
pub struct Reread {
    history: History,
    to: BlockNumber,
}

/// A part of the range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The last block of the part. The first one follows the part before.
    pub to: BlockNumber,
    /// The wanted transfers in it, in the order of the chain.
    pub transfers: Vec<Transfer>,
}

/// Why a range cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RereadError {
    /// The endpoints do not serve it now.
    #[error("the endpoints do not serve the range")]
    Source(#[from] SourceError),
    /// What they serve cannot be.
    #[error("the range cannot be read")]
    Impossible(#[source] Box<FollowError>),
}

impl From<Halt> for RereadError {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Retry(error) => Self::Source(error),
            Halt::Stop(error) => Self::Impossible(error),
        }
    }
}

impl Reread {
    /// Blocks `from` to `to`, both included, of the chain behind `source`.
    ///
    /// # Errors
    /// When the watched addresses cannot be read.
    pub async fn begin(
        source: Arc<dyn ChainSource>,
        watch_list: &dyn WatchList,
        settings: &FollowSettings,
        from: BlockNumber,
        to: BlockNumber,
    ) -> Result<Self, RereadError> {
        let extent = Extent {
            first: from,
            last: to,
            node_head: to,
        };
        let history = History::new(&source, watch_list, settings, extent).await?;
        Ok(Self { history, to })
    }

    /// The next part; `None` after the last. After an error, begin again after the last part.
    ///
    /// # Errors
    /// [`RereadError`].
    pub async fn next(&mut self) -> Result<Option<Part>, RereadError> {
        let Some(found) = self.history.next().await? else {
            return Ok(None);
        };
        Ok(Some(Part {
            to: found.tip.number.min(self.to),
            transfers: found
                .blocks
                .into_iter()
                .flat_map(|covered| covered.transfers)
                .collect(),
        }))
    }
}

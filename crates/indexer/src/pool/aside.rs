//! Questions that nothing rests on: one endpoint's answer is enough, and no answer says nothing of
//! an endpoint.

use std::sync::Arc;

use futures::future::BoxFuture;

use crate::pool::Pool;
use crate::pool::agreement::more_telling;
use crate::pool::member::Member;
use crate::{ChainSource, SourceError};

impl Pool {
    /// Asks one endpoint after the other until one answers. One that is not known to serve this
    /// chain is not asked.
    pub(super) async fn aside<'a, T: Send + 'a>(
        &'a self,
        question: impl Fn(&'a Arc<dyn ChainSource>) -> BoxFuture<'a, Result<T, SourceError>>
        + Send
        + Sync,
    ) -> Result<T, SourceError> {
        let mut worst = None;
        let verified = |member: &&Member| member.is_verified();
        for member in self.candidates().into_iter().filter(verified) {
            match member.aside(question(member.source())).await {
                Ok(answer) => return Ok(answer),
                Err(error) => worst = Some(more_telling(worst, error)),
            }
        }
        Err(worst.unwrap_or_else(|| self.all_rest()))
    }
}

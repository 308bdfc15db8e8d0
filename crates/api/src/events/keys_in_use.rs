//! Whether keys are still worth something: one question to the database for all streams of a key.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use paywatch_store::StoreError;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::state::ApiState;

/// For how long an answer is good.
const GOOD_FOR: Duration = Duration::from_secs(1);

/// What was answered about keys, and when. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeysInUse(Arc<Mutex<HashMap<String, (Instant, bool)>>>);

impl KeysInUse {
    /// Whether the key with this id may be used, as it was a moment ago at most.
    pub(crate) async fn is_valid(&self, state: &ApiState, id: &str) -> Result<bool, StoreError> {
        let mut answers = self.0.lock().await;
        if let Some((asked_at, is_valid)) = answers.get(id)
            && asked_at.elapsed() < GOOD_FOR
        {
            return Ok(*is_valid);
        }
        let key = state.store.api_key(id).await?;
        let is_valid = key.is_some_and(|key| key.is_valid(state.clock.now()));
        answers.retain(|_, (asked_at, _)| asked_at.elapsed() < GOOD_FOR);
        answers.insert(id.to_owned(), (Instant::now(), is_valid));
        Ok(is_valid)
    }
}

//! Whether keys are still worth something: one question to the database for all streams of a key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use paywatch_store::StoreError;
use tokio::time::Instant;

use crate::state::ApiState;

/// For how long an answer is good.
const GOOD_FOR: Duration = Duration::from_secs(1);

/// What was answered about keys, and when. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeysInUse(Arc<Mutex<HashMap<String, Arc<Answer>>>>);

/// The last answer about a key, and when it was asked for; who asks anew holds the lock.
type Answer = tokio::sync::Mutex<Option<(Instant, bool)>>;

impl KeysInUse {
    /// Whether the key with this id may be used, as it was a moment ago at most.
    pub(crate) async fn is_valid(&self, state: &ApiState, id: &str) -> Result<bool, StoreError> {
        let asked = async {
            let key = state.store.api_key(id).await?;
            Ok(key.is_some_and(|key| key.is_valid(state.clock.now())))
        };
        self.answer(id, asked).await
    }

    /// What is remembered of the key with this id, or else what is `asked`. Those who want to know the
    /// same wait for one answer, and nobody for one about another key.
    async fn answer(
        &self,
        id: &str,
        asked: impl Future<Output = Result<bool, StoreError>>,
    ) -> Result<bool, StoreError> {
        let answer = self.of(id);
        let mut answer = answer.lock().await;
        if let Some(is_valid) = good(&answer) {
            return Ok(is_valid);
        }
        let asked_at = Instant::now();
        let is_valid = asked.await?;
        *answer = Some((asked_at, is_valid));
        Ok(is_valid)
    }

    fn of(&self, id: &str) -> Arc<Answer> {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers.retain(|_, answer| {
            let is_wanted = Arc::strong_count(answer) > 1;
            is_wanted
                || answer
                    .try_lock()
                    .is_ok_and(|answer| good(&answer).is_some())
        });
        Arc::clone(answers.entry(id.to_owned()).or_default())
    }
}

fn good(answer: &Option<(Instant, bool)>) -> Option<bool> {
    let (asked_at, is_valid) = (*answer)?;
    (asked_at.elapsed() < GOOD_FOR).then_some(is_valid)
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_key_does_not_wait_for_another() {
        let keys = KeysInUse::default();
        let slow = tokio::spawn({
            let keys = keys.clone();
            async move { keys.answer("slow", pending()).await }
        });
        tokio::task::yield_now().await;
        let same = keys.answer("slow", ready(Ok(true)));
        let waits = tokio::time::timeout(Duration::from_secs(60), same).await;
        assert!(waits.is_err(), "one question about one key");
        assert!(keys.answer("other", ready(Ok(true))).await.unwrap());
        slow.abort();
        assert!(slow.await.is_err());
        assert!(!keys.answer("slow", ready(Ok(false))).await.unwrap());
        assert!(!keys.answer("slow", pending()).await.unwrap(), "remembered");
        tokio::time::advance(GOOD_FOR).await;
        assert!(keys.answer("slow", ready(Ok(true))).await.unwrap());
        assert_eq!(keys.0.lock().unwrap().len(), 1, "old answers are dropped");
    }
}

//! Questions that are asked at the same time share one statement: to hand each to the database by
//! itself costs more than to answer it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use std::{fmt, iter};

use tokio::sync::oneshot;

use crate::engine::{LONGEST, in_time};
use crate::error::{StoreError, failed};
use crate::waiting_line::WaitingLine;

/// So many different questions share one statement at most.
const TOGETHER: usize = 32;
/// So many statements run at a time. Whoever asks meanwhile shares the next one.
const AT_A_TIME: usize = 2;

type Answer<V> = oneshot::Sender<Result<V, StoreError>>;

/// Those who ask for a `V` by its `K`. Cheap to clone.
///
/// What is asked is looked up later than it was asked, so that no answer is old.
pub(crate) struct Together<K, V> {
    line: WaitingLine<(K, Answer<V>)>,
    longest: Duration,
}

impl<K, V> Default for Together<K, V> {
    fn default() -> Self {
        Self {
            line: WaitingLine::new(AT_A_TIME),
            longest: LONGEST,
        }
    }
}

impl<K, V> Clone for Together<K, V> {
    fn clone(&self) -> Self {
        Self {
            line: self.line.clone(),
            longest: self.longest,
        }
    }
}

impl<K, V> fmt::Debug for Together<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Together").field(&self.line).finish()
    }
}

impl<K, V> Together<K, V>
where
    K: Clone + Ord + Send + 'static,
    V: Clone + Send + 'static,
{
    /// What `read` says of `key`. It is given several different keys, and gives the values in their
    /// order.
    ///
    /// # Errors
    /// What `read` fails with; if it does so for several, each is asked for by itself.
    pub(crate) async fn ask<R, F>(&self, key: K, read: R) -> Result<V, StoreError>
    where
        R: Fn(Vec<K>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Vec<V>, StoreError>> + Send,
    {
        let (answer, value) = oneshot::channel();
        if let Some(mut server) = self.line.join((key, answer)) {
            let longest = self.longest;
            tokio::spawn(async move {
                while let Some(together) = server.next(next) {
                    if !serve(together, longest, &read).await {
                        // Who else waits need not wait as long for the same.
                        server.send_away();
                    }
                }
            });
        }
        let broken = |_gone| failed("read")(sqlx::Error::WorkerCrashed);
        value.await.map_err(broken)?
    }
}

/// Takes those from the front that share a statement. Who asks for the same is told the same.
fn next<K: Ord, V>(waiting: &mut VecDeque<(K, Answer<V>)>) -> Option<BTreeMap<K, Vec<Answer<V>>>> {
    waiting.retain(|(_, answer)| !answer.is_closed());
    let mut together: BTreeMap<K, Vec<Answer<V>>> = BTreeMap::new();
    while let Some((key, answer)) = waiting.pop_front() {
        if together.len() >= TOGETHER && !together.contains_key(&key) {
            waiting.push_front((key, answer));
            break;
        }
        together.entry(key).or_default().push(answer);
    }
    (!together.is_empty()).then_some(together)
}

/// Reads what is asked, and tells those who ask. `false` when the database is silent.
async fn serve<K, V, R, F>(
    together: BTreeMap<K, Vec<Answer<V>>>,
    longest: Duration,
    read: &R,
) -> bool
where
    K: Clone + Ord,
    V: Clone,
    R: Fn(Vec<K>) -> F,
    F: Future<Output = Result<Vec<V>, StoreError>>,
{
    let keys: Vec<K> = together.keys().cloned().collect();
    let (key_count, asking) = (keys.len(), together.values().map(Vec::len).sum::<usize>());
    let error = match in_time(longest, "read", read(keys)).await {
        Ok(values) => {
            for (answers, value) in together.into_values().zip(values) {
                for answer in answers {
                    let _gone = answer.send(Ok(value.clone()));
                }
            }
            return true;
        },
        Err(error) => error,
    };
    let answers = together.into_iter();
    let mut answers = answers.flat_map(|(key, all)| iter::repeat(key).zip(all));
    if error.is_unreachable() || (key_count, asking) == (1, 1) {
        // The others hear that the database does not answer.
        let is_silence = error.is_silence();
        if let Some((_, first)) = answers.next() {
            let _gone = first.send(Err(error));
        }
        return !is_silence;
    }
    // It is the error of one of them, and nobody can tell it twice.
    for (key, answer) in answers.filter(|(_, answer)| !answer.is_closed()) {
        let value = in_time(longest, "read", read(vec![key]))
            .await
            .and_then(only);
        let away = value.as_ref().err().filter(|error| error.is_unreachable());
        let is_silence = away.map(StoreError::is_silence);
        let _gone = answer.send(value);
        if let Some(is_silence) = is_silence {
            return !is_silence;
        }
    }
    true
}

fn only<V>(values: Vec<V>) -> Result<V, StoreError> {
    let value = values.into_iter().next();
    value.ok_or_else(|| failed("read")(sqlx::Error::RowNotFound))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    type Asked = Arc<Mutex<Vec<Vec<u32>>>>;

    /// Says twice of each key, and remembers what was asked together; fails where 13 is among several.
    fn twice(asked: &Asked) -> impl Fn(Vec<u32>) -> BoxedValues + Send + Sync + 'static {
        let asked = Arc::clone(asked);
        move |keys| {
            asked.lock().unwrap().push(keys.clone());
            Box::pin(async move {
                tokio::task::yield_now().await;
                if keys.contains(&13) {
                    return Err(StoreError::refused("13"));
                }
                Ok(keys.iter().map(|key| key.saturating_mul(2)).collect())
            })
        }
    }

    type BoxedValues = std::pin::Pin<Box<dyn Future<Output = Result<Vec<u32>, StoreError>> + Send>>;

    #[tokio::test]
    async fn who_asks_at_the_same_time_shares_a_statement() {
        let (together, asked) = (Together::default(), Asked::default());
        let answers = (0..100).map(|key| together.ask(key, twice(&asked)));
        let answers = futures::future::join_all(answers).await;
        for (key, answer) in (0..).zip(answers) {
            match answer {
                Ok(value) => assert_eq!(value, key + key),
                Err(error) => assert_eq!((key, error.to_string().contains("13")), (13, true)),
            }
        }
        let asked = asked.lock().unwrap();
        let alone = asked.iter().filter(|keys| keys.len() == 1).count();
        assert!(asked.len() < 50 && alone >= TOGETHER, "{asked:?}");
        let most = asked.iter().map(Vec::len).max();
        assert_eq!(most, Some(TOGETHER));
    }

    #[tokio::test]
    async fn who_asks_for_the_same_is_told_the_same() {
        let (together, asked) = (Together::default(), Asked::default());
        let answers = (0..100).map(|number| together.ask(number % 4, twice(&asked)));
        for (number, answer) in (0..).zip(futures::future::join_all(answers).await) {
            assert_eq!(answer.unwrap(), number % 4 * 2);
        }
        let count = asked.lock().unwrap().concat().len();
        assert!(count <= 4 * AT_A_TIME, "{count}");

        let answers = (0..10).map(|number| together.ask(12 + number % 2, twice(&asked)));
        for (number, answer) in (0..).zip(futures::future::join_all(answers).await) {
            match answer {
                Ok(value) => assert_eq!((number % 2, value), (0, 24)),
                Err(error) => assert_eq!((number % 2, error.to_string().contains("13")), (1, true)),
            }
        }
    }

    #[tokio::test]
    async fn a_silent_database_holds_up_nobody_for_ever() {
        let together: Together<u32, u32> = Together {
            longest: Duration::from_millis(50),
            ..Together::default()
        };
        let never = |_keys| std::future::pending();
        let answers = (0..200).map(|key| together.ask(key, never));
        for answer in futures::future::join_all(answers).await {
            let error = answer.unwrap_err();
            assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
        }
        let asked = Asked::default();
        assert_eq!(together.ask(2, twice(&asked)).await.unwrap(), 4);
    }

    #[tokio::test]
    async fn nobody_is_asked_for_who_has_gone() {
        let (together, asked) = (Together::default(), Asked::default());
        drop(tokio::time::timeout(std::time::Duration::ZERO, together.ask(1, twice(&asked))).await);
        assert_eq!(together.ask(2, twice(&asked)).await.unwrap(), 4);
        let seen: Vec<u32> = asked.lock().unwrap().concat();
        assert!(seen.contains(&2), "{seen:?}");
    }
}

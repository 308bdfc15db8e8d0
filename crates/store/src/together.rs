//! What is wanted at the same time is done together: to hand each to the database by itself, or to
//! wait for the disk for each, costs more than the work.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::engine::{LONGEST, in_time};
use crate::error::{StoreError, failed};
use crate::waiting_line::WaitingLine;

/// So much is done together at most.
pub(crate) const TOGETHER: usize = 32;

/// Who wants a `V` of a `K`, and where it goes.
#[derive(Debug)]
pub(crate) struct Wanted<K, V> {
    pub(crate) key: K,
    answer: oneshot::Sender<Result<V, StoreError>>,
}

/// Takes those from the front that are served together; none only if nobody waits.
pub(crate) type Take<K, V> = fn(&mut VecDeque<Wanted<K, V>>) -> Vec<Wanted<K, V>>;

/// Those who want a `V` of a `K`, and how. Cheap to clone.
///
/// It is done later than it was wanted, so that no answer is old, and though nobody waits for it any
/// more, once it is begun.
pub(crate) struct Together<K, V> {
    line: WaitingLine<Wanted<K, V>>,
    take: Take<K, V>,
    what: &'static str,
    longest: Duration,
}

impl<K, V> Clone for Together<K, V> {
    fn clone(&self) -> Self {
        Self {
            line: self.line.clone(),
            ..*self
        }
    }
}

impl<K, V> fmt::Debug for Together<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Together").field(&self.line).finish()
    }
}

impl<K, V> Together<K, V> {
    /// `what` is done by `at_a_time` at once, for those that `take` takes.
    pub(crate) fn new(what: &'static str, at_a_time: usize, take: Take<K, V>) -> Self {
        Self {
            line: WaitingLine::new(at_a_time),
            take,
            what,
            longest: LONGEST,
        }
    }
}

impl<K, V> Together<K, V>
where
    K: Clone + Send + 'static,
    V: Send + 'static,
{
    /// What comes of `key` by `work`, which is given one or several keys, and gives what comes of them in
    /// their order; nothing, if each of several is to be tried by itself.
    ///
    /// # Errors
    /// What `work` fails with; if it does so for several, each is tried by itself.
    pub(crate) async fn ask<W, F>(&self, key: K, work: W) -> Result<V, StoreError>
    where
        W: Fn(Vec<K>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Option<Vec<V>>, StoreError>> + Send,
    {
        let (answer, value) = oneshot::channel();
        if let Some(mut server) = self.line.join(Wanted { key, answer }) {
            let this = self.clone();
            tokio::spawn(async move {
                let take = |waiting: &mut VecDeque<_>| {
                    waiting.retain(|one: &Wanted<K, V>| !one.answer.is_closed());
                    Some((this.take)(waiting)).filter(|taken| !taken.is_empty())
                };
                while let Some(taken) = server.next(take) {
                    if this.serve(taken, &work).await.is_err() {
                        // Who else waits need not wait as long for the same.
                        server.send_away();
                    }
                }
            });
        }
        let broken = |_gone| failed(self.what)(sqlx::Error::WorkerCrashed);
        value.await.map_err(broken)?
    }

    /// Does what is wanted, and tells those who want it. If the database does not answer, who was not told
    /// hears that by being dropped.
    async fn serve<W, F>(&self, wanted: Vec<Wanted<K, V>>, work: &W) -> Result<(), Silent>
    where
        W: Fn(Vec<K>) -> F,
        F: Future<Output = Result<Option<Vec<V>>, StoreError>>,
    {
        let is_one = wanted.len() == 1;
        let keys: Vec<K> = wanted.iter().map(|one| one.key.clone()).collect();
        let mut wanted = wanted.into_iter();
        match in_time(self.longest, self.what, work(keys)).await {
            Ok(Some(values)) => wanted
                .zip(values)
                .try_for_each(|(one, value)| one.tell(Ok(value))),
            Err(error) if is_one || error.is_unreachable() => {
                wanted.next().map_or(Ok(()), |first| first.tell(Err(error)))
            },
            // Nobody can tell an error twice, and it may be that of one of them.
            Ok(None) | Err(_) => {
                for one in wanted.filter(|one| !one.answer.is_closed()) {
                    let alone = in_time(self.longest, self.what, work(vec![one.key.clone()])).await;
                    one.tell(alone.and_then(|values| only(self.what, values)))?;
                }
                Ok(())
            },
        }
    }
}

/// The database does not answer.
struct Silent;

impl<K, V> Wanted<K, V> {
    fn tell(self, value: Result<V, StoreError>) -> Result<(), Silent> {
        let is_away = value.as_ref().is_err_and(StoreError::is_unreachable);
        // Whoever has gone can ask again.
        let _gone = self.answer.send(value);
        if is_away { Err(Silent) } else { Ok(()) }
    }
}

fn only<V>(what: &'static str, values: Option<Vec<V>>) -> Result<V, StoreError> {
    let value = values.into_iter().flatten().next();
    value.ok_or_else(|| failed(what)(sqlx::Error::RowNotFound))
}

/// Takes those that ask for [`TOGETHER`] different keys.
pub(crate) fn several<K: Clone + Ord, V>(
    waiting: &mut VecDeque<Wanted<K, V>>,
) -> Vec<Wanted<K, V>> {
    let (mut taken, mut keys) = (Vec::new(), BTreeSet::new());
    while let Some(next) = waiting.pop_front() {
        if keys.len() >= TOGETHER && !keys.contains(&next.key) {
            waiting.push_front(next);
            break;
        }
        keys.insert(next.key.clone());
        taken.push(next);
    }
    taken
}

/// What `read` says of each of `keys`, which it is given once each, and in its own order.
pub(crate) async fn each_once<K, V, F>(
    keys: Vec<K>,
    read: impl FnOnce(Vec<K>) -> F,
) -> Result<Option<Vec<V>>, StoreError>
where
    K: Clone + Ord,
    V: Clone,
    F: Future<Output = Result<Vec<V>, StoreError>>,
{
    let once: BTreeSet<K> = keys.iter().cloned().collect();
    let once: Vec<K> = once.into_iter().collect();
    let values: BTreeMap<K, V> = once.clone().into_iter().zip(read(once).await?).collect();
    Ok(keys.iter().map(|key| values.get(key).cloned()).collect())
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
            let asked = Arc::clone(&asked);
            Box::pin(each_once(keys, async move |keys: Vec<u32>| {
                asked.lock().unwrap().push(keys.clone());
                tokio::task::yield_now().await;
                if keys.contains(&13) {
                    return Err(StoreError::refused("13"));
                }
                Ok(keys.iter().map(|key| key.saturating_mul(2)).collect())
            }))
        }
    }

    type Values = Result<Option<Vec<u32>>, StoreError>;
    type BoxedValues = std::pin::Pin<Box<dyn Future<Output = Values> + Send>>;

    /// Statements at a time.
    const AT_A_TIME: usize = 2;

    fn together() -> Together<u32, u32> {
        Together::new("read", AT_A_TIME, several)
    }

    #[tokio::test]
    async fn who_asks_at_the_same_time_shares_a_statement() {
        let (together, asked) = (together(), Asked::default());
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
        let (together, asked) = (together(), Asked::default());
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
        let together = Together {
            longest: Duration::from_millis(50),
            ..together()
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
        let (together, asked) = (together(), Asked::default());
        drop(tokio::time::timeout(std::time::Duration::ZERO, together.ask(1, twice(&asked))).await);
        assert_eq!(together.ask(2, twice(&asked)).await.unwrap(), 4);
        let seen: Vec<u32> = asked.lock().unwrap().concat();
        assert!(seen.contains(&2), "{seen:?}");
    }
}

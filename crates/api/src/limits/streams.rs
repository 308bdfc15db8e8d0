//! How many streams there are, of whom.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::HeaderValue;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse as _, Response};
use metrics::gauge;

use crate::limits::table::Subject;
use crate::problem::{Code, Problem};

/// After how many seconds somebody who has too many streams is to try again.
const AGAIN_S: u64 = 10;

/// How many streams there may be at the same time. Each takes up a connection.
#[derive(Clone, Copy, Debug)]
pub struct StreamSettings {
    /// Of each key, and of each address that has pages open.
    pub of_each: usize,
    /// Of all together.
    pub of_all: usize,
}

impl Default for StreamSettings {
    fn default() -> Self {
        Self {
            of_each: 100,
            of_all: 1_200,
        }
    }
}

/// Counts streams. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Streams(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    of_each: HashMap<Subject, usize>,
    of_all: usize,
}

/// The place of a stream, which is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    streams: Streams,
    subject: Subject,
}

impl Streams {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.counts().of_all
    }

    /// A place for a stream of `subject`'s.
    ///
    /// # Errors
    /// The refusal, when there are too many.
    pub(crate) fn take(
        &self,
        subject: Subject,
        settings: StreamSettings,
    ) -> Result<Place, Box<Response>> {
        let mut counts = self.counts();
        let of_this = counts.of_each.get(&subject).copied().unwrap_or_default();
        if of_this >= settings.of_each {
            let most = settings.of_each;
            let detail = format!("{subject} has {most} streams open; end one before the next");
            return Err(Box::new(refused(detail)));
        }
        if counts.of_all >= settings.of_all {
            let detail = "there are too many streams; read pages of the list meanwhile";
            return Err(Box::new(refused(detail.to_owned())));
        }
        counts.of_all = counts.of_all.saturating_add(1);
        let of_this = of_this.saturating_add(1);
        counts.of_each.insert(subject.clone(), of_this);
        gauge!("paywatch_api_streams").increment(1.0);
        drop(counts);
        Ok(Place {
            streams: self.clone(),
            subject,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.streams.counts();
        counts.of_all = counts.of_all.saturating_sub(1);
        if let Some(count) = counts.of_each.get_mut(&self.subject) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.of_each.remove(&self.subject);
            }
        }
        gauge!("paywatch_api_streams").decrement(1.0);
    }
}

fn refused(detail: String) -> Response {
    let mut response = Problem::because(Code::TooManyStreams, detail).into_response();
    let again = HeaderValue::from(AGAIN_S);
    response.headers_mut().insert(RETRY_AFTER, again);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_it_is_given_up() {
        let (streams, settings) = (
            Streams::default(),
            StreamSettings {
                of_each: 2,
                of_all: 3,
            },
        );
        let key = |id: &str| Subject::Key(id.to_owned());
        let first = streams.take(key("a"), settings).unwrap();
        let _second = streams.take(key("a"), settings).unwrap();
        assert!(streams.take(key("a"), settings).is_err(), "of this");
        let _other = streams.take(key("b"), settings).unwrap();
        assert!(streams.take(key("b"), settings).is_err(), "of all");
        drop(first);
        let _again = streams.take(key("b"), settings).unwrap();
        assert_eq!(streams.count(), 3);
    }
}

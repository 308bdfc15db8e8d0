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
    /// Of all together; pages may have half of them, so that no payer keeps the merchant out.
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
    of_pages: usize,
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

    /// A place for a stream of `subject`'s: of events if it is a key, of a page if it is an address.
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
        if let Some(detail) = counts.refuses((&subject, of_this), settings) {
            return Err(Box::new(refused(detail)));
        }
        if subject.is_address() {
            counts.of_pages = counts.of_pages.saturating_add(1);
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

impl Counts {
    /// Why there is no place for another stream of `subject`'s, who has `of_this` already.
    fn refuses(
        &self,
        (subject, of_this): (&Subject, usize),
        settings: StreamSettings,
    ) -> Option<String> {
        let is_page = subject.is_address();
        let for_pages = settings.of_all.checked_div(2).unwrap_or_default();
        let most = settings.of_each;
        let has_many = of_this >= most;
        let is_full = self.of_all >= settings.of_all || (is_page && self.of_pages >= for_pages);
        let detail = match (is_page, has_many, is_full) {
            (_, false, false) => return None,
            (true, true, _) => {
                format!("{most} pages are open at your address; ask for the status meanwhile")
            },
            (true, false, true) => {
                "too many pages are open; ask for the status meanwhile".to_owned()
            },
            (false, true, _) => {
                format!("{subject} has {most} streams open; end one before the next")
            },
            (false, false, true) => {
                "there are too many streams; read pages of the list meanwhile".to_owned()
            },
        };
        Some(detail)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.streams.counts();
        if self.subject.is_address() {
            counts.of_pages = counts.of_pages.saturating_sub(1);
        }
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

    #[test]
    fn pages_leave_half_of_the_places_to_keys() {
        let (streams, settings) = (
            Streams::default(),
            StreamSettings {
                of_each: 3,
                of_all: 5,
            },
        );
        let page = |end: u8| Subject::at(std::net::Ipv4Addr::new(192, 0, 2, end).into());
        let key = |id: &str| Subject::Key(id.to_owned());
        let first = streams.take(page(1), settings).unwrap();
        let _second = streams.take(page(2), settings).unwrap();
        assert!(streams.take(page(3), settings).is_err(), "half of five");
        let _of_keys = ["a", "a", "a"].map(|id| streams.take(key(id), settings).unwrap());
        assert!(streams.take(key("b"), settings).is_err(), "of all");
        drop(first);
        let again = streams.take(key("b"), settings).unwrap();
        assert!(streams.take(page(3), settings).is_err(), "of all");
        drop(again);
        let _page = streams.take(page(3), settings).unwrap();
        assert_eq!(streams.count(), 5);
    }
}

//! What a receiver answered, as much of it as is kept.

use std::time::{Duration, SystemTime};

/// Longer than this nobody is waited for, whatever he asks.
pub const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// How much of the answer is kept.
const LONGEST_EXCERPT: usize = 1024;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its HTTP status; never 3xx.
    pub status: u16,
    /// How long the receiver wants to be left alone, at most [`LONGEST_RETRY_AFTER`].
    pub retry_after: Option<Duration>,
    /// How its body begins, at most 1 KiB (a little more where bytes are no text), without control
    /// characters.
    pub excerpt: String,
    /// How long it all took.
    pub took: Duration,
}

impl Answer {
    /// Whether the receiver has taken it.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }
}

/// What `Retry-After` asks: seconds, or a date of HTTP. A date that is past asks nothing.
pub(super) fn retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let asked = if is_number {
        // More digits than fit are more than is granted.
        Duration::from_secs(text.parse().unwrap_or(u64::MAX))
    } else {
        let until = httpdate::parse_http_date(text).ok()?;
        until.duration_since(now).unwrap_or_default()
    };
    Some(asked.min(LONGEST_RETRY_AFTER))
}

/// How `body` begins, as text that any database takes.
pub(super) fn excerpt(body: &[u8]) -> String {
    let mut end = body.len().min(LONGEST_EXCERPT);
    // No character is cut in two: what comes after the cut is no continuation of one.
    let is_continuation = |at: usize| body.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
    if body.len() > end {
        for _ in 0..3 {
            if is_continuation(end) {
                end = end.saturating_sub(1);
            }
        }
    }
    let text = String::from_utf8_lossy(body.get(..end).unwrap_or_default());
    clean(&text)
}

/// Without what would break a line of a log, or PostgreSQL, which has no place for a zero.
pub(super) fn clean(text: &str) -> String {
    let shown = |letter: char| match letter {
        '\n' | '\t' => letter,
        letter if letter.is_control() => char::REPLACEMENT_CHARACTER,
        letter => letter,
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_pause_is_asked_for_in_seconds_or_until_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (text, seconds) in [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("86400", Some(86_400)),
            ("86401", Some(86_400)),
            ("99999999999999999999999999", Some(86_400)),
            // The three forms that RFC 9110 knows.
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sunday, 06-Nov-94 08:50:37 GMT", Some(60)),
            ("Sun Nov  6 08:50:37 1994", Some(60)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(86_400)),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
        ] {
            assert_eq!(
                retry_after(text, now),
                seconds.map(Duration::from_secs),
                "{text:?}"
            );
        }
    }

    #[test]
    fn no_character_is_cut_in_two() {
        for before in 1_020..=1_024 {
            let body = format!("{}{}", "x".repeat(before), "🙂ü🙂".repeat(9));
            let kept = excerpt(body.as_bytes());
            assert!(body.starts_with(&kept), "{before}: {kept}");
            assert!(
                (1_021..=1_024).contains(&kept.len()),
                "{before}: {}",
                kept.len()
            );
        }
        assert_eq!(
            excerpt(b"a\0b\x1b[31m\r\n\tc\xff"),
            "a\u{fffd}b\u{fffd}[31m\u{fffd}\n\tc\u{fffd}"
        );
        assert_eq!(excerpt("ü".as_bytes()), "ü");
        assert_eq!(excerpt(b""), "");
    }

    proptest! {
        #[test]
        fn whatever_comes_is_a_short_text(body in proptest::collection::vec(any::<u8>(), 0..3_000)) {
            let kept = excerpt(&body);
            prop_assert!(kept.chars().count() <= LONGEST_EXCERPT);
            prop_assert!(!kept.contains(|letter: char| letter.is_control() && !"\n\t".contains(letter)));
        }

        #[test]
        fn no_pause_is_too_long(text in "\\PC{0,40}", seconds in any::<u64>()) {
            for text in [text, seconds.to_string()] {
                let pause = retry_after(&text, SystemTime::UNIX_EPOCH);
                prop_assert!(pause.unwrap_or_default() <= LONGEST_RETRY_AFTER);
            }
        }
    }
}

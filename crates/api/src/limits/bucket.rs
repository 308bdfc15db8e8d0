//! A bucket of tokens: full at first, one taken for each request, filled again steadily.

use paywatch_store::KeyRate;

const MINUTE_US: i64 = 60_000_000;

/// Says when it will be full again, and nothing else: how many tokens are in it follows from the
/// rate and the time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bucket {
    full_at_us: i64,
}

/// How full a bucket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Level {
    /// Tokens that can be taken now.
    pub(crate) remaining: i64,
    /// Microseconds until the next token, if there is none.
    pub(crate) next_in_us: i64,
    /// Microseconds until it is full.
    pub(crate) full_in_us: i64,
}

/// What follows from a rate.
struct Measure {
    interval_us: i64,
    capacity_us: i64,
}

impl Measure {
    fn of(rate: KeyRate) -> Self {
        let per_minute = i64::from(rate.per_minute.get());
        let interval_us = MINUTE_US
            .checked_div(per_minute)
            .unwrap_or(MINUTE_US)
            .max(1);
        Self {
            interval_us,
            capacity_us: interval_us.saturating_mul(i64::from(rate.burst.get())),
        }
    }

    fn level(&self, missing_us: i64) -> Level {
        let left = self.capacity_us.saturating_sub(missing_us);
        let short = self.interval_us.saturating_sub(left);
        Level {
            remaining: left.checked_div(self.interval_us).unwrap_or_default(),
            next_in_us: short.max(0),
            full_in_us: missing_us,
        }
    }
}

impl Bucket {
    /// What is missing. A clock that was set back makes nobody wait longer than an empty bucket.
    fn missing_us(self, measure: &Measure, now_us: i64) -> i64 {
        let missing = self.full_at_us.saturating_sub(now_us);
        missing.clamp(0, measure.capacity_us)
    }

    /// How full it is.
    pub(crate) fn level(self, rate: KeyRate, now_us: i64) -> Level {
        let measure = Measure::of(rate);
        measure.level(self.missing_us(&measure, now_us))
    }

    /// Takes a token, if there is one: whether there was, and how full it is then.
    pub(crate) fn take(&mut self, rate: KeyRate, now_us: i64) -> (bool, Level) {
        let measure = Measure::of(rate);
        let missing = self.missing_us(&measure, now_us);
        let after = missing.saturating_add(measure.interval_us);
        let is_taken = after <= measure.capacity_us;
        let missing = if is_taken { after } else { missing };
        self.full_at_us = now_us.saturating_add(missing);
        (is_taken, measure.level(missing))
    }

    /// Whether nothing would change if it were forgotten.
    pub(crate) const fn is_full(self, now_us: i64) -> bool {
        self.full_at_us <= now_us
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn rate(per_minute: u32, burst: u32) -> KeyRate {
        KeyRate {
            per_minute: NonZeroU32::new(per_minute).unwrap(),
            burst: NonZeroU32::new(burst).unwrap(),
        }
    }

    #[test]
    fn what_is_taken_comes_back_steadily() {
        let (rate, mut bucket) = (rate(60, 3), Bucket::default());
        let start = 1_700_000_000_000_000;
        for remaining in [2, 1, 0] {
            let (is_taken, level) = bucket.take(rate, start);
            assert!(is_taken);
            assert_eq!(level.remaining, remaining);
        }
        let (is_taken, level) = bucket.take(rate, start + 250_000);
        assert!(!is_taken);
        assert_eq!((level.remaining, level.next_in_us), (0, 750_000));
        assert_eq!(level.full_in_us, 2_750_000);
        assert!(bucket.take(rate, start + 1_000_000).0);
        assert!(!bucket.take(rate, start + 1_000_000).0);
        assert!(!bucket.is_full(start + 3_999_999));
        assert!(bucket.is_full(start + 4_000_000));
        assert_eq!(bucket.level(rate, start + 99_000_000).remaining, 3);
    }

    #[test]
    fn over_an_hour_no_more_pass_than_the_rate_and_one_burst() {
        let (rate, mut bucket) = (rate(600, 100), Bucket::default());
        let passed = (0..3_600_000)
            .step_by(10)
            .filter(|ms| bucket.take(rate, ms * 1_000).0)
            .count();
        assert_eq!(passed, 100 + 60 * 600 - 1);
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let (rate, mut bucket) = (rate(60, 2), Bucket::default());
        let late = 9_000_000_000_000_000;
        assert!(bucket.take(rate, late).0 && bucket.take(rate, late).0);
        let early = 1_000_000_000_000_000;
        let (is_taken, level) = bucket.take(rate, early);
        assert!(!is_taken);
        assert_eq!(level.next_in_us, 1_000_000);
        assert!(bucket.take(rate, early + 1_000_000).0);
    }
}

//! Whether a receiver is asked at all: one that does not answer is left alone, and tried with a single
//! request now and then.

use std::time::Duration;

use paywatch_core::Timestamp;

use crate::schedule::jittered;

/// So many failures in a row, and the receiver is left alone.
const FAILURES: u32 = 5;
/// For so long at first; twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
/// At most so long.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// How a receiver fares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Circuit {
    failures: u32,
    /// How often it was left alone without an answer in between.
    pauses: u32,
    open_until: Option<Timestamp>,
}

/// How many requests it may be sent at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// As many as configured.
    Full,
    /// One, to see whether it answers again.
    One,
    /// None before this time.
    NoneBefore(Timestamp),
}

impl Circuit {
    /// One that goes on after so many failures in a row, of which the books tell: a receiver that had
    /// been left alone is tried with a single request.
    pub(crate) fn after(failures: u32) -> Self {
        Self {
            failures,
            open_until: (failures >= FAILURES).then_some(Timestamp::EPOCH),
            pauses: 0,
        }
    }

    /// What it may be sent at `now`.
    pub(crate) fn leave(&self, now: Timestamp) -> Leave {
        match self.open_until {
            None => Leave::Full,
            Some(until) if until > now => Leave::NoneBefore(until),
            Some(_) => Leave::One,
        }
    }

    /// It answered. Returns whether it had been left alone before.
    pub(crate) fn succeeded(&mut self) -> bool {
        let was_open = self.open_until.is_some();
        *self = Self::default();
        was_open
    }

    /// It failed at `now`, and asks to be left alone for `asked`, if it says so.
    pub(crate) fn failed(&mut self, now: Timestamp, asked: Option<Duration>, roll: u8) {
        self.failures = self.failures.saturating_add(1);
        // What had been sent before does not count again.
        let is_waiting = self.open_until.is_some_and(|until| until > now);
        if (self.failures < FAILURES && asked.is_none()) || (is_waiting && asked.is_none()) {
            return;
        }
        let doubled = 1_u32.checked_shl(self.pauses).unwrap_or(u32::MAX);
        let pause = FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE);
        let pause = match asked {
            Some(asked) => asked,
            None => jittered(pause, roll),
        };
        let ms = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
        let until = now.plus_ms(ms);
        self.open_until = self.open_until.max(until);
        if !is_waiting {
            self.pauses = self.pauses.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix_s(seconds).unwrap()
    }

    fn failing(now: u64) -> Circuit {
        let mut circuit = Circuit::default();
        for _ in 0..FAILURES {
            assert_eq!(circuit.leave(at(now)), Leave::Full);
            circuit.failed(at(now), None, 128);
        }
        circuit
    }

    #[test]
    fn some_failures_in_a_row_open_it() {
        let circuit = failing(100);
        let Leave::NoneBefore(until) = circuit.leave(at(100)) else {
            panic!("{circuit:?}");
        };
        assert!(until > at(108) && until < at(112));
        assert_eq!(circuit.leave(at(112)), Leave::One);
    }

    #[test]
    fn a_success_in_between_keeps_it_closed() {
        let mut circuit = Circuit::default();
        for _ in 0..20 {
            circuit.failed(at(100), None, 0);
            assert!(!circuit.succeeded());
        }
        assert_eq!(circuit.leave(at(100)), Leave::Full);
    }

    #[test]
    fn each_failed_try_makes_the_pause_longer_up_to_a_limit() {
        let mut circuit = failing(0);
        let mut now = 0;
        let mut pauses = Vec::new();
        for _ in 0..10 {
            let Leave::NoneBefore(until) = circuit.leave(at(now)) else {
                panic!("{circuit:?}");
            };
            let next = u64::try_from(until.unix_ms()).unwrap() / 1_000 + 1;
            pauses.push(next - now);
            now = next;
            assert_eq!(circuit.leave(at(now)), Leave::One);
            circuit.failed(at(now), None, 128);
        }
        assert!(pauses.is_sorted(), "{pauses:?}");
        assert!(pauses[9] >= 300 && pauses[9] <= 302, "{pauses:?}");
    }

    #[test]
    fn what_was_under_way_counts_once() {
        let mut circuit = failing(100);
        let before = circuit.leave(at(100));
        for _ in 0..30 {
            circuit.failed(at(100), None, 128);
        }
        assert_eq!(circuit.leave(at(100)), before);
    }

    #[test]
    fn what_the_books_tell_of_failures_is_gone_on_with() {
        let mut circuit = Circuit::after(FAILURES);
        assert_eq!(circuit.leave(at(100)), Leave::One);
        assert!(circuit.succeeded(), "it answers again");
        assert_eq!(Circuit::after(FAILURES - 1).leave(at(100)), Leave::Full);
    }

    #[test]
    fn what_it_asks_for_is_granted_at_once() {
        let mut circuit = Circuit::default();
        circuit.failed(at(100), Some(Duration::from_secs(50)), 0);
        assert_eq!(circuit.leave(at(149)), Leave::NoneBefore(at(150)));
        assert_eq!(circuit.leave(at(150)), Leave::One);
        assert!(circuit.succeeded());
        assert_eq!(circuit.leave(at(150)), Leave::Full);
    }
}

//! When a delivery that failed is tried again, and when it is given up.

use std::time::Duration;

/// The pauses between the attempts of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule(Vec<Duration>);

/// A schedule that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Nothing would ever be tried again.
    #[error("it has no pauses; give at least one, such as \"5s\"")]
    Empty,
    /// It is longer than anybody waits.
    #[error("a pause is longer than 7 days; a receiver that is down for so long needs a person")]
    TooLong,
}

/// The longest pause.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3_600);

impl Schedule {
    /// A delivery is tried once more after each of `pauses`.
    ///
    /// # Errors
    /// When there are none, or one is longer than a week.
    pub fn new(pauses: Vec<Duration>) -> Result<Self, ScheduleError> {
        if pauses.is_empty() {
            return Err(ScheduleError::Empty);
        }
        if pauses.iter().any(|pause| *pause > LONGEST) {
            return Err(ScheduleError::TooLong);
        }
        Ok(Self(pauses))
    }

    /// How long to wait after so many attempts, between nine and eleven tenths of what is planned, by
    /// `roll`, so that what failed together does not come back together. `None` when it is given up.
    #[must_use]
    pub fn after(&self, attempts: u32, roll: u8) -> Option<Duration> {
        let index = usize::try_from(attempts).ok()?.checked_sub(1)?;
        self.0.get(index).map(|pause| jittered(*pause, roll))
    }
}

impl Default for Schedule {
    /// Eleven attempts over a little more than three days.
    fn default() -> Self {
        let minutes = |minutes: u64| Duration::from_secs(minutes.saturating_mul(60));
        Self(vec![
            Duration::from_secs(5),
            Duration::from_secs(30),
            minutes(2),
            minutes(10),
            minutes(30),
            minutes(2 * 60),
            minutes(5 * 60),
            minutes(10 * 60),
            minutes(24 * 60),
            minutes(36 * 60),
        ])
    }
}

/// `pause` and up to a tenth more or less, by `roll`.
pub(crate) fn jittered(pause: Duration, roll: u8) -> Duration {
    let share = u32::from(roll).saturating_add(1_147);
    pause
        .saturating_mul(share)
        .checked_div(1_275)
        .unwrap_or(pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_follow_each_other_and_then_it_is_given_up() {
        let schedule =
            Schedule::new(vec![Duration::from_secs(10), Duration::from_secs(60)]).unwrap();
        assert_eq!(schedule.after(0, 0), None);
        let first = schedule.after(1, 128).unwrap();
        assert!(first.abs_diff(Duration::from_secs(10)) < Duration::from_millis(10));
        assert!(schedule.after(2, 0).unwrap() < Duration::from_secs(60));
        assert_eq!(schedule.after(3, 0), None);
    }

    #[test]
    fn jitter_stays_within_a_tenth() {
        let pause = Duration::from_secs(1_000);
        for roll in 0..=u8::MAX {
            let jittered = jittered(pause, roll);
            assert!(jittered >= Duration::from_secs(899) && jittered <= Duration::from_secs(1_101));
        }
        assert!(jittered(pause, 0) < jittered(pause, u8::MAX));
    }

    #[test]
    fn the_usual_schedule_lasts_for_days() {
        let schedule = Schedule::default();
        let total: Duration = (1..=10).filter_map(|n| schedule.after(n, 128)).sum();
        assert!(total > Duration::from_secs(3 * 24 * 3_600), "{total:?}");
        assert_eq!(schedule.after(11, 128), None);
    }

    #[test]
    fn a_schedule_has_pauses_of_sensible_length() {
        assert_eq!(Schedule::new(Vec::new()), Err(ScheduleError::Empty));
        let month = Duration::from_secs(30 * 24 * 3_600);
        assert_eq!(Schedule::new(vec![month]), Err(ScheduleError::TooLong));
    }
}

//! A moment, as whole milliseconds since 1970.

/// Milliseconds since 1970-01-01T00:00:00Z. Block timestamps, which are seconds, fit in exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The latest moment that is taken, 9999-12-31T23:59:59.999Z, so that RFC 3339 can print it.
const LATEST_MS: i64 = 253_402_300_799_999;

/// A number that is no moment between 1970 and the year 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a time between 1970 and the year 9999")]
pub struct TimeError(pub i128);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// Takes milliseconds since 1970.
    ///
    /// # Errors
    /// [`TimeError`] before 1970 or after the year 9999.
    pub const fn from_unix_ms(ms: i64) -> Result<Self, TimeError> {
        if ms < 0 || ms > LATEST_MS {
            #[expect(clippy::as_conversions, reason = "widening; From is not const")]
            return Err(TimeError(ms as i128));
        }
        Ok(Self(ms))
    }

    /// Takes seconds since 1970, as block headers carry them.
    ///
    /// # Errors
    /// [`TimeError`] after the year 9999.
    pub fn from_unix_s(seconds: u64) -> Result<Self, TimeError> {
        let refused = TimeError(i128::from(seconds));
        match i64::try_from(seconds)
            .ok()
            .and_then(|seconds| seconds.checked_mul(1_000))
        {
            Some(ms) => Self::from_unix_ms(ms).map_err(|_beyond| refused),
            None => Err(refused),
        }
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn unix_ms(self) -> i64 {
        self.0
    }

    /// This moment and `ms` milliseconds; `None` outside 1970 to 9999.
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Option<Self> {
        Self::from_unix_ms(self.0.checked_add(ms)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_milliseconds_or_an_error() {
        assert_eq!(
            Timestamp::from_unix_s(1_693_066_895).map(Timestamp::unix_ms),
            Ok(1_693_066_895_000)
        );
        assert!(Timestamp::from_unix_s(u64::MAX).is_err());
        assert!(Timestamp::from_unix_s(253_402_300_800).is_err());
        assert!(Timestamp::from_unix_ms(-1).is_err());
    }
}

//! Who has used how much, and who is blocked. It is in memory: a restart forgets it, and several
//! instances count on their own.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use paywatch_core::Timestamp;
use paywatch_store::KeyRate;
use uuid::Uuid;

use crate::limits::LimitSettings;
use crate::limits::bucket::{Bucket, Level};

/// Addresses that are counted each on its own; more than these share one bucket.
const MOST_ADDRESSES: usize = 50_000;
/// How often those who are not active any more are looked for, at most.
const SWEEP_EVERY_MS: i64 = 1_000;
/// Within how long refused requests make a nuisance.
const NUISANCE_MS: i64 = 60_000;

/// Who is counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// Whoever has the key with this id.
    Key(String),
    /// The same, where he calls as a client of the hosted gateway.
    DropIn(String),
    /// Whoever calls from this address, or in IPv6 from its network of 64 bits.
    Address(IpAddr),
    /// The addresses that came when there were too many.
    OtherAddresses,
}

impl Subject {
    /// Who calls from `address`.
    pub(crate) fn at(address: IpAddr) -> Self {
        Self::Address(match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        })
    }

    /// Whether nothing but an address is known of who calls.
    pub(crate) const fn is_address(&self) -> bool {
        match self {
            Self::Key(_) | Self::DropIn(_) => false,
            Self::Address(_) | Self::OtherAddresses => true,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) | Self::DropIn(id) => f.write_str(id),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(network)) => write!(f, "{network}/64"),
            Self::OtherAddresses => f.write_str("other addresses"),
        }
    }
}

/// Somebody who is blocked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Blocked {
    pub(crate) id: String,
    pub(crate) subject: Subject,
    pub(crate) since: Timestamp,
    pub(crate) until: Timestamp,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It passes.
    Passed(Level),
    /// It came too early.
    Refused(Level),
    /// It came from somebody who is blocked until then.
    Blocked(Level, Timestamp),
}

#[derive(Debug, Default)]
struct Entry {
    bucket: Bucket,
    /// Refused requests since a time.
    refused: u32,
    refused_since_ms: i64,
    block: Option<(String, Timestamp, Timestamp)>,
}

#[derive(Debug, Default)]
struct Table {
    entries: HashMap<Subject, Entry>,
    swept_at_ms: i64,
}

/// Counts requests.
#[derive(Debug)]
pub(crate) struct Limits {
    pub(crate) settings: LimitSettings,
    table: Mutex<Table>,
}

impl Limits {
    pub(crate) fn new(settings: LimitSettings) -> Self {
        Self {
            settings,
            table: Mutex::default(),
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a request of `subject`'s would pass.
    pub(crate) fn would_pass(&self, subject: &Subject, rate: KeyRate, now: Timestamp) -> bool {
        let table = self.table();
        table.entries.get(subject).is_none_or(|entry| {
            let is_blocked = entry.blocked_until(now).is_some();
            !is_blocked && entry.bucket.level(rate, micros(now)).remaining > 0
        })
    }

    /// Lets a request of `subject`'s pass, if there is room.
    pub(crate) fn admit(&self, subject: &Subject, rate: KeyRate, now: Timestamp) -> Admission {
        self.count(subject, rate, now, |bucket| bucket.take(rate, micros(now)))
    }

    /// Refuses a request of `subject`'s.
    pub(crate) fn refuse(&self, subject: &Subject, rate: KeyRate, now: Timestamp) -> Admission {
        self.count(subject, rate, now, |bucket| {
            (false, bucket.level(rate, micros(now)))
        })
    }

    fn count(
        &self,
        subject: &Subject,
        rate: KeyRate,
        now: Timestamp,
        take: impl FnOnce(&mut Bucket) -> (bool, Level),
    ) -> Admission {
        let mut table = self.table();
        let subject = table.place_for(subject, now);
        let entry = table.entries.entry(subject.clone()).or_default();
        if let Some(until) = entry.blocked_until(now) {
            return Admission::Blocked(entry.bucket.level(rate, micros(now)), until);
        }
        let (is_taken, level) = take(&mut entry.bucket);
        if is_taken {
            return Admission::Passed(level);
        }
        let is_one = subject != Subject::OtherAddresses;
        if is_one && entry.is_a_nuisance(self.settings.block_after, now) {
            let until = entry.block(self.settings.block_for_ms, now);
            tracing::warn!(limit.subject = %subject, "{subject} hammers on, and is blocked");
            return Admission::Blocked(level, until);
        }
        Admission::Refused(level)
    }

    /// Who is blocked, those first whose block ends first.
    pub(crate) fn blocked(&self, now: Timestamp) -> Vec<Blocked> {
        let table = self.table();
        let entries = table.entries.iter();
        let mut blocked: Vec<_> = entries
            .filter_map(|(subject, entry)| entry.seen_as(subject, now))
            .collect();
        blocked.sort_by(|one, other| (one.until, &one.id).cmp(&(other.until, &other.id)));
        blocked
    }

    /// Ends a block: whose it was, if it was one.
    pub(crate) fn lift(&self, id: &str, now: Timestamp) -> Option<Blocked> {
        let mut table = self.table();
        let mut entries = table.entries.iter();
        let lifted = entries.find_map(|(subject, entry)| {
            let blocked = entry.seen_as(subject, now);
            blocked.filter(|blocked| blocked.id == id)
        })?;
        table.entries.remove(&lifted.subject);
        Some(lifted)
    }
}

impl Table {
    /// Under whom `subject` is counted. A key always has a place of its own: there are only so
    /// many.
    fn place_for(&mut self, subject: &Subject, now: Timestamp) -> Subject {
        let is_stranger = matches!(subject, Subject::Address(_));
        let is_known = self.entries.contains_key(subject);
        if !is_stranger || is_known || self.entries.len() < MOST_ADDRESSES {
            return subject.clone();
        }
        let now_ms = now.unix_ms();
        if now_ms.saturating_sub(self.swept_at_ms).saturating_abs() >= SWEEP_EVERY_MS {
            self.swept_at_ms = now_ms;
            self.entries.retain(|_, entry| entry.is_active(now));
        }
        if self.entries.len() < MOST_ADDRESSES {
            subject.clone()
        } else {
            Subject::OtherAddresses
        }
    }
}

impl Entry {
    fn blocked_until(&self, now: Timestamp) -> Option<Timestamp> {
        let (_, since, until) = self.block.as_ref()?;
        // A clock that was set back makes nobody wait longer.
        let is_on = (*since..*until).contains(&now);
        is_on.then_some(*until)
    }

    fn seen_as(&self, subject: &Subject, now: Timestamp) -> Option<Blocked> {
        let until = self.blocked_until(now)?;
        let (id, since, _) = self.block.as_ref()?;
        Some(Blocked {
            id: id.clone(),
            subject: subject.clone(),
            since: *since,
            until,
        })
    }

    /// Counts a refused request: whether it is one too many.
    fn is_a_nuisance(&mut self, block_after: u32, now: Timestamp) -> bool {
        let since = now.unix_ms().saturating_sub(self.refused_since_ms);
        if !(0..NUISANCE_MS).contains(&since) {
            self.refused = 0;
            self.refused_since_ms = now.unix_ms();
        }
        self.refused = self.refused.saturating_add(1);
        self.refused > block_after
    }

    fn block(&mut self, for_ms: i64, now: Timestamp) -> Timestamp {
        let until = now.plus_ms(for_ms).unwrap_or(now);
        let id = format!("blk_{}", Uuid::now_v7().simple());
        self.block = Some((id, now, until));
        self.refused = 0;
        until
    }

    fn is_active(&self, now: Timestamp) -> bool {
        self.blocked_until(now).is_some() || !self.bucket.is_full(micros(now))
    }
}

const fn micros(at: Timestamp) -> i64 {
    at.unix_ms().saturating_mul(1_000)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn limits() -> Limits {
        Limits::new(LimitSettings {
            rate: rate(),
            block_after: 3,
            block_for_ms: 600_000,
            ..LimitSettings::default()
        })
    }

    fn rate() -> KeyRate {
        KeyRate {
            per_minute: NonZeroU32::new(60).unwrap(),
            burst: NonZeroU32::new(2).unwrap(),
        }
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::EPOCH.plus_ms(ms).unwrap()
    }

    fn address(text: &str) -> Subject {
        Subject::at(text.parse().unwrap())
    }

    #[test]
    fn whoever_hammers_is_blocked_for_a_while_and_nobody_else() {
        let (limits, nuisance) = (limits(), address("192.0.2.1"));
        let admit = |ms| limits.admit(&nuisance, rate(), at(ms));
        assert!(matches!(admit(0), Admission::Passed(_)));
        assert!(matches!(admit(0), Admission::Passed(_)));
        for _ in 0..3 {
            assert!(matches!(admit(0), Admission::Refused(_)));
        }
        assert!(limits.blocked(at(0)).is_empty());
        let Admission::Blocked(_, until) = admit(1) else {
            panic!("it is blocked");
        };
        assert_eq!(until, at(600_001));
        assert!(matches!(admit(600_000), Admission::Blocked(..)));
        assert!(!limits.would_pass(&nuisance, rate(), at(600_000)));
        let other = limits.admit(&address("192.0.2.2"), rate(), at(5));
        assert!(matches!(other, Admission::Passed(_)));
        let [blocked] = limits.blocked(at(5)).try_into().unwrap();
        assert_eq!((blocked.subject, blocked.until), (nuisance.clone(), until));
        assert!(matches!(admit(600_001), Admission::Passed(_)));
        assert!(limits.blocked(at(600_001)).is_empty());
    }

    #[test]
    fn refusals_that_are_far_apart_block_nobody() {
        let (limits, slow) = (limits(), Subject::Key("key_1".to_owned()));
        for minute in 0..20 {
            for _ in 0..3 {
                let refused = limits.refuse(&slow, rate(), at(minute * 60_000));
                assert!(matches!(refused, Admission::Refused(_)), "{minute}");
            }
        }
    }

    #[test]
    fn a_block_is_lifted_once_and_begins_anew() {
        let (limits, key) = (limits(), Subject::Key("key_1".to_owned()));
        for _ in 0..4 {
            limits.refuse(&key, rate(), at(0));
        }
        let [blocked] = limits.blocked(at(0)).try_into().unwrap();
        assert_eq!(limits.lift("blk_0", at(0)), None);
        assert_eq!(limits.lift(&blocked.id, at(0)), Some(blocked.clone()));
        assert_eq!(limits.lift(&blocked.id, at(0)), None);
        assert!(matches!(
            limits.admit(&key, rate(), at(0)),
            Admission::Passed(_)
        ));
    }

    #[test]
    fn a_network_of_ipv6_is_one_and_too_many_addresses_are_one() {
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff:1"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
        assert_eq!(address("2001:db8::1").to_string(), "2001:db8::/64");

        let limits = limits();
        for number in 0..60_000_u32 {
            let one = Subject::at(std::net::Ipv4Addr::from_bits(number).into());
            limits.admit(&one, rate(), at(0));
        }
        let entries = limits.table().entries.len();
        assert_eq!(entries, MOST_ADDRESSES + 1);
        let fresh = limits.admit(&address("192.0.2.9"), rate(), at(0));
        assert!(matches!(fresh, Admission::Refused(_)), "{fresh:?}");
        assert!(limits.blocked(at(0)).is_empty(), "nobody did anything");
        let key = Subject::Key("key_1".to_owned());
        assert!(matches!(
            limits.admit(&key, rate(), at(0)),
            Admission::Passed(_)
        ));
        let later = limits.admit(&address("192.0.2.9"), rate(), at(5_000));
        assert!(matches!(later, Admission::Passed(_)), "{later:?}");
        assert!(limits.table().entries.len() < 10);
    }
}

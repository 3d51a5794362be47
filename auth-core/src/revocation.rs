//! Stores the revoked sessions whose access tokens may not have expired yet.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher as _, BuildHasherDefault, Hasher, RandomState};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{SystemTime, UNIX_EPOCH};

mod bloom_filter;
mod feed_token;
#[cfg(feature = "remote")]
mod freshness;

use bloom_filter::BloomFilter;
pub use feed_token::FeedTokens;
#[cfg(feature = "remote")]
pub use freshness::StalePolicy;
#[cfg(feature = "remote")]
pub(crate) use freshness::{Freshness, RevocationSource};

/// A set of revoked sessions in memory, which a [`TokenVerifier`](crate::TokenVerifier) consults. Clones share one set.
///
/// The empty set takes 128 KiB. From 100 sessions on, a session takes at most 40 bytes until [`purge`](Self::purge)
/// removes it. The set stores a 64-bit hash of the session id (SipHash-1-3) with a random key, so no attacker can
/// prepare collisions. With 100 000 revoked sessions, about one in 10^14 active sessions is mistaken for revoked.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use auth_core::RevokedSessions;
///
/// let revoked = RevokedSessions::default();
/// revoked.insert("session-7", SystemTime::now() + Duration::from_secs(900));
/// assert!(revoked.contains("session-7"));
/// assert!(!revoked.contains("session-8"));
/// ```
#[derive(Clone, Default)]
pub struct RevokedSessions(Arc<Inner>);

#[derive(Default)]
struct Inner {
    random_state: RandomState,
    filter: BloomFilter,
    sessions: RwLock<Sessions>,
    /// All tokens that were issued before this time are revoked, in seconds since 1970; 0 for none.
    issued_before: AtomicI64,
}

/// Maps the hash of a session id to the time from which the entry may be removed, in seconds since 1970.
type Sessions = HashMap<u64, u32, BuildHasherDefault<IdentityHasher>>;

impl RevokedSessions {
    /// Adds a session. After `until`, [`purge`](Self::purge) removes the session: choose the expiry of its last access
    /// token plus an allowance for clock differences. If the session is in the set already, the later `until` applies.
    pub fn insert(&self, session_id: &str, until: SystemTime) {
        let hash = self.0.random_state.hash_one(session_id);
        let removable_at = unix_seconds(until).saturating_add(1);
        let mut sessions = self.write();
        self.0.filter.insert(hash);
        let entry = sessions.entry(hash).or_insert(removable_at);
        *entry = removable_at.max(*entry);
    }

    /// Returns whether the session is in the set. Allocates nothing. With 100 000 revoked sessions, about nine in ten
    /// lookups of active sessions take no lock.
    #[must_use]
    pub fn contains(&self, session_id: &str) -> bool {
        let hash = self.0.random_state.hash_one(session_id);
        self.0.filter.may_contain(hash) && self.read().contains_key(&hash)
    }

    /// Also revokes all tokens that were issued before `time`, for example because the database was restored from a
    /// backup, which does not know which sessions have ended since. A later `time` of an earlier call stays in force.
    pub fn revoke_issued_before(&self, time: SystemTime) {
        // A token of the second in which `time` lies may have been issued before `time`.
        let since_1970 = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = since_1970.as_secs() + u64::from(since_1970.subsec_nanos() > 0);
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        self.0.issued_before.fetch_max(seconds, Ordering::AcqRel);
    }

    /// Returns whether [`revoke_issued_before`](Self::revoke_issued_before) has revoked the tokens with this `iat`.
    #[must_use]
    pub fn revokes_issued_at(&self, iat: i64) -> bool {
        iat < self.0.issued_before.load(Ordering::Acquire)
    }

    /// Removes the sessions whose `until` has passed and frees their memory. Call this regularly, such as every minute.
    pub fn purge(&self, now: SystemTime) {
        let now_seconds = unix_seconds(now);
        let mut sessions = self.write();
        sessions.retain(|_, removable_at| *removable_at > now_seconds || *removable_at == NEVER);
        self.0.filter.rebuild(sessions.keys().copied());
        sessions.shrink_to_fit();
    }

    /// Returns the number of sessions in the set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read().len()
    }

    /// Returns whether the set has no sessions.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    // A poisoned lock is used like any other, because no code panics while the map is inconsistent.
    fn read(&self) -> RwLockReadGuard<'_, Sessions> {
        self.0
            .sessions
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Sessions> {
        self.0
            .sessions
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows the number of sessions only.
impl fmt::Debug for RevokedSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RevokedSessions({})", self.len())
    }
}

/// The time of an entry that is never removed.
const NEVER: u32 = u32::MAX;

/// Converts a time to seconds since 1970: 0 for a time before 1970, [`NEVER`] for a time that does not fit (after 7
/// February 2106).
fn unix_seconds(time: SystemTime) -> u32 {
    let since_1970 = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u32::try_from(since_1970.as_secs()).unwrap_or(NEVER)
}

/// Returns each key as its own hash: the keys of the map are hashes already.
#[derive(Default)]
struct IdentityHasher(u64);

impl Hasher for IdentityHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use super::RevokedSessions;
    use std::time::{Duration, UNIX_EPOCH};

    fn unix_time(seconds: u64) -> std::time::SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn an_entry_is_kept_until_its_time_has_passed() {
        let revoked = RevokedSessions::default();
        revoked.insert("a", unix_time(100));
        revoked.purge(unix_time(100));
        assert!(revoked.contains("a"));
        revoked.purge(unix_time(101));
        assert!(!revoked.contains("a") && revoked.is_empty());
    }

    #[test]
    fn an_earlier_time_does_not_shorten_an_entry() {
        let revoked = RevokedSessions::default();
        revoked.insert("a", unix_time(200));
        revoked.insert("a", unix_time(100));
        revoked.purge(unix_time(150));
        assert!(revoked.contains("a"));
    }

    #[test]
    fn purging_removes_expired_entries_only() {
        let revoked = RevokedSessions::default();
        for number in 0..10_000_u64 {
            revoked.insert(&number.to_string(), unix_time(100 + number % 2));
        }
        revoked.purge(unix_time(101));
        for number in 0..10_000_u64 {
            assert_eq!(revoked.contains(&number.to_string()), number % 2 == 1);
        }
        let hash_of_bit = |number: u64| ((number >> 6) << 50) | (number & 63);
        let set_bits =
            (0..1 << 20).filter(|number| revoked.0.filter.may_contain(hash_of_bit(*number)));
        assert!(set_bits.count() <= 5_000, "old bits are still set");
    }

    #[test]
    fn tokens_of_the_second_of_a_restore_and_of_earlier_seconds_are_revoked() {
        let revoked = RevokedSessions::default();
        assert!(!revoked.revokes_issued_at(0));
        for (time, last_revoked) in [
            (unix_time(100), 99),
            (unix_time(100) + Duration::from_nanos(1), 100),
            (unix_time(101), 100),
            (unix_time(50), 100),
        ] {
            revoked.clone().revoke_issued_before(time);
            let is_revoked =
                [-1, 0, 1].map(|offset| revoked.revokes_issued_at(last_revoked + offset));
            assert_eq!(is_revoked, [true, true, false], "{time:?}");
        }
        revoked.purge(unix_time(1_000_000));
        assert!(revoked.revokes_issued_at(100), "purged");
    }

    #[test]
    fn clones_share_the_set() {
        let revoked = RevokedSessions::default();
        revoked.clone().insert("a", unix_time(100));
        assert!(revoked.contains("a"));
    }

    #[test]
    fn purging_frees_memory() {
        let revoked = RevokedSessions::default();
        for number in 0..10_000 {
            revoked.insert(&number.to_string(), unix_time(100));
        }
        revoked.purge(unix_time(101));
        assert!(revoked.read().capacity() < 100);
    }
}

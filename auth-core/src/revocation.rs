//! The sessions that were ended although their access tokens could still be alive.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher as _, BuildHasherDefault, Hasher, RandomState};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{SystemTime, UNIX_EPOCH};

mod feed_token;
mod marks;

pub use feed_token::FeedTokens;
use marks::Marks;

/// A set of ended sessions, in memory, that a [`TokenVerifier`](crate::TokenVerifier) consults. Clones share it.
///
/// Each session takes at most 40 bytes, until no access token of it can be alive, and the set itself 128 KiB. Kept is not
/// the id but a 64-bit hash of it under a key that is new in every process (SipHash-1-3), so nobody can prepare a
/// collision; among 100 000 ended sessions a live one is mistaken for ended with a probability of 1 in 10^14.
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
    key: RandomState,
    marks: Marks,
    /// Hash of the session id; when it may be forgotten, in seconds since 1970.
    until: RwLock<HashMap<u64, u32, BuildHasherDefault<Hashed>>>,
}

impl RevokedSessions {
    /// Refuses the session's tokens from now on. After `until` it may be forgotten: choose the time at which its last
    /// access token expires, and some more for clocks that differ. A later `until` wins.
    pub fn insert(&self, session_id: &str, until: SystemTime) {
        let hash = self.0.key.hash_one(session_id);
        let until = seconds(until).saturating_add(1);
        let mut sessions = self.write();
        self.0.marks.set(hash);
        let kept = sessions.entry(hash).or_insert(until);
        *kept = until.max(*kept);
    }

    /// Whether the session was ended.
    #[must_use]
    pub fn contains(&self, session_id: &str) -> bool {
        let hash = self.0.key.hash_one(session_id);
        self.0.marks.may_have(hash) && self.read().contains_key(&hash)
    }

    /// Forgets sessions whose time is over, and gives their memory back. Call it now and then.
    pub fn purge(&self, now: SystemTime) {
        let now = seconds(now);
        let mut sessions = self.write();
        sessions.retain(|_, until| *until > now || *until == FOR_EVER);
        self.0.marks.keep(sessions.keys().copied());
        sessions.shrink_to_fit();
    }

    /// How many sessions are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read().len()
    }

    /// Whether it is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    // No code panics while it holds the lock, so a poisoned one still guards a good map.
    fn read(&self) -> RwLockReadGuard<'_, HashMap<u64, u32, BuildHasherDefault<Hashed>>> {
        self.0.until.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<u64, u32, BuildHasherDefault<Hashed>>> {
        self.0.until.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for RevokedSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RevokedSessions({})", self.len())
    }
}

const FOR_EVER: u32 = u32::MAX;

/// Good until 2106; later is [`FOR_EVER`].
fn seconds(time: SystemTime) -> u32 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u32::try_from(since.as_secs()).unwrap_or(FOR_EVER)
}

/// The keys are hashes already.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
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

    fn at(seconds: u64) -> std::time::SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_session_is_kept_until_its_time_and_then_forgotten() {
        let revoked = RevokedSessions::default();
        revoked.insert("a", at(100));
        revoked.purge(at(100));
        assert!(revoked.contains("a"));
        revoked.purge(at(101));
        assert!(!revoked.contains("a") && revoked.is_empty());
    }

    #[test]
    fn the_later_time_wins() {
        let revoked = RevokedSessions::default();
        revoked.insert("a", at(200));
        revoked.insert("a", at(100));
        revoked.purge(at(150));
        assert!(revoked.contains("a"));
    }

    #[test]
    fn purging_forgets_no_other() {
        let revoked = RevokedSessions::default();
        for number in 0..10_000_u64 {
            revoked.insert(&number.to_string(), at(100 + number % 2));
        }
        revoked.purge(at(101));
        for number in 0..10_000_u64 {
            assert_eq!(revoked.contains(&number.to_string()), number % 2 == 1);
        }
        let marked = (0..10_000).filter(|number| revoked.0.marks.may_have(number << 44));
        assert!(marked.count() < 200, "old marks are left");
    }

    #[test]
    fn clones_share_the_set() {
        let revoked = RevokedSessions::default();
        revoked.clone().insert("a", at(100));
        assert!(revoked.contains("a"));
    }

    #[test]
    fn memory_is_given_back() {
        let revoked = RevokedSessions::default();
        for number in 0..10_000 {
            revoked.insert(&number.to_string(), at(100));
        }
        revoked.purge(at(101));
        assert!(revoked.read().capacity() < 100);
    }
}

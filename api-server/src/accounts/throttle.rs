//! Failed logins: after too many for one address from one network, the next are turned away unhashed.
//!
//! Nobody else is affected: the owner of the address still logs in from elsewhere, so this cannot lock anybody out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::email::Email;
use crate::problem::{Code, Problem};

/// NIST SP 800-63B allows no more than 100 failures in a row.
const MAX_FAILURES: u32 = 100;
const WINDOW: Duration = Duration::from_secs(15 * 60);
/// How many (address, network) pairs are remembered: some 2 MiB.
const CAPACITY: usize = 10_000;

/// Counts failures per address and network, in memory, per process.
#[derive(Default)]
pub(crate) struct Throttle {
    failures: Mutex<HashMap<Key, Failures>>,
}

/// An IPv6 customer has a whole /64.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    email: Email,
    network: Option<IpAddr>,
}

impl Key {
    pub(crate) fn new(email: Email, peer: Option<IpAddr>) -> Self {
        let network = peer.map(|address| match address.to_canonical() {
            IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() >> 64 << 64).into()),
            v4 @ IpAddr::V4(_) => v4,
        });
        Self { email, network }
    }
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    since: SystemTime,
}

impl Failures {
    /// How long the window still lasts; zero when it is over or the clock was set back.
    fn remaining(&self, now: SystemTime) -> Duration {
        let elapsed = now.duration_since(self.since).unwrap_or(WINDOW);
        WINDOW.saturating_sub(elapsed)
    }
}

impl Throttle {
    /// Refuses with 429 when this pair has failed too often.
    pub(crate) fn check(&self, key: &Key, now: SystemTime) -> Result<(), Problem> {
        let failures = self.lock().get(key).copied();
        let Some(failures) = failures.filter(|failures| failures.count >= MAX_FAILURES) else {
            return Ok(());
        };
        match failures.remaining(now) {
            Duration::ZERO => Ok(()),
            wait => Err(Problem::new(
                Code::TooManyRequests,
                "Too many failed attempts for this address; please wait",
            )
            .retry_after(wait.as_secs().saturating_add(1))),
        }
    }

    pub(crate) fn failed(&self, key: Key, now: SystemTime) {
        let mut failures = self.lock();
        if failures.len() >= CAPACITY && !failures.contains_key(&key) {
            make_room(&mut failures, now);
        }
        let fresh = Failures {
            count: 0,
            since: now,
        };
        let entry = failures.entry(key).or_insert(fresh);
        if entry.remaining(now).is_zero() {
            *entry = fresh;
        }
        entry.count = entry.count.saturating_add(1);
    }

    pub(crate) fn succeeded(&self, key: &Key) {
        self.lock().remove(key);
    }

    /// Counters stay usable after a panic elsewhere.
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets what is over, else whoever failed least: a flood of new addresses must not hide a long attack.
fn make_room(failures: &mut HashMap<Key, Failures>, now: SystemTime) {
    failures.retain(|_, entry| !entry.remaining(now).is_zero());
    if failures.len() < CAPACITY {
        return;
    }
    let least = failures.values().map(|entry| entry.count).min();
    failures.retain(|_, entry| Some(entry.count) != least);
}

#[cfg(test)]
mod tests {
    use super::{CAPACITY, Email, Key, MAX_FAILURES, Throttle, WINDOW};
    use std::time::{Duration, SystemTime};

    fn key(email: &str, peer: &str) -> Key {
        Key::new(Email::parse(email).unwrap(), peer.parse().ok())
    }

    fn fail(throttle: &Throttle, key: &Key, times: u32, now: SystemTime) {
        for _ in 0..times {
            throttle.failed(key.clone(), now);
        }
    }

    #[test]
    fn the_hundredth_failure_closes_the_door_and_the_window_opens_it() {
        let (throttle, now) = (Throttle::default(), SystemTime::now());
        let key = key("a@b.example", "10.0.0.1");
        fail(&throttle, &key, MAX_FAILURES - 1, now);
        assert!(throttle.check(&key, now).is_ok());
        fail(&throttle, &key, 1, now);
        assert!(throttle.check(&key, now).is_err());
        assert!(
            throttle
                .check(&key, now + WINDOW - Duration::from_secs(1))
                .is_err()
        );
        assert!(throttle.check(&key, now + WINDOW).is_ok());
    }

    #[test]
    fn another_network_and_another_address_are_not_affected() {
        let (throttle, now) = (Throttle::default(), SystemTime::now());
        fail(
            &throttle,
            &key("a@b.example", "10.0.0.1"),
            MAX_FAILURES,
            now,
        );
        assert!(throttle.check(&key("a@b.example", "10.0.0.2"), now).is_ok());
        assert!(throttle.check(&key("c@b.example", "10.0.0.1"), now).is_ok());
    }

    #[test]
    fn an_ipv6_neighbour_in_the_same_64_counts_as_the_same_network() {
        let (throttle, now) = (Throttle::default(), SystemTime::now());
        fail(
            &throttle,
            &key("a@b.example", "2001:db8::1"),
            MAX_FAILURES,
            now,
        );
        assert!(
            throttle
                .check(&key("A@b.example", "2001:db8::ffff"), now)
                .is_err()
        );
        assert!(
            throttle
                .check(&key("a@b.example", "2001:db8:0:1::1"), now)
                .is_ok()
        );
    }

    #[test]
    fn a_success_starts_over() {
        let (throttle, now) = (Throttle::default(), SystemTime::now());
        let key = key("a@b.example", "10.0.0.1");
        fail(&throttle, &key, MAX_FAILURES - 1, now);
        throttle.succeeded(&key);
        fail(&throttle, &key, MAX_FAILURES - 1, now);
        assert!(throttle.check(&key, now).is_ok());
    }

    #[test]
    fn a_flood_of_addresses_is_bounded_and_does_not_hide_the_attacked_one() {
        let (throttle, now) = (Throttle::default(), SystemTime::now());
        let attacked = key("a@b.example", "10.0.0.1");
        fail(&throttle, &attacked, MAX_FAILURES, now);
        for number in 0..(CAPACITY * 2) {
            throttle.failed(key(&format!("u{number}@b.example"), "10.0.0.1"), now);
        }
        assert!(throttle.lock().len() <= CAPACITY);
        assert!(throttle.check(&attacked, now).is_err());
    }
}

//! The memory of the set of revoked sessions.

use std::time::{Duration, SystemTime};

use allocation_counter::measure;
use auth_core::RevokedSessions;

/// The documented limit per session, in bytes.
const MAX_BYTES: u64 = 40;

/// The hash table doubles when it is full and is emptiest just after that, so every size is measured.
#[test]
fn a_revoked_session_takes_at_most_40_bytes_at_every_size() {
    let (revoked, until) = (RevokedSessions::default(), SystemTime::now());
    let mut bytes = 0;
    let mut max = 0;
    for count in 1..=200_000_u64 {
        let id = format!("0198f2d4-8a02-7d51-8f0e-{count:012x}");
        let grown = measure(|| revoked.insert(&id, until)).bytes_current;
        bytes += u64::try_from(grown).unwrap_or_default();
        // The first few sessions share the smallest table.
        if count >= 100 {
            max = max.max(bytes / count);
        }
    }
    assert!((1..=MAX_BYTES).contains(&max), "{max} bytes");
}

/// The limit also holds after any part of a full table is purged.
#[test]
fn a_session_that_stays_takes_at_most_40_bytes_after_a_purge() {
    const FULL: u64 = 114_688;
    let now = SystemTime::now();
    let mut bytes = Vec::new();
    for tenths in 1..10 {
        let revoked = RevokedSessions::default();
        let kept = measure(|| {
            for number in 0..FULL {
                let age = if number % 10 < tenths { 100 } else { 0 };
                revoked.insert(&number.to_string(), now + Duration::from_secs(age));
            }
            revoked.purge(now + Duration::from_secs(2));
        });
        let count = u64::try_from(revoked.len()).unwrap_or_default();
        bytes.push(u64::try_from(kept.bytes_current).unwrap_or_default() / count);
    }
    let fits = |bytes: &u64| (1..=MAX_BYTES).contains(bytes);
    assert!(bytes.iter().all(fits), "{bytes:?}");
}

#[test]
fn lookups_allocate_nothing() {
    let revoked = RevokedSessions::default();
    revoked.insert("a", SystemTime::now() + Duration::from_secs(900));
    let lookups = measure(|| assert!(revoked.contains("a") && !revoked.contains("b")));
    assert_eq!(lookups.count_total, 0);
}

#[test]
fn purged_sessions_free_their_memory() {
    let revoked = RevokedSessions::default();
    let now = SystemTime::now();
    let kept = measure(|| {
        for number in 0..100_000 {
            revoked.insert(&number.to_string(), now);
        }
        revoked.purge(now + Duration::from_secs(2));
    });
    assert!(revoked.is_empty());
    assert!(kept.bytes_current < 4096, "{} bytes", kept.bytes_current);
}

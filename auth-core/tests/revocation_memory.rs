//! What an ended session takes of memory. The crate under `allocation_counter` replaces the allocator, hence a file of
//! its own.

use std::time::{Duration, SystemTime};

use allocation_counter::measure;
use auth_core::RevokedSessions;

const MOST_BYTES: u64 = 40;

/// The table doubles, so it is emptiest just after that: every number up to there is tried.
#[test]
fn an_ended_session_takes_at_most_40_bytes_whatever_their_number() {
    let (revoked, until) = (RevokedSessions::default(), SystemTime::now());
    let mut bytes = 0;
    let mut most = 0;
    for count in 1..=200_000_u64 {
        let id = format!("0198f2d4-8a02-7d51-8f0e-{count:012x}");
        let grown = measure(|| revoked.insert(&id, until)).bytes_current;
        bytes += u64::try_from(grown).unwrap_or_default();
        // A handful has a whole table for itself.
        if count >= 100 {
            most = most.max(bytes / count);
        }
    }
    assert!((1..=MOST_BYTES).contains(&most), "{most} bytes");
}

/// Whatever part of a full table is forgotten, what stays takes no more than that.
#[test]
fn a_session_that_stays_takes_at_most_40_bytes_too() {
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
    let fits = |bytes: &u64| (1..=MOST_BYTES).contains(bytes);
    assert!(bytes.iter().all(fits), "{bytes:?}");
}

#[test]
fn asking_allocates_nothing() {
    let revoked = RevokedSessions::default();
    revoked.insert("a", SystemTime::now() + Duration::from_secs(900));
    let asked = measure(|| assert!(revoked.contains("a") && !revoked.contains("b")));
    assert_eq!(asked.count_total, 0);
}

#[test]
fn what_is_forgotten_gives_its_memory_back() {
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

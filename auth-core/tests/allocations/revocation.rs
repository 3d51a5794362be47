//! Tests how much memory the set of revoked sessions uses.

use std::time::{Duration, SystemTime};

use allocation_counter::measure;
use auth_core::Revocations;

/// The documented memory limit per revoked session, in bytes.
const MAX_BYTES_PER_SESSION: u64 = 40;

/// The memory is measured after each insertion, because a hash table wastes the most memory when it has just grown.
#[test]
fn a_revoked_session_takes_at_most_40_bytes_in_a_set_of_at_least_100() {
    let (revoked_sessions, until) = (Revocations::default(), SystemTime::now());
    let mut total_bytes = 0;
    let mut max_bytes = 0;
    for session_count in 1..=200_000_u64 {
        let id = format!("0198f2d4-8a02-7d51-8f0e-{session_count:012x}");
        let growth_bytes = measure(|| revoked_sessions.revoke_session(&id, until)).bytes_current;
        total_bytes += u64::try_from(growth_bytes).unwrap_or_default();
        // The limit applies from 100 sessions on. A single session takes more, because the smallest hash table has
        // space for several.
        if session_count >= 100 {
            max_bytes = max_bytes.max(total_bytes / session_count);
        }
    }
    assert!(
        (1..=MAX_BYTES_PER_SESSION).contains(&max_bytes),
        "{max_bytes} bytes"
    );
}

/// The documented memory limit per stale user, in bytes.
const MAX_BYTES_PER_STALE_USER: u64 = 64;
/// The size of the Bloom filter that the first stale user creates, in bytes.
const FILTER_BYTES: u64 = 128 * 1024;

#[test]
fn a_stale_user_takes_at_most_64_bytes_in_a_set_of_at_least_100() {
    let (revocations, until) = (Revocations::default(), SystemTime::now());
    let mut total_bytes = 0;
    let mut max_bytes = 0;
    for user_count in 1..=200_000_u64 {
        let id = format!("0198f2d4-7c1e-7bb3-9a55-{user_count:012x}");
        let growth_bytes = measure(|| revocations.mark_stale(&id, user_count, until)).bytes_current;
        total_bytes += u64::try_from(growth_bytes).unwrap_or_default();
        if user_count >= 100 {
            max_bytes = max_bytes.max((total_bytes - FILTER_BYTES) / user_count);
        }
    }
    assert!(
        (1..=MAX_BYTES_PER_STALE_USER).contains(&max_bytes),
        "{max_bytes} bytes"
    );
}

/// Purges one to nine tenths of the entries of a full hash table.
#[test]
fn a_session_that_stays_takes_at_most_40_bytes_after_a_purge() {
    /// The number of entries of a hash table that grows at the next entry: 7/8 of its 131 072 slots.
    const FULL_TABLE_LENGTH: u64 = 114_688;
    let now = SystemTime::now();
    let mut bytes_per_session = Vec::new();
    for kept_tenths in 1..10 {
        let revoked_sessions = Revocations::default();
        let memory = measure(|| {
            for number in 0..FULL_TABLE_LENGTH {
                let seconds = if number % 10 < kept_tenths { 100 } else { 0 };
                revoked_sessions
                    .revoke_session(&number.to_string(), now + Duration::from_secs(seconds));
            }
            revoked_sessions.purge(now + Duration::from_secs(2));
        });
        let kept_count = u64::try_from(revoked_sessions.len()).unwrap_or_default();
        bytes_per_session
            .push(u64::try_from(memory.bytes_current).unwrap_or_default() / kept_count);
    }
    let fits = |bytes: &u64| (1..=MAX_BYTES_PER_SESSION).contains(bytes);
    assert!(bytes_per_session.iter().all(fits), "{bytes_per_session:?}");
}

#[test]
fn lookups_allocate_nothing() {
    let revoked_sessions = Revocations::default();
    revoked_sessions.revoke_session("a", SystemTime::now() + Duration::from_secs(900));
    let allocations = measure(|| {
        assert!(revoked_sessions.has_session("a") && !revoked_sessions.has_session("b"));
    });
    assert_eq!(allocations.count_total, 0);
}

#[test]
fn purged_sessions_free_their_memory() {
    let revoked_sessions = Revocations::default();
    let now = SystemTime::now();
    let memory = measure(|| {
        for number in 0..100_000 {
            revoked_sessions.revoke_session(&number.to_string(), now);
        }
        revoked_sessions.purge(now + Duration::from_secs(2));
    });
    assert!(revoked_sessions.is_empty());
    assert!(
        memory.bytes_current < 4096,
        "{} bytes",
        memory.bytes_current
    );
}

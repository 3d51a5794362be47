//! Compares the set of revoked sessions with a model, and tests extreme times.

mod stale;
mod subjects;

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_core::Revocations;
use proptest::prelude::*;

/// An operation on the set of revoked sessions.
#[derive(Debug, Clone)]
enum Operation {
    /// Revokes the session with this id until this time, in seconds since 1970.
    Insert(u8, u32),
    /// Purges the set at this time, in seconds since 1970.
    Purge(u32),
}

fn any_operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        4 => (any::<u8>(), 0_u32..1000).prop_map(|(id, until)| Operation::Insert(id, until)),
        1 => (0_u32..1000).prop_map(Operation::Purge),
    ]
}

fn time_at(seconds: u32) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds.into())
}

proptest! {
    /// Compares the set with a model: a map from the session id to the time until which a purge keeps the session.
    #[test]
    fn the_set_contains_revoked_sessions_until_a_purge_after_their_time(operations in proptest::collection::vec(any_operation(), 0..200)) {
        let revoked_sessions = Revocations::default();
        let mut model: HashMap<u8, u32> = HashMap::new();
        for operation in operations {
            match operation {
                Operation::Insert(id, until) => {
                    revoked_sessions.revoke_session(&id.to_string(), time_at(until));
                    let model_until = model.entry(id).or_insert(until);
                    *model_until = until.max(*model_until);
                }
                Operation::Purge(now) => {
                    revoked_sessions.purge(time_at(now));
                    model.retain(|_, until| *until >= now);
                }
            }
            prop_assert_eq!(revoked_sessions.len(), model.len());
            for id in 0..=u8::MAX {
                prop_assert_eq!(revoked_sessions.has_session(&id.to_string()), model.contains_key(&id));
            }
        }
    }

    #[test]
    fn an_entry_is_kept_to_its_last_nanosecond(id in any::<String>(), until_nanos in any::<u64>(), purge_nanos in any::<u64>()) {
        let until = Duration::from_nanos(until_nanos);
        let purged_at = Duration::from_nanos(purge_nanos).min(until);
        let revoked_sessions = Revocations::default();
        revoked_sessions.revoke_session(&id, UNIX_EPOCH + until);
        revoked_sessions.purge(UNIX_EPOCH + purged_at);
        prop_assert!(revoked_sessions.has_session(&id));
        let other_id = format!("{id}.");
        prop_assert!(!revoked_sessions.has_session(&other_id));
    }
}

#[test]
fn extreme_times_do_not_panic() {
    let revoked_sessions = Revocations::default();
    let centuries = Duration::from_secs(400 * 366 * 24 * 60 * 60);
    for time in [UNIX_EPOCH - centuries, UNIX_EPOCH, UNIX_EPOCH + centuries] {
        revoked_sessions.revoke_session("a", time);
        assert!(revoked_sessions.has_session("a"));
        revoked_sessions.purge(UNIX_EPOCH - centuries);
        assert!(revoked_sessions.has_session("a"));
    }
    assert_eq!(revoked_sessions.len(), 1);
    assert!(!revoked_sessions.is_empty());
}

#[test]
fn debug_output_shows_the_number_of_entries_only() {
    let revoked_sessions = Revocations::default();
    revoked_sessions.revoke_session("session-7", UNIX_EPOCH);
    assert_eq!(format!("{revoked_sessions:?}"), "Revocations(1)");
}

//! Contains the queries of a restore, such as those that end all sessions of the restored database.

use diesel::prelude::*;

use crate::db::schema::{outbox, sessions, users};
use crate::db::{DbConnection, Timestamp, lock_for_restore, write_transaction};
use crate::sessions::revocation::store::{FeedState, feed_state, set_feed_state};

/// The tables that [`invalidate_all`] changes, in the order in which other transactions lock them.
const CHANGED_TABLES: &str = "users, sessions, outbox, revocation_sequence";

pub(super) fn count_accounts(connection: &mut DbConnection) -> QueryResult<i64> {
    users::table.count().get_result(connection)
}

pub(super) fn read_feed_state(connection: &mut DbConnection) -> QueryResult<FeedState> {
    feed_state(connection)
}

/// Deletes all sessions, and makes all tokens and mailed links and codes invalid, except links that undo a change of
/// the email address. Returns the number of deleted sessions. `replaced` is the state of the database that the backup
/// has replaced, if it is known. `read_time` is called after other processes can no longer begin or refresh a session.
pub(super) fn invalidate_all(
    connection: &mut DbConnection,
    replaced: Option<FeedState>,
    read_time: impl FnOnce() -> Timestamp,
) -> QueryResult<usize> {
    write_transaction(connection, |connection| {
        lock_for_restore(connection, CHANGED_TABLES)?;
        let ended_count = diesel::delete(sessions::table).execute(connection)?;
        // Mailed tokens and codes are computed with the user's mail key. If the key of the backup stayed, those that
        // were used since the backup would be valid again. Tokens that undo a change of the email address have keys of
        // their own, which stay.
        diesel::update(users::table.filter(users::mail_key.is_not_null()))
            .set(users::mail_key.eq(None::<String>))
            .execute(connection)?;
        // The mails that wait in a backup may have been sent since, and their codes may have been used or guessed.
        diesel::delete(outbox::table).execute(connection)?;
        let restored = feed_state(connection)?;
        let next_state = next_state(restored, replaced.unwrap_or(restored), read_time());
        set_feed_state(connection, next_state)?;
        Ok(ended_count)
    })
}

/// Returns a state whose numbers no process has seen before: neither in the backup, nor in the database that it
/// replaces. The microseconds since 1970 are higher than any number of revocations.
fn next_state(restored: FeedState, replaced: FeedState, issued_before: Timestamp) -> FeedState {
    let micros = issued_before.unix_micros();
    let highest = |number: fn(&FeedState) -> i64| number(&restored).max(number(&replaced));
    FeedState {
        newest_sequence: micros.max(highest(|state| state.newest_sequence).saturating_add(1)),
        generation: micros.max(highest(|state| state.generation).saturating_add(1)),
        issued_before: Some(issued_before),
    }
}

#[cfg(test)]
mod tests {
    use super::next_state;
    use crate::db::Timestamp;
    use crate::sessions::revocation::store::FeedState;

    const MICROS: i64 = 1_795_000_000_000_000;

    fn state(newest_sequence: i64, generation: i64) -> FeedState {
        FeedState {
            newest_sequence,
            generation,
            issued_before: None,
        }
    }

    #[test]
    fn the_numbers_after_a_restore_are_higher_than_all_numbers_before() {
        for (restored, replaced, expected) in [
            (state(0, 0), state(0, 0), (MICROS, MICROS)),
            (state(7, 0), state(9, 0), (MICROS, MICROS)),
            (state(MICROS, MICROS), state(0, 0), (MICROS + 1, MICROS + 1)),
            (
                state(0, 0),
                state(MICROS + 5, MICROS + 3),
                (MICROS + 6, MICROS + 4),
            ),
            (state(i64::MAX, 0), state(0, 0), (i64::MAX, MICROS)),
        ] {
            let time = Timestamp::from_unix_micros(MICROS);
            let next = next_state(restored, replaced, time);
            assert_eq!((next.newest_sequence, next.generation), expected);
            assert_eq!(next.issued_before, Some(time));
        }
    }

    #[test]
    fn a_restore_with_the_right_clock_corrects_one_with_a_clock_in_the_future() {
        let far_future = Timestamp::from_unix_micros(2 * MICROS);
        let wrong = next_state(state(0, 0), state(0, 0), far_future);
        let right = next_state(wrong, wrong, Timestamp::from_unix_micros(MICROS));
        assert_eq!(right.generation, wrong.generation + 1);
        assert_eq!(
            right.issued_before,
            Some(Timestamp::from_unix_micros(MICROS))
        );
    }
}

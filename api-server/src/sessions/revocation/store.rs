//! Contains the queries on the tables `revocations` and `revocation_sequence`.

use diesel::prelude::*;

use crate::db::schema::{revocation_sequence, revocations};
use crate::db::{DbConnection, Timestamp, on_either_engine, write_transaction};

/// The id of the only row in the table `revocation_sequence`.
const SEQUENCE_ROW_ID: i64 = 1;
/// The most rows in one statement, because the database engines limit the number of parameters.
const MAX_ROWS_PER_STATEMENT: usize = 1000;

/// The record of an ended session, for all processes.
#[derive(Queryable)]
pub(crate) struct Revocation {
    /// The number of the revocation, in the order of commits.
    pub(crate) sequence: i64,
    pub(crate) session_id: String,
    /// Until this time, the revocation must be kept. Afterwards all access tokens of the session have expired, even by a
    /// slow clock of another process.
    pub(crate) forget_after: Timestamp,
}

/// Numbers and records ended sessions. Call this function late in the transaction that ends the sessions, because it
/// locks the row of `revocation_sequence`, and other transactions that end sessions then wait until the commit.
pub(crate) fn record(
    connection: &mut DbConnection,
    session_ids: &[&str],
    forget_after: Timestamp,
) -> QueryResult<()> {
    let session_count = i64::try_from(session_ids.len()).unwrap_or(i64::MAX);
    if session_count == 0 {
        return Ok(());
    }
    write_transaction(connection, |connection| {
        let last_sequence: i64 = diesel::update(revocation_sequence::table.find(SEQUENCE_ROW_ID))
            .set(revocation_sequence::last.eq(revocation_sequence::last + session_count))
            .returning(revocation_sequence::last)
            .get_result(connection)?;
        let numbered_ids = (last_sequence - session_count + 1..).zip(session_ids);
        let rows: Vec<_> = numbered_ids
            .map(|(sequence, session_id)| {
                (
                    revocations::sequence.eq(sequence),
                    revocations::session_id.eq(*session_id),
                    revocations::forget_after.eq(forget_after),
                )
            })
            .collect();
        for chunk in rows.chunks(MAX_ROWS_PER_STATEMENT) {
            let statement = diesel::insert_into(revocations::table).values(chunk);
            on_either_engine!(connection, |either| statement.execute(either))?;
        }
        Ok(())
    })
}

/// The row of the table `revocation_sequence`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable)]
pub(crate) struct FeedState {
    /// The number of the newest revocation, even if that revocation was purged; 0 before the first revocation.
    pub(crate) newest_sequence: i64,
    /// Another number after each restore of a backup; 0 before the first restore.
    pub(crate) generation: i64,
    /// All tokens that were issued before this time are rejected; `None` before the first restore.
    pub(crate) issued_before: Option<Timestamp>,
}

pub(crate) fn feed_state(connection: &mut DbConnection) -> QueryResult<FeedState> {
    revocation_sequence::table
        .find(SEQUENCE_ROW_ID)
        .select((
            revocation_sequence::last,
            revocation_sequence::generation,
            revocation_sequence::issued_before,
        ))
        .first(connection)
}

/// Stores the state after a restore.
pub(crate) fn set_feed_state(connection: &mut DbConnection, state: FeedState) -> QueryResult<()> {
    diesel::update(revocation_sequence::table.find(SEQUENCE_ROW_ID))
        .set((
            revocation_sequence::last.eq(state.newest_sequence),
            revocation_sequence::generation.eq(state.generation),
            revocation_sequence::issued_before.eq(state.issued_before),
        ))
        .execute(connection)
        .map(drop)
}

/// Returns up to `limit` revocations with a number above `sequence`, the oldest first.
pub(crate) fn newer_than(
    connection: &mut DbConnection,
    sequence: i64,
    limit: i64,
) -> QueryResult<Vec<Revocation>> {
    revocations::table
        .filter(revocations::sequence.gt(sequence))
        .order(revocations::sequence.asc())
        .limit(limit)
        .load(connection)
}

/// Deletes up to `limit` revocations of sessions whose access tokens have all expired. Returns the number of deletions.
pub(crate) fn purge(
    connection: &mut DbConnection,
    now: Timestamp,
    limit: i64,
) -> QueryResult<usize> {
    let expired_sequences: Vec<i64> = revocations::table
        .filter(revocations::forget_after.lt(now))
        .select(revocations::sequence)
        .limit(limit)
        .load(connection)?;
    diesel::delete(revocations::table.filter(revocations::sequence.eq_any(expired_sequences)))
        .execute(connection)
}

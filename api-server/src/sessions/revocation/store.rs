//! Contains the queries on the tables `revocations` and `revocation_sequence`.

use diesel::prelude::*;

use crate::db::schema::{revocation_sequence, revocations};
use crate::db::{DbConnection, Timestamp, on_either_engine, write_transaction};

/// The id of the only row in the table `revocation_sequence`.
const SEQUENCE_ROW_ID: i64 = 1;
/// The most rows in one statement, because the database engines limit the number of parameters.
const MAX_ROWS_PER_STATEMENT: usize = 1000;

/// The record of an ended session or of stale tokens, for all processes.
pub(crate) struct Revocation {
    /// The number of the revocation, in the order of commits.
    pub(crate) sequence: i64,
    pub(crate) target: RevocationTarget,
    /// Until this time, the revocation must be kept. Afterwards all access tokens of the session have expired, even by a
    /// slow clock of another process.
    pub(crate) forget_after: Timestamp,
}

/// The access tokens that are no longer accepted.
pub(crate) enum RevocationTarget {
    /// All tokens of the session with this id.
    Session(String),
    /// The tokens of this user with a lower version.
    StaleUser { id: String, claims_version: u64 },
}

/// The columns of a revocation, in the order in which [`newer_than`] selects them.
type RevocationRow = (i64, String, Timestamp, Option<String>, Option<i64>);

fn revocation_of_row(row: RevocationRow) -> Revocation {
    let (sequence, session_id, forget_after, user_id, claims_version) = row;
    let target = match user_id.zip(claims_version) {
        Some((id, version)) => RevocationTarget::StaleUser {
            id,
            claims_version: u64::try_from(version).unwrap_or_default(),
        },
        None => RevocationTarget::Session(session_id),
    };
    Revocation {
        sequence,
        target,
        forget_after,
    }
}

/// Numbers and records that the user's tokens with a lower version are stale. Call this function late in the
/// transaction, as [`record`].
pub(crate) fn record_stale(
    connection: &mut DbConnection,
    user_id: &str,
    claims_version: i64,
    forget_after: Timestamp,
) -> QueryResult<()> {
    write_transaction(connection, |connection| {
        let sequence = advance_sequence(connection, 1)?;
        diesel::insert_into(revocations::table)
            .values((
                revocations::sequence.eq(sequence),
                revocations::session_id.eq(""),
                revocations::forget_after.eq(forget_after),
                revocations::user_id.eq(user_id),
                revocations::claims_version.eq(claims_version),
            ))
            .execute(connection)
            .map(drop)
    })
}

/// Reserves `count` numbers, and returns the last of them. Locks the row of `revocation_sequence` until the commit.
fn advance_sequence(connection: &mut DbConnection, count: i64) -> QueryResult<i64> {
    diesel::update(revocation_sequence::table.find(SEQUENCE_ROW_ID))
        .set(revocation_sequence::last.eq(revocation_sequence::last + count))
        .returning(revocation_sequence::last)
        .get_result(connection)
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
        let last_sequence = advance_sequence(connection, session_count)?;
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
    let rows: Vec<RevocationRow> = revocations::table
        .filter(revocations::sequence.gt(sequence))
        .order(revocations::sequence.asc())
        .limit(limit)
        .select((
            revocations::sequence,
            revocations::session_id,
            revocations::forget_after,
            revocations::user_id,
            revocations::claims_version,
        ))
        .load(connection)?;
    Ok(rows.into_iter().map(revocation_of_row).collect())
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

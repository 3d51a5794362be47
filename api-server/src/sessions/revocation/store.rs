//! Contains the queries on the tables `revocations` and `revocation_sequence`.
//!
//! A number is assigned only while the row of `revocation_sequence` is locked, and the lock is kept until the commit.
//! So numbers become visible in their order, and a reader that continues after the last number misses no revocation.
//!
//! On SQLite, the transaction that ends a session also numbers the revocation. On PostgreSQL, where transactions commit
//! in parallel, it inserts the revocation with a negative number, without waiting for a lock, and [`assign_numbers`]
//! gives the committed revocations their numbers, many in one transaction.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::db::schema::{revocation_sequence, revocations};
use crate::db::{DbConnection, Timestamp, has_single_writer, number_revocations, on_either_engine};

/// The id of the only row in the table `revocation_sequence`.
const SEQUENCE_ROW_ID: i64 = 1;
/// The SQL expression for the negative value that a revocation has on PostgreSQL until it gets its number.
const NEXT_UNNUMBERED_SQL: &str = "nextval('unnumbered_revocations')";
/// The most revocations in a page.
pub(super) const PAGE_SIZE: i64 = 1000;
/// The most rows in one statement, because the database engines limit the number of parameters.
const MAX_ROWS_PER_STATEMENT: usize = 1000;

/// The record of an ended session or of stale tokens, for all processes.
pub(crate) struct Revocation {
    /// The number of the revocation; numbers become visible in ascending order. Negative if it has no number yet.
    pub(crate) sequence: i64,
    pub(crate) target: RevocationTarget,
    /// Until this time, the revocation must be kept. Afterwards all access tokens that it concerns have expired, even
    /// by a slow clock of another process.
    pub(crate) forget_after: Timestamp,
}

/// The access tokens that are no longer accepted.
pub(crate) enum RevocationTarget {
    /// All tokens of the session with this id.
    Session(String),
    /// The tokens of this user with a claims version below `claims_version`.
    StaleUser { id: String, claims_version: u64 },
}

/// The columns of a revocation.
const COLUMNS: (
    revocations::sequence,
    revocations::session_id,
    revocations::forget_after,
    revocations::user_id,
    revocations::claims_version,
) = (
    revocations::sequence,
    revocations::session_id,
    revocations::forget_after,
    revocations::user_id,
    revocations::claims_version,
);
/// The values of [`COLUMNS`].
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

/// Records that the user's tokens with a claims version below `claims_version` are stale, in the transaction that
/// raises the version.
pub(crate) fn record_stale(
    connection: &mut DbConnection,
    user_id: &str,
    claims_version: i64,
    forget_after: Timestamp,
) -> QueryResult<()> {
    let sequence = if has_single_writer(connection) {
        advance_sequence(connection, 1)?
    } else {
        diesel::select(sql::<BigInt>(NEXT_UNNUMBERED_SQL)).get_result(connection)?
    };
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
}

/// Reserves `count` numbers, and returns the last of them. Locks the row of `revocation_sequence` until the commit.
fn advance_sequence(connection: &mut DbConnection, count: i64) -> QueryResult<i64> {
    diesel::update(revocation_sequence::table.find(SEQUENCE_ROW_ID))
        .set(revocation_sequence::last.eq(revocation_sequence::last + count))
        .returning(revocation_sequence::last)
        .get_result(connection)
}

/// Records ended sessions, in the transaction that ends them.
pub(crate) fn record_ended(
    connection: &mut DbConnection,
    session_ids: &[&str],
    forget_after: Timestamp,
) -> QueryResult<()> {
    if session_ids.is_empty() {
        return Ok(());
    }
    if has_single_writer(connection) {
        insert_numbered(connection, session_ids, forget_after)
    } else {
        insert_unnumbered(connection, session_ids, forget_after)
    }
}

fn insert_numbered(
    connection: &mut DbConnection,
    session_ids: &[&str],
    forget_after: Timestamp,
) -> QueryResult<()> {
    let session_count = i64::try_from(session_ids.len()).unwrap_or(i64::MAX);
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
}

fn insert_unnumbered(
    connection: &mut DbConnection,
    session_ids: &[&str],
    forget_after: Timestamp,
) -> QueryResult<()> {
    let row = |session_id| {
        (
            revocations::sequence.eq(sql::<BigInt>(NEXT_UNNUMBERED_SQL)),
            revocations::session_id.eq(session_id),
            revocations::forget_after.eq(forget_after),
        )
    };
    // A separate statement for one row, because it is prepared only once per connection, unlike one for several rows.
    if let [session_id] = *session_ids {
        let statement = diesel::insert_into(revocations::table).values(row(session_id));
        return on_either_engine!(connection, |either| statement.execute(either)).map(drop);
    }
    for chunk in session_ids.chunks(MAX_ROWS_PER_STATEMENT) {
        let rows: Vec<_> = chunk.iter().copied().map(row).collect();
        let statement = diesel::insert_into(revocations::table).values(rows);
        on_either_engine!(connection, |either| statement.execute(either))?;
    }
    Ok(())
}

/// Returns whether any committed revocation has no number yet.
pub(crate) fn has_unnumbered(connection: &mut DbConnection) -> QueryResult<bool> {
    if has_single_writer(connection) {
        return Ok(false);
    }
    // Ordered, so that PostgreSQL reads only the start of the index, and not the table.
    let newest_unnumbered: Option<i64> = revocations::table
        .filter(revocations::sequence.lt(0))
        .order(revocations::sequence.asc())
        .select(revocations::sequence)
        .first(connection)
        .optional()?;
    Ok(newest_unnumbered.is_some())
}

/// Gives up to 10 000 committed revocations their numbers. Must not be called inside a transaction. Fails if it waits
/// longer than half a second for a lock, which another process that assigns numbers may hold.
pub(crate) fn assign_numbers(connection: &mut DbConnection) -> QueryResult<()> {
    number_revocations(connection)
}

/// The row of the table `revocation_sequence`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable)]
pub(crate) struct FeedState {
    /// The last number that a revocation has got, even if that revocation was purged, or the higher number that a
    /// restore has set since; 0 before the first of either.
    pub(crate) newest_sequence: i64,
    /// The generation of the database, which `api-server restore` raises; 0 before the first restore.
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

/// A part of the feed.
pub(crate) struct FeedPage {
    pub(crate) state: FeedState,
    /// The revocations after the given number, at most [`PAGE_SIZE`], the oldest first.
    pub(crate) revocations: Vec<Revocation>,
    /// Whether there may be more revocations with numbers.
    pub(crate) has_more: bool,
    /// The revocations without a number, if no numbers can be assigned now; otherwise empty.
    pub(crate) unnumbered: Vec<Revocation>,
}

/// Returns the revocations after the number `sequence`. If `sequence` is higher than the newest number, a backup of the
/// database was probably restored since that number was read, so returns the first page.
pub(crate) fn page_after(connection: &mut DbConnection, sequence: i64) -> QueryResult<FeedPage> {
    let state = feed_state(connection)?;
    let is_too_large = sequence > state.newest_sequence;
    let start_sequence = if is_too_large { 0 } else { sequence };
    let revocations = if state.newest_sequence > start_sequence {
        newer_than(connection, start_sequence)?
    } else {
        Vec::new()
    };
    Ok(FeedPage {
        state,
        has_more: i64::try_from(revocations.len()).is_ok_and(|length| length == PAGE_SIZE),
        revocations,
        unnumbered: Vec::new(),
    })
}

fn newer_than(connection: &mut DbConnection, sequence: i64) -> QueryResult<Vec<Revocation>> {
    let rows: Vec<RevocationRow> = revocations::table
        .filter(revocations::sequence.gt(sequence))
        .order(revocations::sequence.asc())
        .limit(PAGE_SIZE)
        .select(COLUMNS)
        .load(connection)?;
    Ok(rows.into_iter().map(revocation_of_row).collect())
}

/// Returns up to `limit` revocations without a number, the oldest first.
pub(crate) fn find_unnumbered(
    connection: &mut DbConnection,
    limit: i64,
) -> QueryResult<Vec<Revocation>> {
    let rows: Vec<RevocationRow> = revocations::table
        .filter(revocations::sequence.lt(0))
        .order(revocations::sequence.desc())
        .limit(limit)
        .select(COLUMNS)
        .load(connection)?;
    Ok(rows.into_iter().map(revocation_of_row).collect())
}

/// Deletes up to `limit` numbered revocations whose access tokens have all expired. Returns the number of deletions.
pub(crate) fn purge(
    connection: &mut DbConnection,
    now: Timestamp,
    limit: i64,
) -> QueryResult<usize> {
    let expired_sequences: Vec<i64> = revocations::table
        .filter(revocations::forget_after.lt(now))
        .filter(revocations::sequence.ge(0))
        .select(revocations::sequence)
        .limit(limit)
        .load(connection)?;
    diesel::delete(revocations::table.filter(revocations::sequence.eq_any(expired_sequences)))
        .execute(connection)
}

//! Contains the queries that end sessions, and the one that deletes a user's ended sessions.
//!
//! An ended session is marked as revoked in its row and recorded for every process, because its access tokens may not
//! have expired yet. The same is done for a session that has just expired, because a process whose clock is behind may
//! still accept its access tokens.

use diesel::prelude::*;

use crate::db::schema::{sessions, users};
use crate::db::{DbConnection, Timestamp, on_either_engine, write_transaction};
use crate::sessions::revocation;
use crate::sessions::session::{SessionOpening, SessionTimes};
use crate::users::id::UserId;

/// The most live sessions that an account keeps after a login.
pub(crate) const MAX_LIVE_SESSIONS: i64 = 100;
/// The most sessions in a batch, which one transaction ends or deletes. The number is small, because on SQLite all
/// other writes wait for this transaction.
pub(crate) const BATCH_SIZE: i64 = 100;
/// The most sessions that one statement marks as revoked, because the database engines limit the number of parameters.
const MAX_IDS_PER_STATEMENT: usize = 1000;

/// Selects the sessions to end.
pub(crate) enum SessionFilter<'a> {
    ById(&'a str),
    /// The session with this id, if the session belongs to the user.
    ByIdOfUser(&'a UserId, &'a str),
    /// The sessions with these ids, except sessions of other users.
    ByIdsOfUser(&'a UserId, &'a [String]),
    /// The sessions with these ids, of any users.
    ByIds(&'a [String]),
    AllOfUserExcept(&'a UserId, &'a str),
    AllOfUser(&'a UserId),
    /// All sessions of the user, and the sessions with these ids, of any users.
    AllOfUserAndByIds(&'a UserId, &'a [String]),
}

/// The sessions that [`end_and_count_live`] ended.
#[derive(Debug, Default)]
pub(crate) struct EndedSessions {
    pub(crate) ids: Vec<String>,
    /// The number of sessions that were live. The other sessions had expired.
    pub(crate) live_count: usize,
}

/// Ends the sessions that the filter selects, if they are live, or if they expired so recently that some process may
/// still accept their access tokens. Records the ended sessions for every process and returns their ids.
///
/// If the filter names a user and may select several sessions, locks the user first. Without this lock, two
/// transactions that lock the same sessions in different orders could wait for each other.
pub(crate) fn end(
    connection: &mut DbConnection,
    filter: &SessionFilter<'_>,
    now: Timestamp,
    forget_after: Timestamp,
) -> QueryResult<Vec<String>> {
    let rows = end_rows(connection, filter, now, forget_after)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Does the same as [`end`], and counts the sessions that were live.
pub(crate) fn end_and_count_live(
    connection: &mut DbConnection,
    filter: &SessionFilter<'_>,
    times: SessionTimes,
) -> QueryResult<EndedSessions> {
    let rows = end_rows(connection, filter, times.now, times.forget_after)?;
    let was_live = |row: &&EndedRow| {
        let expires_at = times.lifetimes.cap_expiry(row.created_at, row.expires_at);
        times.now < expires_at
    };
    Ok(EndedSessions {
        live_count: rows.iter().filter(was_live).count(),
        ids: rows.into_iter().map(|row| row.id).collect(),
    })
}

const ENDED_COLUMNS: (sessions::id, sessions::created_at, sessions::expires_at) =
    (sessions::id, sessions::created_at, sessions::expires_at);

/// The values of [`ENDED_COLUMNS`].
#[derive(Queryable)]
struct EndedRow {
    id: String,
    created_at: Timestamp,
    expires_at: Timestamp,
}

fn end_rows(
    connection: &mut DbConnection,
    filter: &SessionFilter<'_>,
    now: Timestamp,
    forget_after: Timestamp,
) -> QueryResult<Vec<EndedRow>> {
    write_transaction(connection, |connection| {
        if let SessionFilter::ByIdsOfUser(user, _)
        | SessionFilter::AllOfUserExcept(user, _)
        | SessionFilter::AllOfUser(user)
        | SessionFilter::AllOfUserAndByIds(user, _) = filter
        {
            lock_user(connection, user)?;
        }
        let cutoff = token_expiry_cutoff(now, forget_after);
        let rows = match filter {
            SessionFilter::ById(id) => mark_one_revoked(connection, id, cutoff, now)?,
            _ => mark_candidates_revoked(connection, filter, cutoff, now)?,
        };
        let ended_ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        revocation::store::record_ended(connection, &ended_ids, forget_after)?;
        Ok(rows)
    })
}

/// Marks a session as revoked, unless it is already revoked, or expired at or before `cutoff`. Does this in one
/// statement, which is prepared only once per connection, because most logouts end one session.
fn mark_one_revoked(
    connection: &mut DbConnection,
    id: &str,
    cutoff: Timestamp,
    now: Timestamp,
) -> QueryResult<Vec<EndedRow>> {
    let unrevoked_row = sessions::table
        .find(id)
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(cutoff));
    let statement = diesel::update(unrevoked_row)
        .set(sessions::revoked_at.eq(now))
        .returning(ENDED_COLUMNS);
    on_either_engine!(connection, |either| statement.load(either))
}

fn mark_candidates_revoked(
    connection: &mut DbConnection,
    filter: &SessionFilter<'_>,
    cutoff: Timestamp,
    now: Timestamp,
) -> QueryResult<Vec<EndedRow>> {
    let candidate_ids = select_candidates(connection, filter, cutoff)?;
    let mut rows = Vec::with_capacity(candidate_ids.len());
    for chunk in candidate_ids.chunks(MAX_IDS_PER_STATEMENT) {
        rows.extend(mark_revoked(connection, chunk, now)?);
    }
    Ok(rows)
}

/// Marks the sessions as revoked. Leaves out sessions that a concurrent transaction has already revoked.
fn mark_revoked(
    connection: &mut DbConnection,
    ids: &[String],
    now: Timestamp,
) -> QueryResult<Vec<EndedRow>> {
    let unrevoked_rows = sessions::table
        .filter(sessions::id.eq_any(ids))
        .filter(sessions::revoked_at.is_null());
    diesel::update(unrevoked_rows)
        .set(sessions::revoked_at.eq(now))
        .returning(ENDED_COLUMNS)
        .load(connection)
}

/// Returns a time in the past. If a session expired then or earlier, its access tokens have expired by the clock of
/// every process.
fn token_expiry_cutoff(now: Timestamp, forget_after: Timestamp) -> Timestamp {
    now.minus(forget_after.since(now))
}

/// Returns the ids of the sessions that the filter selects, that are not revoked, and that expire after `cutoff`.
fn select_candidates(
    connection: &mut DbConnection,
    filter: &SessionFilter<'_>,
    cutoff: Timestamp,
) -> QueryResult<Vec<String>> {
    let query = sessions::table
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(cutoff))
        .select(sessions::id)
        .into_boxed();
    let filtered_query = match filter {
        SessionFilter::ById(id) => query.filter(sessions::id.eq(*id)),
        SessionFilter::ByIdOfUser(user, id) => query
            .filter(sessions::id.eq(*id))
            .filter(sessions::user_id.eq(user.as_str())),
        SessionFilter::ByIdsOfUser(user, ids) => query
            .filter(sessions::id.eq_any(*ids))
            .filter(sessions::user_id.eq(user.as_str())),
        SessionFilter::ByIds(ids) => query.filter(sessions::id.eq_any(*ids)),
        SessionFilter::AllOfUserExcept(user, id) => query
            .filter(sessions::user_id.eq(user.as_str()))
            .filter(sessions::id.ne(*id)),
        SessionFilter::AllOfUser(user) => query.filter(sessions::user_id.eq(user.as_str())),
        SessionFilter::AllOfUserAndByIds(user, ids) => {
            let is_of_user = sessions::user_id.eq(user.as_str());
            query.filter(is_of_user.or(sessions::id.eq_any(*ids)))
        }
    };
    filtered_query.load(connection)
}

/// Locks the user's row until the end of the transaction, by an update without effect, because SQLite has no
/// `SELECT … FOR UPDATE`.
pub(crate) fn lock_user(connection: &mut DbConnection, user: &UserId) -> QueryResult<()> {
    diesel::update(users::table.find(user.as_str()))
        .set(users::email_verified.eq(users::email_verified))
        .execute(connection)
        .map(drop)
}

/// Ends the sessions that a new session replaces, and up to [`BATCH_SIZE`] sessions beyond the account's limit. Returns
/// the ids of the ended sessions.
///
/// The caller must have locked the user, so that concurrent logins count each other's sessions. An account of an old
/// database may be far beyond the limit; [`enforce_limit`](super::surplus::enforce_limit) ends the sessions that this
/// function leaves.
pub(crate) fn end_replaced_and_surplus(
    connection: &mut DbConnection,
    opening: &SessionOpening,
) -> QueryResult<Vec<String>> {
    let now = opening.session.created_at;
    let user = UserId::stored(opening.session.user_id.clone());
    let kept_sessions = KeptSessions {
        recent_count: MAX_LIVE_SESSIONS - 1,
        ids: opening.replaced_ids.clone(),
    };
    let time_filter = SessionTimeFilter {
        expires_after: now,
        created_after: opening.lifetimes.absolute_cutoff(now),
    };
    let mut ids = select_surplus(connection, &user, &kept_sessions, time_filter, BATCH_SIZE)?;
    ids.extend(opening.replaced_ids.clone());
    if ids.is_empty() {
        return Ok(ids);
    }
    let filter = SessionFilter::ByIds(&ids);
    end(connection, &filter, now, opening.forget_after)
}

/// The sessions that a query for the surplus sessions of a user leaves out.
pub(crate) struct KeptSessions {
    /// The number of most recently used sessions to leave out, in addition to the sessions in `ids`.
    pub(crate) recent_count: i64,
    /// The ids of sessions to leave out, which the account keeps, or which the same transaction ends anyway.
    pub(crate) ids: Vec<String>,
}

/// Returns the ids of up to `limit` sessions of a user that [`end`] would end, without the `kept` sessions.
pub(crate) fn surplus_ids(
    connection: &mut DbConnection,
    user: &UserId,
    kept: &KeptSessions,
    times: SessionTimes,
    limit: i64,
) -> QueryResult<Vec<String>> {
    let time_filter = SessionTimeFilter {
        expires_after: token_expiry_cutoff(times.now, times.forget_after),
        created_after: Timestamp::from_unix_micros(0),
    };
    select_surplus(connection, user, kept, time_filter, limit)
}

/// Selects the sessions that expire after `expires_after` and began after `created_after`.
#[derive(Clone, Copy)]
struct SessionTimeFilter {
    expires_after: Timestamp,
    created_after: Timestamp,
}

fn select_surplus(
    connection: &mut DbConnection,
    user: &UserId,
    kept: &KeptSessions,
    time_filter: SessionTimeFilter,
    limit: i64,
) -> QueryResult<Vec<String>> {
    sessions::table
        .filter(sessions::user_id.eq(user.as_str()))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(time_filter.expires_after))
        .filter(sessions::created_at.gt(time_filter.created_after))
        .filter(sessions::id.ne_all(&kept.ids))
        .select(sessions::id)
        .order((sessions::last_used_at.desc(), sessions::id.desc()))
        .offset(kept.recent_count)
        .limit(limit)
        .load(connection)
}

/// Deletes up to `limit` revoked sessions of a user. Returns the number of deleted sessions.
pub(crate) fn delete_ended(
    connection: &mut DbConnection,
    user: &UserId,
    limit: i64,
) -> QueryResult<usize> {
    let ended_ids: Vec<String> = sessions::table
        .filter(sessions::user_id.eq(user.as_str()))
        .filter(sessions::revoked_at.is_not_null())
        .select(sessions::id)
        .limit(limit)
        .load(connection)?;
    diesel::delete(sessions::table.filter(sessions::id.eq_any(ended_ids))).execute(connection)
}

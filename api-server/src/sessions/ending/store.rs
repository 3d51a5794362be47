//! Queries that end sessions.
//!
//! An ended session is marked in its row and recorded for every process, because its access tokens have not expired
//! yet. The same is done for a session that has just expired: where a clock is behind, its tokens are still accepted.

use diesel::prelude::*;

use crate::db::schema::{sessions, users};
use crate::db::{DbConnection, Timestamp, write_transaction};
use crate::sessions::revocation;
use crate::sessions::session::{Opening, SessionTimes};
use crate::users::id::UserId;

/// The most live sessions of an account.
pub(crate) const MAX_LIVE: i64 = 100;
/// The number of sessions that one transaction should end: SQLite has one writer, and all other writes wait for it.
pub(crate) const BATCH_SIZE: i64 = 100;
/// The most ids in one statement; the engines limit the number of parameters.
const MAX_IDS_PER_STATEMENT: usize = 1000;

/// Selects the sessions to end.
pub(crate) enum SessionFilter<'a> {
    ById(&'a str),
    /// The session with the id, if it belongs to the user.
    ByIdOfUser(&'a UserId, &'a str),
    /// The sessions with the ids that belong to the user.
    ByIdsOfUser(&'a UserId, &'a [String]),
    /// The sessions with the ids, which may belong to several users.
    ByIds(&'a [String]),
    AllOfUserExcept(&'a UserId, &'a str),
    AllOfUser(&'a UserId),
}

/// The sessions that [`end`] ended.
#[derive(Debug, Default)]
pub(crate) struct EndedSessions {
    /// The ids of the sessions, whose access tokens must be rejected from now on.
    pub(crate) ids: Vec<String>,
    /// The number of sessions that were live. The others had just expired.
    pub(crate) live: usize,
}

/// Ends sessions that are live, or that expired less than the lifetime of an access token ago, and records them for
/// every process. Returns the ids of the sessions that it ended.
///
/// Locks the user first if it may end several sessions of one user: two transactions that lock the same sessions in
/// different orders would wait for each other.
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
pub(crate) fn end_and_count(
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
        live: rows.iter().filter(was_live).count(),
        ids: rows.into_iter().map(|row| row.id).collect(),
    })
}

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
        | SessionFilter::AllOfUser(user) = filter
        {
            lock_user(connection, user)?;
        }
        let expired_after = token_expiry_cutoff(now, forget_after);
        let candidates = select_candidates(connection, filter, expired_after)?;
        let mut rows = Vec::with_capacity(candidates.len());
        for ids in candidates.chunks(MAX_IDS_PER_STATEMENT) {
            rows.extend(mark_revoked(connection, ids, now)?);
        }
        let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        revocation::store::record(connection, &ids, forget_after)?;
        Ok(rows)
    })
}

/// Marks the sessions as revoked. Leaves out sessions that a concurrent transaction has revoked first.
fn mark_revoked(
    connection: &mut DbConnection,
    ids: &[String],
    now: Timestamp,
) -> QueryResult<Vec<EndedRow>> {
    let unrevoked = sessions::table
        .filter(sessions::id.eq_any(ids))
        .filter(sessions::revoked_at.is_null());
    diesel::update(unrevoked)
        .set(sessions::revoked_at.eq(now))
        .returning((sessions::id, sessions::created_at, sessions::expires_at))
        .load(connection)
}

/// Returns the latest expiry of a session whose access tokens have expired by every clock.
fn token_expiry_cutoff(now: Timestamp, forget_after: Timestamp) -> Timestamp {
    now.minus(forget_after.since(now))
}

/// Returns the ids of the selected sessions that are not revoked and whose access tokens may be accepted by some clock.
fn select_candidates(
    connection: &mut DbConnection,
    filter: &SessionFilter<'_>,
    expired_after: Timestamp,
) -> QueryResult<Vec<String>> {
    let candidates = sessions::table
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(expired_after))
        .select(sessions::id)
        .into_boxed();
    let candidates = match filter {
        SessionFilter::ById(id) => candidates.filter(sessions::id.eq(*id)),
        SessionFilter::ByIdOfUser(user, id) => candidates
            .filter(sessions::id.eq(*id))
            .filter(sessions::user_id.eq(user.as_str())),
        SessionFilter::ByIdsOfUser(user, ids) => candidates
            .filter(sessions::id.eq_any(*ids))
            .filter(sessions::user_id.eq(user.as_str())),
        SessionFilter::ByIds(ids) => candidates.filter(sessions::id.eq_any(*ids)),
        SessionFilter::AllOfUserExcept(user, id) => candidates
            .filter(sessions::user_id.eq(user.as_str()))
            .filter(sessions::id.ne(*id)),
        SessionFilter::AllOfUser(user) => candidates.filter(sessions::user_id.eq(user.as_str())),
    };
    candidates.load(connection)
}

/// Locks the user's row until the end of the transaction. An update locks in both engines; `FOR UPDATE` is
/// PostgreSQL's.
pub(crate) fn lock_user(connection: &mut DbConnection, user: &UserId) -> QueryResult<()> {
    diesel::update(users::table.find(user.as_str()))
        .set(users::email_verified.eq(users::email_verified))
        .execute(connection)
        .map(drop)
}

/// Ends the sessions that a new session replaces, and those beyond the account's limit. Returns their ids.
///
/// An old database may have an account far beyond the limit: then one call ends only a batch, and
/// [`enforce_limit`](super::surplus::enforce_limit) ends the rest. All sessions are ended in one call of
/// [`end`], because it locks the sequence of revocations until the commit. The caller holds the lock on the user, so
/// that concurrent logins count each other's sessions.
pub(crate) fn end_replaced_and_surplus(
    connection: &mut DbConnection,
    opening: &Opening,
) -> QueryResult<Vec<String>> {
    let now = opening.session.created_at;
    let user = UserId::stored(opening.session.user_id.clone());
    let kept = KeptSessions {
        newest: MAX_LIVE - 1,
        ids: opening.replaced.clone(),
    };
    let live = ExpiryAndLogin {
        expires_after: now,
        created_after: opening.lifetimes.login_cutoff(now),
    };
    let mut ids = select_surplus(connection, &user, &kept, live, BATCH_SIZE)?;
    ids.extend(opening.replaced.clone());
    if ids.is_empty() {
        return Ok(ids);
    }
    let filter = SessionFilter::ByIds(&ids);
    end(connection, &filter, now, opening.forget_after)
}

/// The sessions that do not count as surplus.
pub(crate) struct KeptSessions {
    /// The number of sessions to keep, the most recently used first. The sessions in `ids` are not counted.
    pub(crate) newest: i64,
    /// The ids of sessions to leave out: the caller of the query keeps them or ends them itself.
    pub(crate) ids: Vec<String>,
}

/// Returns the ids of up to `limit` surplus sessions of a user that [`end`] would end.
pub(crate) fn surplus_ids(
    connection: &mut DbConnection,
    user: &UserId,
    kept: &KeptSessions,
    times: SessionTimes,
    limit: i64,
) -> QueryResult<Vec<String>> {
    let with_valid_tokens = ExpiryAndLogin {
        expires_after: token_expiry_cutoff(times.now, times.forget_after),
        created_after: Timestamp::from_unix_micros(0),
    };
    select_surplus(connection, user, kept, with_valid_tokens, limit)
}

/// Selects sessions by the times of their expiry and their login.
#[derive(Clone, Copy)]
struct ExpiryAndLogin {
    expires_after: Timestamp,
    created_after: Timestamp,
}

fn select_surplus(
    connection: &mut DbConnection,
    user: &UserId,
    kept: &KeptSessions,
    within: ExpiryAndLogin,
    limit: i64,
) -> QueryResult<Vec<String>> {
    sessions::table
        .filter(sessions::user_id.eq(user.as_str()))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(within.expires_after))
        .filter(sessions::created_at.gt(within.created_after))
        .filter(sessions::id.ne_all(&kept.ids))
        .select(sessions::id)
        .order((sessions::last_used_at.desc(), sessions::id.desc()))
        .offset(kept.newest)
        .limit(limit)
        .load(connection)
}

/// Deletes up to `limit` ended sessions of a user. Returns their number. Their revocations are recorded already.
pub(crate) fn delete_ended(
    connection: &mut DbConnection,
    user: &UserId,
    limit: i64,
) -> QueryResult<usize> {
    let ended: Vec<String> = sessions::table
        .filter(sessions::user_id.eq(user.as_str()))
        .filter(sessions::revoked_at.is_not_null())
        .select(sessions::id)
        .limit(limit)
        .load(connection)?;
    diesel::delete(sessions::table.filter(sessions::id.eq_any(ended))).execute(connection)
}

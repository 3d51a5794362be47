//! Queries that end sessions.
//!
//! An ended session is marked in its row and recorded for every process, because its access tokens may be alive. That
//! includes sessions that expired a moment ago: the clocks of other processes and services may be behind.

use diesel::prelude::*;

use crate::db::schema::{sessions, users};
use crate::db::{DbConnection, Timestamp, write_transaction};
use crate::sessions::revocation;
use crate::sessions::session::{Lifetimes, Opening};
use crate::users::id::UserId;

/// The live sessions that an account may have.
pub(crate) const MAX_LIVE: i64 = 100;
/// The sessions that one transaction ends, give or take: SQLite has one writer, and others wait for it.
pub(crate) const BATCH: i64 = 100;
/// The ids in one statement; engines have their limits.
const STATEMENT: usize = 1000;

/// Which sessions to end.
pub(crate) enum SessionFilter<'a> {
    ById(&'a str),
    /// One, if it is this user's.
    ByIdOfUser(&'a UserId, &'a str),
    /// Those of these ids that are this user's.
    ByIdsOfUser(&'a UserId, &'a [String]),
    /// Exactly these, of whatever user.
    ByIds(&'a [String]),
    AllOfUserExcept(&'a UserId, &'a str),
    AllOfUser(&'a UserId),
}

/// What was ended.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    /// The sessions whose access tokens are refused from now on.
    pub(crate) ids: Vec<String>,
    /// How many of them were live. The rest had just expired.
    pub(crate) live: usize,
}

/// Ends sessions that are live or expired less than an access token's lifetime ago, and tells every process; the ids of
/// those that were ended.
///
/// To end several, it locks their user first: two transactions that met on the sessions alone could wait for each other.
pub(crate) fn end(
    connection: &mut DbConnection,
    filter: &SessionFilter<'_>,
    now: Timestamp,
    forget_after: Timestamp,
) -> QueryResult<Vec<String>> {
    let rows = end_rows(connection, filter, (now, forget_after))?;
    Ok(rows.into_iter().map(|(id, ..)| id).collect())
}

/// As [`end`], and counts those that were live.
pub(crate) fn end_and_count(
    connection: &mut DbConnection,
    filter: &SessionFilter<'_>,
    (now, forget_after): (Timestamp, Timestamp),
    lifetimes: Lifetimes,
) -> QueryResult<Ended> {
    let rows = end_rows(connection, filter, (now, forget_after))?;
    let is_live = |created_at, expires_at| now < lifetimes.limit(created_at, expires_at);
    let live = rows
        .iter()
        .filter(|(_, created, expires)| is_live(*created, *expires));
    Ok(Ended {
        live: live.count(),
        ids: rows.into_iter().map(|(id, ..)| id).collect(),
    })
}

/// Id, login and end of an ended session.
type EndedRow = (String, Timestamp, Timestamp);

fn end_rows(
    connection: &mut DbConnection,
    filter: &SessionFilter<'_>,
    (now, forget_after): (Timestamp, Timestamp),
) -> QueryResult<Vec<EndedRow>> {
    write_transaction(connection, |connection| {
        if let SessionFilter::ByIdsOfUser(user, _)
        | SessionFilter::AllOfUserExcept(user, _)
        | SessionFilter::AllOfUser(user) = filter
        {
            lock(connection, user)?;
        }
        let candidates = candidates(connection, filter, tokens_alive(now, forget_after))?;
        let mut rows = Vec::with_capacity(candidates.len());
        for ids in candidates.chunks(STATEMENT) {
            rows.extend(mark(connection, ids, now)?);
        }
        let ids: Vec<&str> = rows.iter().map(|(id, ..)| id.as_str()).collect();
        revocation::store::record(connection, &ids, forget_after)?;
        Ok(rows)
    })
}

/// Of sessions that meet another end at the same moment, those that this one ended.
fn mark(
    connection: &mut DbConnection,
    ids: &[String],
    now: Timestamp,
) -> QueryResult<Vec<EndedRow>> {
    let unended = sessions::table
        .filter(sessions::id.eq_any(ids))
        .filter(sessions::revoked_at.is_null());
    diesel::update(unended)
        .set(sessions::revoked_at.eq(now))
        .returning((sessions::id, sessions::created_at, sessions::expires_at))
        .load(connection)
}

/// A session that expired before has no access token that is alive anywhere.
fn tokens_alive(now: Timestamp, forget_after: Timestamp) -> Timestamp {
    now.minus(forget_after.since(now))
}

fn candidates(
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

/// Until the end of the transaction. Both engines know an update; only one has a lock of its own.
pub(crate) fn lock(connection: &mut DbConnection, user: &UserId) -> QueryResult<()> {
    diesel::update(users::table.find(user.as_str()))
        .set(users::email_verified.eq(users::email_verified))
        .execute(connection)
        .map(drop)
}

/// Makes room for a session that opens: ends those it replaces and those beyond the limit; their ids. For an account
/// far beyond the limit, as old databases have them, one call ends only a batch: then go on with [`surplus`].
///
/// All end at once, since after the first end the lock on the sequence is held. The caller holds the lock on the user, so
/// that logins that meet count each other.
pub(crate) fn make_room(
    connection: &mut DbConnection,
    opening: &Opening,
) -> QueryResult<Vec<String>> {
    let (now, lifetimes) = (opening.session.created_at, opening.lifetimes);
    let user = UserId::stored(opening.session.user_id.clone());
    let kept = KeptSessions {
        newest: MAX_LIVE - 1,
        ids: opening.replaced.clone(),
    };
    let live = (now, lifetimes.too_old(now));
    let mut ending = beyond(connection, &user, &kept, live, BATCH)?;
    ending.extend(opening.replaced.clone());
    if ending.is_empty() {
        return Ok(ending);
    }
    end(
        connection,
        &SessionFilter::ByIds(&ending),
        now,
        opening.forget_after,
    )
}

/// The sessions that stay when others end.
pub(crate) struct KeptSessions {
    /// How many of those that were used last.
    pub(crate) newest: i64,
    /// Those that stay in any case.
    pub(crate) ids: Vec<String>,
}

/// Up to `limit` sessions of a user beyond those to keep, that [`end`] would end.
pub(crate) fn surplus(
    connection: &mut DbConnection,
    user: &UserId,
    kept: &KeptSessions,
    (now, forget_after): (Timestamp, Timestamp),
    limit: i64,
) -> QueryResult<Vec<String>> {
    let expired_after = tokens_alive(now, forget_after);
    let every_login = Timestamp::from_unix_micros(0);
    beyond(connection, user, kept, (expired_after, every_login), limit)
}

fn beyond(
    connection: &mut DbConnection,
    user: &UserId,
    kept: &KeptSessions,
    (expires_after, created_after): (Timestamp, Timestamp),
    limit: i64,
) -> QueryResult<Vec<String>> {
    sessions::table
        .filter(sessions::user_id.eq(user.as_str()))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(expires_after))
        .filter(sessions::created_at.gt(created_after))
        .filter(sessions::id.ne_all(&kept.ids))
        .select(sessions::id)
        .order((sessions::last_used_at.desc(), sessions::id.desc()))
        .offset(kept.newest)
        .limit(limit)
        .load(connection)
}

/// Deletes up to `limit` ended sessions of a user, which are recorded already; how many it were.
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

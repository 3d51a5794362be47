//! The sessions table.

use diesel::prelude::*;

use super::ending::store::{SessionFilter, end, make_room};
use super::rotation::{Decision, OVERLAP, Rotation, decide};
use super::session::{Lifetimes, Opening, Session, StoredSession};
use crate::db::schema::{sessions, users};
use crate::db::{DbConnection, Timestamp, on_either_engine};
use crate::users::id::UserId;
use crate::users::store::{self as user_store, UserRow, user_of_row};
use crate::users::user::User;

/// In the order of [`SessionRow`]; the round-trip test tells swapped columns.
pub(crate) const COLUMNS: (
    sessions::id,
    sessions::user_id,
    sessions::counter,
    sessions::rotated_at,
    sessions::late_recoveries,
    sessions::late_recovery_counter,
    sessions::created_at,
    sessions::last_used_at,
    sessions::expires_at,
    sessions::revoked_at,
    sessions::ip_address,
    sessions::user_agent,
) = (
    sessions::id,
    sessions::user_id,
    sessions::counter,
    sessions::rotated_at,
    sessions::late_recoveries,
    sessions::late_recovery_counter,
    sessions::created_at,
    sessions::last_used_at,
    sessions::expires_at,
    sessions::revoked_at,
    sessions::ip_address,
    sessions::user_agent,
);

#[derive(Queryable)]
pub(crate) struct SessionRow {
    id: String,
    user_id: String,
    counter: i64,
    rotated_at: Option<Timestamp>,
    late_recoveries: i32,
    late_recovery_counter: Option<i64>,
    created_at: Timestamp,
    last_used_at: Timestamp,
    expires_at: Timestamp,
    revoked_at: Option<Timestamp>,
    ip_address: Option<String>,
    user_agent: Option<String>,
}

impl SessionRow {
    pub(crate) fn into_session(self, lifetimes: Lifetimes) -> StoredSession {
        let row = self;
        let session = StoredSession {
            id: row.id,
            user_id: row.user_id,
            rotation: Rotation {
                counter: counter(row.counter),
                rotated_at: row.rotated_at,
                late_recoveries: row.late_recoveries,
                late_recovery_counter: row.late_recovery_counter.map(counter),
            },
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            ip_address: row.ip_address,
            user_agent: row.user_agent,
        };
        session.limited(lifetimes)
    }
}

/// Only counters of ours are ever written; a damaged one fits no token.
fn counter(stored: i64) -> u32 {
    u32::try_from(stored).unwrap_or(u32::MAX)
}

pub(crate) fn insert(connection: &mut DbConnection, session: &Session) -> QueryResult<()> {
    let address = session.client.ip_address.map(|address| address.to_string());
    diesel::insert_into(sessions::table)
        .values((
            sessions::id.eq(&session.id),
            sessions::user_id.eq(&session.user_id),
            sessions::counter.eq(i64::from(Rotation::START.counter)),
            sessions::late_recoveries.eq(Rotation::START.late_recoveries),
            sessions::created_at.eq(session.created_at),
            sessions::last_used_at.eq(session.created_at),
            sessions::expires_at.eq(session.expires_at),
            sessions::ip_address.eq(address),
            sessions::user_agent.eq(&session.client.user_agent),
        ))
        .execute(connection)
        .map(drop)
}

/// Inserts a session, and ends those it replaces and those beyond the account's limit; the ids of those that were ended.
/// The caller holds the lock on its user, and does nothing after it in the transaction.
pub(crate) fn open(connection: &mut DbConnection, opening: &Opening) -> QueryResult<Vec<String>> {
    let ended = make_room(connection, opening)?;
    insert(connection, &opening.session)?;
    Ok(ended)
}

pub(crate) fn find(
    connection: &mut DbConnection,
    id: &str,
    lifetimes: Lifetimes,
) -> QueryResult<Option<StoredSession>> {
    let row: Option<SessionRow> = sessions::table
        .find(id)
        .select(COLUMNS)
        .first(connection)
        .optional()?;
    Ok(row.map(|row| row.into_session(lifetimes)))
}

/// The live sessions of a user, last used first.
pub(super) fn list_live(
    connection: &mut DbConnection,
    owner: &UserId,
    (now, lifetimes): (Timestamp, Lifetimes),
    limit: i64,
) -> QueryResult<Vec<StoredSession>> {
    let rows: Vec<SessionRow> = sessions::table
        .filter(sessions::user_id.eq(owner.as_str()))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(now))
        .filter(sessions::created_at.gt(lifetimes.too_old(now)))
        .select(COLUMNS)
        .order((sessions::last_used_at.desc(), sessions::id.desc()))
        .limit(limit)
        .load(connection)?;
    let rows = rows.into_iter();
    Ok(rows.map(|row| row.into_session(lifetimes)).collect())
}

/// What came of a presented refresh token.
pub(crate) enum Refreshed {
    /// Answer this counter, with an access token of this time for a session that ends then.
    Granted {
        user_id: String,
        counter: u32,
        issued_at: Timestamp,
        expires_at: Timestamp,
    },
    /// The session has ended, expired or is gone. These had just expired and were ended, because a copy is in use.
    Over(Vec<String>),
    /// A copy is in use elsewhere; these sessions were ended.
    Reused(Vec<String>),
    /// Not a token of this session's past.
    Unknown,
    /// Others keep changing the session.
    Busy,
}

/// When a refresh happens and what it gives.
#[derive(Clone, Copy)]
pub(crate) struct RefreshContext {
    pub(crate) now: Timestamp,
    pub(crate) lifetimes: Lifetimes,
    pub(crate) forget_after: Timestamp,
}

/// How often a step that a parallel request took first is decided anew. Each loss is another's success.
const TRIES: usize = 8;

/// Applies the rule of rotation. The step is a compare-and-set, so of many that present the same counter one steps and
/// the others find it done.
pub(crate) fn refresh(
    connection: &mut DbConnection,
    session_id: &str,
    presented: u32,
    context: RefreshContext,
) -> QueryResult<Refreshed> {
    for _ in 0..TRIES {
        let Some(session) = find(connection, session_id, context.lifetimes)? else {
            return Ok(Refreshed::Over(Vec::new()));
        };
        if !session.is_live(context.now) {
            return over(connection, &session, presented, context);
        }
        let granted = |counter, issued_at, expires_at| Refreshed::Granted {
            user_id: session.user_id.clone(),
            counter,
            issued_at,
            expires_at,
        };
        match decide(&session.rotation, presented, context.now) {
            Decision::Repeat => {
                let rotated_at = session.rotation.rotated_at.unwrap_or(context.now);
                let fresh = context.now.since(rotated_at) <= OVERLAP;
                let issued_at = if fresh { rotated_at } else { context.now };
                let counter = session.rotation.counter;
                return Ok(granted(counter, issued_at, session.expires_at));
            }
            Decision::Advance(next) | Decision::Recover(next) => {
                let expires_at = context.lifetimes.slide(session.created_at, context.now);
                if step(connection, &session, next, (context.now, expires_at))? {
                    return Ok(granted(next.counter, context.now, expires_at));
                }
            }
            Decision::End => {
                let filter = SessionFilter::ById(session_id);
                let ended = end(connection, &filter, context.now, context.forget_after)?;
                return Ok(Refreshed::Reused(ended));
            }
            Decision::Unknown => return Ok(Refreshed::Unknown),
        }
    }
    Ok(Refreshed::Busy)
}

/// A reused token ends a session also if that has just expired: access tokens may be alive where clocks are behind.
fn over(
    connection: &mut DbConnection,
    session: &StoredSession,
    presented: u32,
    context: RefreshContext,
) -> QueryResult<Refreshed> {
    let decision = decide(&session.rotation, presented, context.now);
    if session.revoked_at.is_some() || decision != Decision::End {
        return Ok(Refreshed::Over(Vec::new()));
    }
    let filter = SessionFilter::ById(&session.id);
    let ended = end(connection, &filter, context.now, context.forget_after)?;
    Ok(Refreshed::Over(ended))
}

/// `false` if another request changed the session first.
fn step(
    connection: &mut DbConnection,
    session: &StoredSession,
    next: Rotation,
    (now, expires_at): (Timestamp, Timestamp),
) -> QueryResult<bool> {
    let unchanged = sessions::table
        .find(&session.id)
        .filter(sessions::counter.eq(i64::from(session.rotation.counter)))
        .filter(sessions::late_recoveries.eq(session.rotation.late_recoveries))
        .filter(sessions::revoked_at.is_null());
    let stepped = diesel::update(unchanged)
        .set((
            sessions::counter.eq(i64::from(next.counter)),
            sessions::rotated_at.eq(next.rotated_at),
            sessions::late_recoveries.eq(next.late_recoveries),
            sessions::late_recovery_counter.eq(next.late_recovery_counter.map(i64::from)),
            sessions::last_used_at.eq(now),
            sessions::expires_at.eq(expires_at),
        ))
        .execute(connection)?;
    Ok(stepped == 1)
}

/// Lets a live session go on until then; `false` if it is over.
pub(crate) fn prolong(
    connection: &mut DbConnection,
    id: &str,
    (now, expires_at): (Timestamp, Timestamp),
) -> QueryResult<bool> {
    let live = sessions::table
        .find(id)
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(now));
    let prolonged = diesel::update(live)
        .set((
            sessions::last_used_at.eq(now),
            sessions::expires_at.eq(expires_at),
        ))
        .execute(connection)?;
    Ok(prolonged == 1)
}

/// Deletes up to `limit` sessions that expired before `cutoff`; how many it were.
pub(super) fn purge(
    connection: &mut DbConnection,
    cutoff: Timestamp,
    limit: i64,
) -> QueryResult<usize> {
    let expired: Vec<String> = sessions::table
        .filter(sessions::expires_at.lt(cutoff))
        .select(sessions::id)
        .limit(limit)
        .load(connection)?;
    diesel::delete(sessions::table.filter(sessions::id.eq_any(expired))).execute(connection)
}

/// A session, live or not, and whose it is; in one query, because it is asked at every request of some clients.
pub(crate) fn find_with_session(
    connection: &mut DbConnection,
    session_id: &str,
    lifetimes: Lifetimes,
) -> QueryResult<Option<(User, StoredSession)>> {
    let query = sessions::table
        .inner_join(users::table)
        .filter(sessions::id.eq(session_id))
        .select((user_store::COLUMNS, COLUMNS));
    let found: Option<(UserRow, SessionRow)> =
        on_either_engine!(connection, |either| query.first(either)).optional()?;
    Ok(found.map(|(row, session)| (user_of_row(row), session.into_session(lifetimes))))
}

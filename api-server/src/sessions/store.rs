//! Contains the queries that insert, find, list, refresh, prolong and purge rows of the table `sessions`.

use diesel::prelude::*;

use super::ending::store::{SessionFilter, end, end_replaced_and_surplus};
use super::rotation::{Decision, OVERLAP, Rotation, decide};
use super::session::{Lifetimes, Session, SessionOpening, SessionTimes, StoredSession};
use crate::db::schema::{sessions, users};
use crate::db::{DbConnection, Timestamp, on_either_engine};
use crate::users::id::UserId;
use crate::users::store::{self as user_store, UserRow, user_of_row};
use crate::users::user::User;

/// The columns in the order of the fields of [`SessionRow`]. The order matters, because diesel assigns values to fields
/// by position, and several columns have the same type.
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
                counter: to_counter(row.counter),
                rotated_at: row.rotated_at,
                late_recoveries: row.late_recoveries,
                late_recovery_counter: row.late_recovery_counter.map(to_counter),
            },
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            ip_address: row.ip_address,
            user_agent: row.user_agent,
        };
        session.with_capped_expiry(lifetimes)
    }
}

/// Converts a stored counter. A value out of range becomes the highest counter, which cannot be advanced.
fn to_counter(stored_counter: i64) -> u32 {
    u32::try_from(stored_counter).unwrap_or(u32::MAX)
}

fn insert(connection: &mut DbConnection, session: &Session) -> QueryResult<()> {
    let ip_address = session.client.ip_address.map(|address| address.to_string());
    diesel::insert_into(sessions::table)
        .values((
            sessions::id.eq(&session.id),
            sessions::user_id.eq(&session.user_id),
            sessions::counter.eq(i64::from(Rotation::START.counter)),
            sessions::late_recoveries.eq(Rotation::START.late_recoveries),
            sessions::created_at.eq(session.created_at),
            sessions::last_used_at.eq(session.created_at),
            sessions::expires_at.eq(session.expires_at),
            sessions::ip_address.eq(ip_address),
            sessions::user_agent.eq(&session.client.user_agent),
        ))
        .execute(connection)
        .map(drop)
}

/// Inserts a session, ends the sessions that it replaces, and ends up to
/// [`BATCH_SIZE`](super::ending::store::BATCH_SIZE) sessions beyond the account's limit. Returns the ids of the ended
/// sessions.
///
/// The caller must have locked the row of the user.
pub(crate) fn open(
    connection: &mut DbConnection,
    opening: &SessionOpening,
) -> QueryResult<Vec<String>> {
    let ended_ids = end_replaced_and_surplus(connection, opening)?;
    insert(connection, &opening.session)?;
    Ok(ended_ids)
}

/// Inserts a session, and ends all other sessions of its user and the sessions that it replaces. Returns the ids of the
/// ended sessions. The caller must have locked the row of the user.
pub(crate) fn open_instead_of_all(
    connection: &mut DbConnection,
    opening: &SessionOpening,
) -> QueryResult<Vec<String>> {
    let user = UserId::stored(opening.session.user_id.clone());
    let filter = SessionFilter::AllOfUserAndByIds(&user, &opening.replaced_ids);
    let now = opening.session.created_at;
    let ended_ids = end(connection, &filter, now, opening.forget_after)?;
    insert(connection, &opening.session)?;
    Ok(ended_ids)
}

pub(crate) fn find(
    connection: &mut DbConnection,
    id: &str,
    lifetimes: Lifetimes,
) -> QueryResult<Option<StoredSession>> {
    let query = sessions::table.find(id).select(COLUMNS);
    let row: Option<SessionRow> =
        on_either_engine!(connection, |either| query.first(either)).optional()?;
    Ok(row.map(|row| row.into_session(lifetimes)))
}

/// Returns up to `limit` live sessions of a user, the most recently used first.
pub(super) fn list_live(
    connection: &mut DbConnection,
    owner: &UserId,
    times: SessionTimes,
    limit: i64,
) -> QueryResult<Vec<StoredSession>> {
    let SessionTimes { now, lifetimes, .. } = times;
    let rows: Vec<SessionRow> = sessions::table
        .filter(sessions::user_id.eq(owner.as_str()))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(now))
        .filter(sessions::created_at.gt(lifetimes.absolute_cutoff(now)))
        .select(COLUMNS)
        .order((sessions::last_used_at.desc(), sessions::id.desc()))
        .limit(limit)
        .load(connection)?;
    let live_sessions = rows.into_iter().map(|row| row.into_session(lifetimes));
    Ok(live_sessions.collect())
}

pub(crate) enum RefreshOutcome {
    /// The caller receives the refresh token of this counter, and an access token issued at `issued_at`.
    Granted {
        user: Box<User>,
        counter: u32,
        issued_at: Timestamp,
        /// The expiry of the session. The access token expires no later.
        expires_at: Timestamp,
    },
    /// The session was revoked, has expired or does not exist. Contains the session id if the session had just expired
    /// and was ended because the token was reused.
    NotLive(Vec<String>),
    /// The decision was [`Decision::End`]. Contains the session id, unless another request ended the session first.
    Reused(Vec<String>),
    /// The counter of the token is higher than the counter of the session.
    UnknownCounter,
    /// Concurrent requests changed the session during every attempt.
    Busy,
}

/// The most attempts to store a rotation while concurrent requests change the session.
const MAX_ATTEMPTS: usize = 8;

/// Applies the rule of rotation to a presented refresh token. Advances the counter by compare-and-set: of concurrent
/// requests with the current token, one request advances the counter, and the other requests repeat its result.
pub(crate) fn refresh(
    connection: &mut DbConnection,
    session_id: &str,
    token_counter: u32,
    times: SessionTimes,
) -> QueryResult<RefreshOutcome> {
    for _ in 0..MAX_ATTEMPTS {
        let found = find_with_user(connection, session_id, times.lifetimes)?;
        let Some((user, session)) = found else {
            return Ok(RefreshOutcome::NotLive(Vec::new()));
        };
        if !session.is_live(times.now) {
            return reject_not_live(connection, &session, token_counter, times);
        }
        let grant = |counter, issued_at, expires_at| RefreshOutcome::Granted {
            user: Box::new(user),
            counter,
            issued_at,
            expires_at,
        };
        match decide(&session.rotation, token_counter, times.now) {
            Decision::Repeat => {
                let rotated_at = session.rotation.rotated_at.unwrap_or(times.now);
                let is_in_overlap = times.now.since(rotated_at) <= OVERLAP;
                let issued_at = if is_in_overlap { rotated_at } else { times.now };
                let counter = session.rotation.counter;
                return Ok(grant(counter, issued_at, session.expires_at));
            }
            Decision::Advance(next_rotation) | Decision::Recover(next_rotation) => {
                let expires_at = times
                    .lifetimes
                    .extended_expiry(session.created_at, times.now);
                if set_rotation(connection, &session, next_rotation, times.now, expires_at)? {
                    return Ok(grant(next_rotation.counter, times.now, expires_at));
                }
            }
            Decision::End => {
                let filter = SessionFilter::ById(session_id);
                let ended_ids = end(connection, &filter, times.now, times.forget_after)?;
                return Ok(RefreshOutcome::Reused(ended_ids));
            }
            Decision::UnknownCounter => return Ok(RefreshOutcome::UnknownCounter),
        }
    }
    Ok(RefreshOutcome::Busy)
}

/// Rejects a refresh of a session that is not live. A reused token also ends a session that has just expired, because a
/// process whose clock is behind may still accept access tokens of the session.
fn reject_not_live(
    connection: &mut DbConnection,
    session: &StoredSession,
    token_counter: u32,
    times: SessionTimes,
) -> QueryResult<RefreshOutcome> {
    let decision = decide(&session.rotation, token_counter, times.now);
    if session.revoked_at.is_some() || decision != Decision::End {
        return Ok(RefreshOutcome::NotLive(Vec::new()));
    }
    let filter = SessionFilter::ById(&session.id);
    let ended_ids = end(connection, &filter, times.now, times.forget_after)?;
    Ok(RefreshOutcome::NotLive(ended_ids))
}

/// Stores `next_rotation`, the last use and the expiry. If another request has changed the rotation, or revoked or
/// deleted the session, since `session` was read, returns false and changes nothing.
fn set_rotation(
    connection: &mut DbConnection,
    session: &StoredSession,
    next_rotation: Rotation,
    now: Timestamp,
    expires_at: Timestamp,
) -> QueryResult<bool> {
    let unchanged_row = sessions::table
        .find(&session.id)
        .filter(sessions::counter.eq(i64::from(session.rotation.counter)))
        .filter(sessions::late_recoveries.eq(session.rotation.late_recoveries))
        .filter(sessions::revoked_at.is_null());
    let statement = diesel::update(unchanged_row).set((
        sessions::counter.eq(i64::from(next_rotation.counter)),
        sessions::rotated_at.eq(next_rotation.rotated_at),
        sessions::late_recoveries.eq(next_rotation.late_recoveries),
        sessions::late_recovery_counter.eq(next_rotation.late_recovery_counter.map(i64::from)),
        sessions::last_used_at.eq(now),
        sessions::expires_at.eq(expires_at),
    ));
    let updated_row_count = on_either_engine!(connection, |either| statement.execute(either))?;
    Ok(updated_row_count == 1)
}

/// Sets the expiry and the last use. Returns false if the session does not exist or is revoked, or if its stored expiry
/// has passed.
pub(crate) fn prolong(
    connection: &mut DbConnection,
    id: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> QueryResult<bool> {
    let live_row = sessions::table
        .find(id)
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(now));
    let updated_row_count = diesel::update(live_row)
        .set((
            sessions::last_used_at.eq(now),
            sessions::expires_at.eq(expires_at),
        ))
        .execute(connection)?;
    Ok(updated_row_count == 1)
}

/// Deletes up to `limit` sessions that expired before `cutoff`. Returns the number of deleted sessions.
pub(super) fn purge(
    connection: &mut DbConnection,
    cutoff: Timestamp,
    limit: i64,
) -> QueryResult<usize> {
    let expired_ids: Vec<String> = sessions::table
        .filter(sessions::expires_at.lt(cutoff))
        .select(sessions::id)
        .limit(limit)
        .load(connection)?;
    diesel::delete(sessions::table.filter(sessions::id.eq_any(expired_ids))).execute(connection)
}

/// Returns a session, live or not, with its user. One query reads both rows, because this lookup is frequent.
pub(crate) fn find_with_user(
    connection: &mut DbConnection,
    session_id: &str,
    lifetimes: Lifetimes,
) -> QueryResult<Option<(User, StoredSession)>> {
    let query = sessions::table
        .inner_join(users::table)
        .filter(sessions::id.eq(session_id))
        .select((user_store::COLUMNS, COLUMNS));
    let joined_row: Option<(UserRow, SessionRow)> =
        on_either_engine!(connection, |either| query.first(either)).optional()?;
    Ok(joined_row.map(|(user, session)| (user_of_row(user), session.into_session(lifetimes))))
}

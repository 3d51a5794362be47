//! The sessions table.

use diesel::prelude::*;

use super::revocation;
use super::rotation::{Decision, OVERLAP, Rotation, decide};
use super::session::{Opening, Session, StoredSession};
use crate::db::schema::{sessions, users};
use crate::db::{DbConnection, Timestamp, write_transaction};
use crate::http::identity::UserId;

/// In the order of [`Row`]; the round-trip test tells swapped columns.
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
pub(crate) struct Row {
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

impl From<Row> for StoredSession {
    fn from(row: Row) -> Self {
        Self {
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
        }
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

/// Inserts a session and ends the one it replaces; the ids of those that were ended. The caller holds the lock on its
/// user, and does nothing after it in the transaction.
pub(crate) fn open(connection: &mut DbConnection, opening: &Opening) -> QueryResult<Vec<String>> {
    insert(connection, &opening.session)?;
    let Some(replaced) = &opening.replaced else {
        return Ok(Vec::new());
    };
    let (which, now) = (Which::One(replaced), opening.session.created_at);
    end(connection, &which, now, opening.forget_after)
}

pub(crate) fn find(connection: &mut DbConnection, id: &str) -> QueryResult<Option<StoredSession>> {
    let row: Option<Row> = sessions::table
        .find(id)
        .select(COLUMNS)
        .first(connection)
        .optional()?;
    Ok(row.map(StoredSession::from))
}

/// The live sessions of a user, last used first.
pub(super) fn list_live(
    connection: &mut DbConnection,
    owner: &UserId,
    now: Timestamp,
    limit: i64,
) -> QueryResult<Vec<StoredSession>> {
    let rows: Vec<Row> = sessions::table
        .filter(sessions::user_id.eq(owner.as_str()))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(now))
        .select(COLUMNS)
        .order((sessions::last_used_at.desc(), sessions::id.desc()))
        .limit(limit)
        .load(connection)?;
    Ok(rows.into_iter().map(StoredSession::from).collect())
}

/// What came of a presented refresh token.
pub(crate) enum Refreshed {
    /// Answer this counter, with an access token of this time.
    Granted {
        user_id: String,
        counter: u32,
        issued_at: Timestamp,
    },
    /// The session has ended, expired or is gone.
    Over,
    /// A copy is in use elsewhere; these sessions were ended.
    Reused(Vec<String>),
    /// Not a token of this session's past.
    Unknown,
    /// Others keep changing the session.
    Busy,
}

/// When a refresh happens and what it gives.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) now: Timestamp,
    pub(crate) expires_at: Timestamp,
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
    terms: Terms,
) -> QueryResult<Refreshed> {
    for _ in 0..TRIES {
        let Some(session) = find(connection, session_id)?.filter(|found| found.is_live(terms.now))
        else {
            return Ok(Refreshed::Over);
        };
        let granted = |counter, issued_at| Refreshed::Granted {
            user_id: session.user_id.clone(),
            counter,
            issued_at,
        };
        match decide(&session.rotation, presented, terms.now) {
            Decision::Repeat => {
                let rotated_at = session.rotation.rotated_at.unwrap_or(terms.now);
                let fresh = terms.now.since(rotated_at) <= OVERLAP;
                let issued_at = if fresh { rotated_at } else { terms.now };
                return Ok(granted(session.rotation.counter, issued_at));
            }
            Decision::Advance(next) | Decision::Recover(next) => {
                if step(connection, &session, next, terms)? {
                    return Ok(granted(next.counter, terms.now));
                }
            }
            Decision::End => {
                let which = Which::One(session_id);
                let ended = end(connection, &which, terms.now, terms.forget_after)?;
                return Ok(Refreshed::Reused(ended));
            }
            Decision::Unknown => return Ok(Refreshed::Unknown),
        }
    }
    Ok(Refreshed::Busy)
}

/// `false` if another request changed the session first.
fn step(
    connection: &mut DbConnection,
    session: &StoredSession,
    next: Rotation,
    terms: Terms,
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
            sessions::last_used_at.eq(terms.now),
            sessions::expires_at.eq(terms.expires_at),
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

/// Which sessions to end.
pub(crate) enum Which<'a> {
    One(&'a str),
    /// One, if it is this user's.
    Own(&'a UserId, &'a str),
    OthersOf(&'a UserId, &'a str),
    AllOf(&'a UserId),
}

/// Ends live sessions and tells every process; the ids of those that were ended.
///
/// Whoever ends several locks their user first: two that met on the sessions alone could wait for each other.
pub(crate) fn end(
    connection: &mut DbConnection,
    which: &Which<'_>,
    now: Timestamp,
    forget_after: Timestamp,
) -> QueryResult<Vec<String>> {
    write_transaction(connection, |connection| {
        if let Which::OthersOf(user, _) | Which::AllOf(user) = which {
            lock(connection, user)?;
        }
        let mut ended = sessions::table
            .filter(sessions::revoked_at.is_null())
            .filter(sessions::expires_at.gt(now))
            .select(sessions::id)
            .into_boxed();
        ended = match which {
            Which::One(id) => ended.filter(sessions::id.eq(*id)),
            Which::Own(user, id) => ended
                .filter(sessions::id.eq(*id))
                .filter(sessions::user_id.eq(user.as_str())),
            Which::OthersOf(user, id) => ended
                .filter(sessions::user_id.eq(user.as_str()))
                .filter(sessions::id.ne(*id)),
            Which::AllOf(user) => ended.filter(sessions::user_id.eq(user.as_str())),
        };
        let candidates: Vec<String> = ended.load(connection)?;
        let mut ids = Vec::with_capacity(candidates.len());
        for id in candidates {
            let live = sessions::table
                .find(&id)
                .filter(sessions::revoked_at.is_null());
            let updated = diesel::update(live)
                .set(sessions::revoked_at.eq(now))
                .execute(connection)?;
            if updated == 1 {
                ids.push(id);
            }
        }
        revocation::store::record(connection, &ids, forget_after)?;
        Ok(ids)
    })
}

/// Until the end of the transaction. Both engines know an update; only one has a lock of its own.
fn lock(connection: &mut DbConnection, user: &UserId) -> QueryResult<()> {
    diesel::update(users::table.find(user.as_str()))
        .set(users::email_verified.eq(users::email_verified))
        .execute(connection)
        .map(drop)
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

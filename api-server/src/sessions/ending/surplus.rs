//! Ends more sessions than one transaction should.
//!
//! An account has at most [`MAX_LIVE`] live sessions, but in an old database it may have thousands. What ends all of
//! them (a logout, a change of password, the end of the account) first ends those beyond a few here, in batches with
//! room for the writes of others between them, and then the rest in its own transaction. A crash in between leaves only
//! fewer sessions that should not have been there, and the change itself not begun.

use std::time::SystemTime;

use crate::db::DbError;
use crate::sessions::Sessions;
use crate::sessions::ending::store;
use crate::sessions::ending::store::{BATCH, Ended, KeptSessions, MAX_LIVE, SessionFilter};
use crate::users::id::UserId;

/// The sessions that are left to the transaction of the cause: more than an account has within its limit, those that
/// have just expired included.
const MAX_LEFT: i64 = 2 * MAX_LIVE;
/// Ids that are read at once.
const PAGE: i64 = 10_000;

/// Leaves only so many as the transaction that ends the rest should end; `kept`, the session that asks, is one of them.
/// Gives how many of the ended ones were live.
pub(crate) async fn end_most(
    sessions: &Sessions,
    user: &UserId,
    kept: &str,
) -> Result<usize, DbError> {
    let kept = KeptSessions {
        newest: MAX_LEFT,
        ids: vec![kept.to_owned()],
    };
    end_beyond(sessions, user, kept).await
}

/// Brings an account to its limit after a login that found far too many sessions; the login's own stays.
pub(crate) async fn enforce_limit(
    sessions: &Sessions,
    user: &UserId,
    kept: &str,
) -> Result<usize, DbError> {
    let kept = KeptSessions {
        newest: MAX_LIVE - 1,
        ids: vec![kept.to_owned()],
    };
    end_beyond(sessions, user, kept).await
}

async fn end_beyond(
    sessions: &Sessions,
    user: &UserId,
    kept: KeptSessions,
) -> Result<usize, DbError> {
    let mut ended = 0;
    let mut kept = Some(kept);
    while let Some(keep) = kept.take() {
        let now = sessions.now();
        let times = (now.into(), sessions.forget_after(now));
        let owner = user.clone();
        let (ids, keep) = sessions
            .db
            .read(move |connection| {
                let ids = store::surplus(connection, &owner, &keep, times, PAGE)?;
                Ok((ids, keep))
            })
            .await?;
        for batch in ids.chunks(usize::try_from(BATCH).unwrap_or(1)) {
            ended += end_these(sessions, user, batch.to_vec(), now).await?;
        }
        let is_full = i64::try_from(ids.len()).is_ok_and(|read| read == PAGE);
        kept = is_full.then_some(keep);
    }
    Ok(ended)
}

async fn end_these(
    sessions: &Sessions,
    user: &UserId,
    ids: Vec<String>,
    now: SystemTime,
) -> Result<usize, DbError> {
    let (owner, times) = (user.clone(), (now.into(), sessions.forget_after(now)));
    let lifetimes = sessions.lifetimes();
    let ended: Ended = sessions
        .db
        .write(move |connection| {
            let these = SessionFilter::ByIdsOfUser(&owner, &ids);
            store::end_and_count(connection, &these, times, lifetimes)
        })
        .await?;
    sessions.revoke_locally(&ended.ids, now);
    Ok(ended.live)
}

/// Deletes the ended sessions of an account that is about to go, so that its own transaction need not.
pub(crate) async fn delete_ended(sessions: &Sessions, user: &UserId) -> Result<(), DbError> {
    loop {
        let owner = user.clone();
        let deleted = sessions
            .db
            .write(move |connection| store::delete_ended(connection, &owner, BATCH))
            .await?;
        if i64::try_from(deleted).is_ok_and(|deleted| deleted < BATCH) {
            return Ok(());
        }
    }
}

//! Ends sessions in batches if they are too many for one transaction.
//!
//! An account has at most [`MAX_LIVE_SESSIONS`] live sessions, but in an old database it may have thousands. An
//! operation that ends all sessions (for example a change of the password or the deletion of the account) first calls
//! [`end_most`], which ends all but the caller's session and [`MAX_REMAINING`] others in batches. Other writes run
//! between the batches. The operation then ends the remaining sessions in its own transaction. If that transaction
//! fails, sessions have ended, but the operation has not happened.

use std::sync::Arc;
use std::time::SystemTime;

use crate::db::DbError;
use crate::sessions::Sessions;
use crate::sessions::ending::store;
use crate::sessions::ending::store::{
    BATCH_SIZE, EndedSessions, KeptSessions, MAX_LIVE_SESSIONS, SessionFilter,
};
use crate::users::id::UserId;

/// The most sessions that [`end_most`] leaves in addition to the caller's session. The number includes sessions that
/// have just expired. It is larger than [`MAX_LIVE_SESSIONS`], so that an account within its limit rarely needs
/// batches.
const MAX_REMAINING: i64 = 2 * MAX_LIVE_SESSIONS;
/// The most session ids that one query reads.
const PAGE_SIZE: i64 = 10_000;

/// Ends the sessions of the user except the session `caller_session_id` and [`MAX_REMAINING`] other sessions, which are
/// few enough for one transaction. Returns how many of the ended sessions were live.
pub(crate) async fn end_most(
    sessions: &Sessions,
    user: &UserId,
    caller_session_id: &str,
) -> Result<usize, DbError> {
    end_all_except(sessions, user, MAX_REMAINING, caller_session_id).await
}

/// Ends the sessions beyond the account's limit, but not the session that a login has just opened. Returns how many of
/// the ended sessions were live.
pub(crate) async fn enforce_limit(
    sessions: &Sessions,
    user: &UserId,
    new_session_id: &str,
) -> Result<usize, DbError> {
    end_all_except(sessions, user, MAX_LIVE_SESSIONS - 1, new_session_id).await
}

/// Ends all sessions of the user except `session_id` and the `recent_count` most recently used other sessions. Returns
/// how many of the ended sessions were live.
async fn end_all_except(
    sessions: &Sessions,
    user: &UserId,
    recent_count: i64,
    session_id: &str,
) -> Result<usize, DbError> {
    let ids = vec![session_id.to_owned()];
    let kept_sessions = Arc::new(KeptSessions { recent_count, ids });
    let mut live_count = 0;
    loop {
        let now = sessions.now();
        let times = sessions.times(now);
        let (owner, kept) = (user.clone(), Arc::clone(&kept_sessions));
        let surplus_ids = sessions
            .db
            .read(move |connection| store::surplus_ids(connection, &owner, &kept, times, PAGE_SIZE))
            .await?;
        for batch in surplus_ids.chunks(usize::try_from(BATCH_SIZE).unwrap_or(1)) {
            live_count += end_batch(sessions, user, batch.to_vec(), now).await?;
        }
        if i64::try_from(surplus_ids.len()).is_ok_and(|count| count < PAGE_SIZE) {
            return Ok(live_count);
        }
    }
}

async fn end_batch(
    sessions: &Sessions,
    user: &UserId,
    ids: Vec<String>,
    now: SystemTime,
) -> Result<usize, DbError> {
    let (owner, times) = (user.clone(), sessions.times(now));
    let ended_sessions: EndedSessions = sessions
        .db
        .write(move |connection| {
            let filter = SessionFilter::ByIdsOfUser(&owner, &ids);
            store::end_and_count_live(connection, &filter, times)
        })
        .await?;
    sessions.revoke_locally(&ended_sessions.ids, now);
    Ok(ended_sessions.live_count)
}

/// Deletes the ended sessions of an account in batches, so that the transaction that deletes the account is short.
pub(crate) async fn delete_ended(sessions: &Sessions, user: &UserId) -> Result<(), DbError> {
    loop {
        let owner = user.clone();
        let deleted_count = sessions
            .db
            .write(move |connection| store::delete_ended(connection, &owner, BATCH_SIZE))
            .await?;
        if i64::try_from(deleted_count).is_ok_and(|count| count < BATCH_SIZE) {
            return Ok(());
        }
    }
}

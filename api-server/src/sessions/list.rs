//! Lists the live sessions of a user, and ends a single session.

use super::ending::store::{self as ending, SessionFilter};
use super::session::{SessionTimes, StoredSession};
use super::{Sessions, store};
use crate::db::{DbConnection, QueryResult, write_transaction};
use crate::problem::Problem;
use crate::users::id::UserId;

/// The most sessions in a list. A logout with the scope `all` also ends the sessions that the list leaves out.
const MAX_LISTED: i64 = 500;

/// Returns up to [`MAX_LISTED`] live sessions of a user, the most recently used first.
pub(crate) async fn live_sessions(
    sessions: &Sessions,
    owner: UserId,
) -> Result<Vec<StoredSession>, Problem> {
    let times = sessions.times(sessions.now());
    let stored_sessions = sessions
        .db
        .of_account(owner.as_str())
        .read(move |connection| store::list_live(connection, &owner, times, MAX_LISTED))
        .await?;
    Ok(stored_sessions)
}

/// Ends the session `session_id` of the user `owner`. Returns whether the session was live. A session that has just
/// expired is ended too, but the result is false.
///
/// Fails if the session `caller_session_id` is not live. Without this check, the holder of an access token from before
/// a change of the password could end the new session, as long as this process has not read the revocation of the old
/// session.
pub(crate) async fn end_session(
    sessions: &Sessions,
    owner: UserId,
    caller_session_id: String,
    session_id: String,
) -> Result<bool, Problem> {
    let now = sessions.now();
    let times = sessions.times(now);
    let ended_sessions = sessions
        .db
        .of_account(owner.as_str())
        .write(move |connection| {
            write_transaction(connection, |connection| {
                // The lock prevents a change of password between the check and the end of the session.
                ending::lock_user(connection, &owner)?;
                if !is_caller_session_live(connection, &owner, &caller_session_id, times)? {
                    return Ok(None);
                }
                let filter = SessionFilter::ByIdOfUser(&owner, &session_id);
                ending::end_and_count_live(connection, &filter, times).map(Some)
            })
        })
        .await?
        .ok_or_else(Problem::token_revoked)?;
    sessions.revoke_locally(&ended_sessions.ids, now);
    Ok(ended_sessions.live_count > 0)
}

/// Checks the caller's session in the database, because this process may not have read a revocation of it yet.
fn is_caller_session_live(
    connection: &mut DbConnection,
    owner: &UserId,
    session_id: &str,
    times: SessionTimes,
) -> QueryResult<bool> {
    let session = store::find(connection, session_id, times.lifetimes)?;
    Ok(session
        .is_some_and(|session| session.user_id == owner.as_str() && session.is_live(times.now)))
}

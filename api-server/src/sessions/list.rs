//! The live sessions of a user, and the end of one of them.

use super::ending::store::{self as ending, Ended, SessionFilter};
use super::session::{Lifetimes, StoredSession};
use super::{Sessions, store};
use crate::db::{DbConnection, QueryResult, Timestamp, write_transaction};
use crate::problem::Problem;
use crate::users::id::UserId;

/// The sessions that a list shows at most; logging out everywhere reaches all of them.
const MAX_LISTED: i64 = 500;

/// A user's live sessions, last used first; 500 at most.
pub(crate) async fn live(
    sessions: &Sessions,
    owner: UserId,
) -> Result<Vec<StoredSession>, Problem> {
    let when = (sessions.now().into(), sessions.lifetimes());
    let listed = sessions
        .db
        .of_account(owner.as_str())
        .read(move |connection| store::list_live(connection, &owner, when, MAX_LISTED))
        .await?;
    Ok(listed)
}

/// Ends a session if it is this user's; whether it was live. One that had just expired is ended too, but counts as gone.
///
/// Refused if the asking session is over: the holder of its token could otherwise end the sessions that took its place.
pub(crate) async fn end_own(
    sessions: &Sessions,
    owner: UserId,
    asking: String,
    id: String,
) -> Result<bool, Problem> {
    let now = sessions.now();
    let (times, lifetimes) = (
        (now.into(), sessions.forget_after(now)),
        sessions.lifetimes(),
    );
    let ended = sessions
        .db
        .of_account(owner.as_str())
        .write(move |connection| end_asked(connection, &owner, (&asking, &id), times, lifetimes))
        .await?;
    let ended = ended.ok_or_else(Problem::token_revoked)?;
    sessions.revoke_locally(&ended.ids, now);
    Ok(ended.live > 0)
}

/// `None` if the asking session is over: its access token is accepted during the leeway, and by processes that have not
/// heard of the end.
///
/// Locks the user first, as a change of password does, so that none comes between the check and the end.
fn end_asked(
    connection: &mut DbConnection,
    owner: &UserId,
    (asking, id): (&str, &str),
    times: (Timestamp, Timestamp),
    lifetimes: Lifetimes,
) -> QueryResult<Option<Ended>> {
    write_transaction(connection, |connection| {
        ending::lock(connection, owner)?;
        let asking = store::find(connection, asking, lifetimes)?;
        let is_own = |it: &StoredSession| it.user_id == owner.as_str() && it.is_live(times.0);
        if !asking.as_ref().is_some_and(is_own) {
            return Ok(None);
        }
        let filter = SessionFilter::ByIdOfUser(owner, id);
        ending::end_and_count(connection, &filter, times, lifetimes).map(Some)
    })
}

//! The live sessions of a user, and the end of one of them.

use super::ending::store::{SessionFilter, end_and_count};
use super::session::StoredSession;
use super::{Sessions, store};
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
pub(crate) async fn end_own(
    sessions: &Sessions,
    owner: UserId,
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
        .write(move |connection| {
            let filter = SessionFilter::ByIdOfUser(&owner, &id);
            end_and_count(connection, &filter, times, lifetimes)
        })
        .await?;
    sessions.revoke_locally(&ended.ids, now);
    Ok(ended.live > 0)
}

//! Deletes an account.

use super::{Accounts, store};
use crate::problem::Problem;
use crate::sessions::ending::surplus;
use crate::users::id::UserId;
use crate::users::passwords::Authenticated;

/// Deletes the account with all its tasks and sessions. With `authenticated`, fails if the stored password hash is no
/// longer the hash that the entered password was compared with.
pub(crate) async fn delete(
    accounts: &Accounts,
    id: UserId,
    authenticated: Option<Authenticated>,
) -> Result<(), Problem> {
    surplus::end_most(&accounts.sessions, &id, "").await?;
    surplus::delete_ended(&accounts.sessions, &id).await?;
    let now = accounts.sessions.now();
    let (user_id, forget_after) = (id.clone(), accounts.sessions.forget_after(now));
    let ended_ids = accounts
        .sessions
        .db
        .write(move |connection| {
            let old_hash = authenticated
                .as_ref()
                .map(|authenticated| authenticated.hash.as_str());
            store::delete(connection, &user_id, old_hash, now.into(), forget_after)
        })
        .await?
        .ok_or_else(Problem::token_revoked)?;
    accounts.sessions.revoke_locally(&ended_ids, now);
    log::info!(
        "account deleted user_id={} sessions_ended={}",
        id.as_str(),
        ended_ids.len()
    );
    Ok(())
}

//! Changing the password.

use std::time::{Duration, SystemTime};

use auth_core::password::PasswordAttempt;

use super::Accounts;
use super::store::{self, NewPassword};
use crate::client::Client;
use crate::problem::Problem;
use crate::sessions::ending::surplus;
use crate::sessions::grant::TokenGrant;
use crate::sessions::session::Session;
use crate::users::id::UserId;
use crate::users::password_policy::ChosenPassword;

/// A change of password, requested by a session.
pub(crate) struct PasswordChange {
    pub(crate) user_id: UserId,
    pub(crate) session_id: String,
    /// The password that the caller claims is the current one.
    pub(crate) attempt: PasswordAttempt,
    pub(crate) new: ChosenPassword,
    /// How long the new session lives.
    pub(crate) lifetime: Duration,
}

/// Changes the password of a user who knows the current one, and replaces all of the user's sessions by a new one.
pub(crate) async fn change_password(
    accounts: &Accounts,
    change: PasswordChange,
    client: Client,
    now: SystemTime,
) -> Result<TokenGrant, Problem> {
    let (user_id, session_id) = (&change.user_id, &change.session_id);
    let authenticated = accounts
        .passwords
        .confirm(user_id, session_id, change.attempt, &client)
        .await?;
    surplus::end_most(&accounts.sessions, user_id, session_id).await?;
    let permit = accounts.passwords.hasher.permit(&client).await?;
    let hash = accounts.passwords.hasher.hash(permit, change.new).await?;
    let successor = Session::begin(change.user_id.as_str(), client, now, change.lifetime);
    let (session_id, expires_at) = (successor.id.clone(), successor.expires_at);
    let change = NewPassword {
        user_id: change.user_id,
        session_id: change.session_id,
        old_hash: authenticated.hash,
        new_hash: hash.as_str().to_owned(),
        successor,
        now: now.into(),
        forget_after: accounts.sessions.forget_after(now),
        lifetimes: accounts.sessions.lifetimes(),
    };
    let changed = accounts
        .sessions
        .db
        .write(move |connection| store::change_password(connection, &change))
        .await?;
    let changed = changed.ok_or_else(Problem::token_revoked)?;
    accounts.sessions.revoke_locally(&changed.ended, now);
    log::info!(
        "password changed user_id={} sessions_ended={}",
        changed.user.id,
        changed.ended.len()
    );
    Ok(TokenGrant {
        user: changed.user,
        session_id,
        counter: 0,
        issued_at: now,
        expires_at,
    })
}

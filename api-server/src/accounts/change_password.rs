//! Changes the password of an account.

use std::time::{Duration, SystemTime};

use auth_core::password::PasswordAttempt;

use super::Accounts;
use super::login::LoginContext;
use super::store::{self, PasswordUpdate};
use crate::client::Client;
use crate::mail::kind::MailKind;
use crate::mail::outbox::NewMail;
use crate::metrics::Event;
use crate::problem::Problem;
use crate::sessions::ending::surplus;
use crate::sessions::grant::TokenGrant;
use crate::users::id::UserId;
use crate::users::password_policy::ChosenPassword;

/// A request to change the password.
pub(crate) struct PasswordChange {
    pub(crate) user_id: UserId,
    /// The id of the caller's session.
    pub(crate) session_id: String,
    /// The current password as the caller entered it.
    pub(crate) attempt: PasswordAttempt,
    pub(crate) new_password: ChosenPassword,
    /// The lifetime of the new session.
    pub(crate) lifetime: Duration,
}

/// Changes the password, replaces all sessions of the user by a new session, and queues a notice to the user. Fails if
/// the caller entered a wrong current password now or too many wrong ones before, if the caller's session is not live,
/// or if the password was changed in the meantime.
pub(crate) async fn change_password(
    accounts: &Accounts,
    change: PasswordChange,
    client: Client,
    now: SystemTime,
) -> Result<TokenGrant, Problem> {
    let (user_id, caller_session_id) = (&change.user_id, &change.session_id);
    let authenticated = accounts
        .passwords
        .confirm(user_id, caller_session_id, change.attempt, &client)
        .await?;
    surplus::end_most(&accounts.sessions, user_id, caller_session_id).await?;
    let hasher = &accounts.passwords.hasher;
    let permit = hasher.acquire_permit(&client).await?;
    let new_hash = hasher.hash(permit, change.new_password).await?;
    let (user_id, email) = (change.user_id.as_str(), &authenticated.user.email);
    let context = LoginContext {
        client,
        lifetime: change.lifetime,
        replaced_ids: Vec::new(),
    };
    let opening = context.into_opening(accounts, user_id, now);
    let (session_id, expires_at) = (opening.session.id.clone(), opening.session.expires_at);
    let update = PasswordUpdate {
        notice: NewMail::to_user(MailKind::PasswordChanged, user_id, email, now),
        user_id: change.user_id,
        session_id: change.session_id,
        old_hash: authenticated.hash,
        new_hash: new_hash.as_str().to_owned(),
        opening,
        now: now.into(),
    };
    let result = accounts
        .sessions
        .db
        .write(move |connection| store::change_password(connection, &update))
        .await?
        .ok_or_else(Problem::token_revoked)?;
    accounts.sessions.metrics.count(Event::SessionOpened);
    accounts.outbox.notify_sender();
    accounts.sessions.revoke_locally(&result.ended_ids, now);
    log::info!(
        "password changed user_id={} sessions_ended={}",
        result.user.id,
        result.ended_ids.len()
    );
    Ok(TokenGrant {
        user: result.user,
        session_id,
        counter: 0,
        issued_at: now,
        expires_at,
    })
}

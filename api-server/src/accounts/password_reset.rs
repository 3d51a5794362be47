//! Sets a new password for a user who has a token or a code from a mail.

use std::time::SystemTime;

use auth_core::password::PasswordHash;

use super::login::LoginContext;
use super::mail_proof::{self, MailProof, invalid_proof};
use super::store::PasswordReset;
use super::{Accounts, store};
use crate::client::Client;
use crate::mail::kind::MailKind;
use crate::mail::outbox::NewMail;
use crate::metrics::Event;
use crate::problem::Problem;
use crate::sessions::ending::surplus;
use crate::sessions::grant::TokenGrant;
use crate::sessions::session::SessionOpening;
use crate::users::id::UserId;
use crate::users::password_policy::ChosenPassword;
use crate::users::store::MailKeyChange;
use crate::users::user::User;

/// Sets the password, ends all sessions of the user, begins a new session, and queues a notice to the user. Marks the
/// email address as verified, because the token and the code were only in a mail to this address.
pub(crate) async fn confirm(
    accounts: &Accounts,
    proof: MailProof,
    new_password: ChosenPassword,
    context: LoginContext,
) -> Result<TokenGrant, Problem> {
    let valid_reset = prepare(accounts, proof, new_password, &context.client).await?;
    let now = accounts.sessions.now();
    let opening = context.into_opening(accounts, &valid_reset.key_change.user_id, now);
    let (session_id, expires_at) = (opening.session.id.clone(), opening.session.expires_at);
    let user = store_reset(accounts, valid_reset, Some(opening), now).await?;
    accounts.sessions.metrics.count(Event::SessionOpened);
    Ok(TokenGrant {
        user,
        session_id,
        counter: 0,
        issued_at: now,
        expires_at,
    })
}

/// Does the same as [`confirm`], but begins no session.
pub(crate) async fn confirm_without_session(
    accounts: &Accounts,
    proof: MailProof,
    new_password: ChosenPassword,
    client: &Client,
) -> Result<(), Problem> {
    let valid_reset = prepare(accounts, proof, new_password, client).await?;
    let now = accounts.sessions.now();
    store_reset(accounts, valid_reset, None, now).await?;
    Ok(())
}

/// A reset whose proof is valid.
struct ValidReset {
    key_change: MailKeyChange,
    new_hash: PasswordHash,
}

/// Verifies the proof, hashes the password, and ends most sessions of the user if they are too many for one
/// transaction. The password is hashed only if the proof is valid.
async fn prepare(
    accounts: &Accounts,
    proof: MailProof,
    new_password: ChosenPassword,
    client: &Client,
) -> Result<ValidReset, Problem> {
    let key_change = mail_proof::verify(accounts, MailKind::PasswordReset, proof, client).await?;
    let hasher = &accounts.passwords.hasher;
    let permit = hasher.acquire_permit(client).await?;
    let new_hash = hasher.hash(permit, new_password).await?;
    let owner = UserId::stored(key_change.user_id.clone());
    surplus::end_most(&accounts.sessions, &owner, "").await?;
    Ok(ValidReset {
        key_change,
        new_hash,
    })
}

/// Stores the reset in a transaction, which checks again that the proof was not used.
async fn store_reset(
    accounts: &Accounts,
    ValidReset {
        key_change,
        new_hash,
    }: ValidReset,
    opening: Option<SessionOpening>,
    now: SystemTime,
) -> Result<User, Problem> {
    let (kind, user_id) = (MailKind::PasswordChanged, &key_change.user_id);
    let reset = PasswordReset {
        notice: NewMail::to_user(kind, user_id, &key_change.email, now),
        key_change,
        new_hash: new_hash.as_str().to_owned(),
        opening,
        now: now.into(),
        forget_after: accounts.sessions.times(now).forget_after,
    };
    let result = accounts
        .sessions
        .db
        .write(move |connection| store::reset_password(connection, &reset))
        .await?
        .ok_or_else(invalid_proof)?;
    accounts.outbox.notify_sender();
    accounts.sessions.revoke_locally(&result.ended_ids, now);
    log::info!(
        "password reset user_id={} sessions_ended={}",
        result.user.id,
        result.ended_ids.len()
    );
    Ok(result.user)
}

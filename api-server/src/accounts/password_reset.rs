//! Sets a new password for a user who has a token or a code from a mail.

use super::login::LoginContext;
use super::mail_proof::{self, MailProof, invalid_proof};
use super::store::PasswordReset;
use super::{Accounts, store};
use crate::mail::kind::MailKind;
use crate::mail::outbox::NewMail;
use crate::problem::Problem;
use crate::sessions::ending::surplus;
use crate::sessions::grant::TokenGrant;
use crate::users::id::UserId;
use crate::users::password_policy::ChosenPassword;

/// Sets the password, ends all sessions of the user, and begins a new session. The address is marked as
/// verified, because the token and the code were only in a mail to this address.
///
/// The password is hashed only for a valid proof. The transaction checks again that the proof was not used.
pub(crate) async fn confirm(
    accounts: &Accounts,
    proof: MailProof,
    new_password: ChosenPassword,
    context: LoginContext,
) -> Result<TokenGrant, Problem> {
    let key_change = mail_proof::verify(accounts, MailKind::PasswordReset, proof).await?;
    let hasher = &accounts.passwords.hasher;
    let permit = hasher.acquire_permit(&context.client).await?;
    let new_hash = hasher.hash(permit, new_password).await?;
    let owner = UserId::stored(key_change.user_id.clone());
    surplus::end_most(&accounts.sessions, &owner, "").await?;
    let now = accounts.sessions.now();
    let opening = context.into_opening(accounts, owner.as_str(), now);
    let (session_id, expires_at) = (opening.session.id.clone(), opening.session.expires_at);
    let (kind, user_id) = (MailKind::PasswordChanged, owner.as_str());
    let reset = PasswordReset {
        notice: NewMail::to_user(kind, user_id, &key_change.email, now),
        key_change,
        new_hash: new_hash.as_str().to_owned(),
        opening,
        now: now.into(),
    };
    let result = accounts
        .sessions
        .db
        .write(move |connection| store::reset_password(connection, &reset))
        .await?
        .ok_or_else(invalid_proof)?;
    accounts.outbox.announce();
    accounts.sessions.revoke_locally(&result.ended_ids, now);
    log::info!(
        "password reset user_id={} sessions_ended={}",
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

//! Deletes an account, or queues a mail with which the user confirms the deletion.

use super::Accounts;
use super::mail_proof::invalid_proof;
use super::mail_request::queue_mail;
use super::store::{self, CallerSession, DeletionProof};
use crate::client::Client;
use crate::mail::kind::MailKind;
use crate::mail::language::Language;
use crate::mail::outbox::NewMail;
use crate::problem::Problem;
use crate::sessions::ending::surplus;
use crate::users::id::UserId;
use crate::users::passwords::AuthenticatedUser;
use crate::users::store::MailKeyChange;

/// The reason why the caller may delete the account.
pub(crate) enum DeletionConfirmation {
    /// The caller entered the password.
    Password(AuthenticatedUser),
    /// The caller has the token of a mail to the user.
    Mail(MailKeyChange),
    /// The caller logged in recently, with this session.
    RecentLogin(String),
}

/// Deletes the account with all its tasks and sessions. Fails if the confirmation has become invalid since it was
/// checked, for example because the password was changed.
pub(crate) async fn delete(
    accounts: &Accounts,
    id: UserId,
    confirmation: DeletionConfirmation,
) -> Result<(), Problem> {
    // `end_most` keeps the session of a recent login, because the transaction checks that session again.
    let caller_session = match &confirmation {
        DeletionConfirmation::RecentLogin(session_id) => session_id,
        DeletionConfirmation::Password(_) | DeletionConfirmation::Mail(_) => "",
    };
    surplus::end_most(&accounts.sessions, &id, caller_session).await?;
    surplus::delete_ended(&accounts.sessions, &id).await?;
    let now = accounts.sessions.now();
    let (proof, failure): (_, fn() -> Problem) = match confirmation {
        DeletionConfirmation::Password(authenticated) => (
            DeletionProof::PasswordHash(authenticated.hash),
            Problem::token_revoked,
        ),
        DeletionConfirmation::Mail(key_change) => {
            (DeletionProof::MailKey(key_change), invalid_proof)
        }
        DeletionConfirmation::RecentLogin(id) => {
            let lifetimes = accounts.sessions.lifetimes();
            let session = CallerSession { id, lifetimes };
            (DeletionProof::RecentLogin(session), Problem::token_revoked)
        }
    };
    let (user_id, forget_after) = (id.clone(), accounts.sessions.forget_after(now));
    let ended_ids = accounts
        .sessions
        .db
        .write(move |connection| {
            store::delete(connection, &user_id, &proof, now.into(), forget_after)
        })
        .await?
        .ok_or_else(failure)?;
    accounts.sessions.revoke_locally(&ended_ids, now);
    log::info!(
        "account deleted user_id={} sessions_ended={}",
        id.as_str(),
        ended_ids.len()
    );
    Ok(())
}

/// A request for a mail with which the user confirms the deletion.
pub(crate) struct DeletionRequest {
    pub(crate) user_id: UserId,
    /// The address of the account.
    pub(crate) email: String,
    /// The URL to which the page of the link redirects after the deletion.
    pub(crate) callback_url: Option<String>,
    /// The language of the mail if the user has none.
    pub(crate) language: Option<Language>,
}

/// Queues a mail with a token that permits the deletion. Fails with status 429 if the client's network has requested
/// too many mails.
pub(crate) async fn request_mail(
    accounts: &Accounts,
    request: DeletionRequest,
    client: &Client,
) -> Result<(), Problem> {
    let now = accounts.sessions.now();
    let (kind, user_id) = (MailKind::AccountDeletion, request.user_id.as_str());
    let mail = NewMail {
        language: request.language,
        network: client.network,
        callback_url: request.callback_url,
        ..NewMail::to_user(kind, user_id, &request.email, now)
    };
    queue_mail(accounts, mail).await.map(drop)
}

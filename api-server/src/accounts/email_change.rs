//! Changes the email address of an account. The user confirms the change with a mail to the new address, and can undo
//! the change with a mail to the previous address.

mod store;
mod undo;

use super::Accounts;
use super::mail_proof::{self, MailProof, invalid_proof};
use super::mail_request::MailChallenge;
use crate::client::Client;
use crate::mail::kind::MailKind;
use crate::mail::language::Language;
use crate::mail::outbox::NewMail;
use crate::problem::Problem;
use crate::users::email::Email;
use crate::users::email_change::store::NewEmailUndo;
use crate::users::id::UserId;
use crate::users::mail_key::generate_mail_key;
use crate::users::user::User;
use store::{ConfirmedChange, RequestedChange};
pub(crate) use undo::undo;

/// A request to change the address of the caller.
pub(crate) struct EmailChange {
    pub(crate) user_id: UserId,
    /// The id of the caller's session.
    pub(crate) session_id: String,
    /// The hash that the entered password was compared with; `None` if the caller logged in recently instead.
    pub(crate) password_hash: Option<String>,
    pub(crate) new_email: Email,
    /// The URL to which the page of the link redirects after the confirmation.
    pub(crate) callback_url: Option<String>,
    /// The language of the mails if the user has none.
    pub(crate) language: Option<Language>,
}

/// Queues a mail to the new address, with which the user confirms the change, and a notice to the current address.
/// Whether another account has the new address is checked only when the mail is sent, so that neither the result nor
/// its time reveals this.
///
/// Fails with status 429 if the client's network has requested too many mails, and with status 401 if the session has
/// ended or the password was changed in the meantime.
pub(crate) async fn request(
    accounts: &Accounts,
    change: EmailChange,
    client: &Client,
) -> Result<MailChallenge, Problem> {
    let now = accounts.sessions.now();
    let throttle = &accounts.passwords.throttle;
    throttle.count_mail_request(client.network, now)?;
    let user_id = change.user_id.as_str();
    let new_email = change.new_email.as_str();
    let confirmation = NewMail {
        language: change.language,
        network: client.network,
        new_email: Some(new_email.to_owned()),
        callback_url: change.callback_url,
        ..NewMail::to_user(MailKind::EmailChange, user_id, new_email, now)
    };
    let challenge = MailChallenge::of(&confirmation);
    // If the outbox is full, the response does not say so.
    if !accounts.outbox.reserve_row() {
        return Ok(challenge);
    }
    let db = accounts.sessions.db.of_account(user_id);
    let requested_change = RequestedChange {
        // The transaction sets the recipient.
        notice: NewMail {
            language: change.language,
            ..NewMail::to_user(MailKind::EmailChangeRequested, user_id, "", now)
        },
        confirmation,
        user_id: change.user_id,
        session_id: change.session_id,
        password_hash: change.password_hash,
        lifetimes: accounts.sessions.lifetimes(),
        now: now.into(),
    };
    let is_queued = db
        .write(move |connection| store::request(connection, requested_change))
        .await?;
    if !is_queued {
        return Err(Problem::token_revoked());
    }
    accounts.outbox.notify_sender();
    Ok(challenge)
}

/// Sets the new address, which counts as verified, and queues a mail to the previous address, with which the change can
/// be undone. The caller needs no session: the request for the change had a session, and the proof shows that the
/// caller receives mail at the new address.
pub(crate) async fn confirm(
    accounts: &Accounts,
    proof: MailProof,
    client: &Client,
) -> Result<User, Problem> {
    let (key_change, new_email) = mail_proof::verify_email_change(accounts, proof, client).await?;
    let new_email = Email::parse(&new_email).map_err(|_invalid| invalid_proof())?;
    let now = accounts.sessions.now();
    let (user_id, old_email) = (key_change.user_id.clone(), key_change.email.clone());
    let notice = NewMail::to_user(MailKind::EmailChanged, &user_id, &old_email, now);
    let change = ConfirmedChange {
        undo: NewEmailUndo {
            key: generate_mail_key()?,
            user_id,
            old_email,
            changed_at: now.into(),
            expires_at: notice.expires_at(),
        },
        notice,
        key_change,
        new_email,
        now: now.into(),
        forget_after: accounts.sessions.forget_after(now),
    };
    let user = accounts
        .sessions
        .db
        .write(move |connection| store::confirm(connection, &change))
        .await?
        .ok_or_else(invalid_proof)?;
    accounts.outbox.notify_sender();
    accounts.sessions.mark_stale_locally(&user, now);
    log::info!("email address changed user_id={}", user.id);
    Ok(user)
}

//! Undoes a change of the email address, with the token that was mailed to the previous address.

use std::time::SystemTime;

use auth_core::mail_token::{MailPurpose, MailTokens};

use super::store::{self, Undo};
use crate::accounts::Accounts;
use crate::accounts::mail_proof::invalid_proof;
use crate::client::Client;
use crate::mail::kind::MailKind;
use crate::mail::outbox::NewMail;
use crate::problem::Problem;
use crate::sessions::ending::surplus;
use crate::users::email_change::store as undos;
use crate::users::id::UserId;

/// Gives the account its previous address back, ends all its sessions, removes its password, and queues a mail with
/// which the owner of the address chooses a new password. Also undoes all later changes of the address.
pub(crate) async fn undo(accounts: &Accounts, token: &str, client: &Client) -> Result<(), Problem> {
    let now = accounts.sessions.now();
    let undo = verify(accounts, token, now, client).await?;
    surplus::end_most(&accounts.sessions, &undo.user_id, "").await?;
    let user_id = undo.user_id.clone();
    let ended_ids = accounts
        .sessions
        .db
        .write(move |connection| store::undo(connection, &undo))
        .await?
        .ok_or_else(invalid_proof)?;
    accounts.outbox.notify_sender();
    accounts.sessions.revoke_locally(&ended_ids, now);
    log::info!(
        "change of the email address undone user_id={} sessions_ended={}",
        user_id.as_str(),
        ended_ids.len()
    );
    Ok(())
}

/// Verifies the token with each unexpired key that is stored for the user and the previous address in the token. The
/// transaction of the undo checks that the key is still stored.
async fn verify(
    accounts: &Accounts,
    text: &str,
    now: SystemTime,
    client: &Client,
) -> Result<Undo, Problem> {
    let token = MailTokens::parse(text).map_err(|_malformed| invalid_proof())?;
    let (user_id, old_email) = (token.user_id().to_owned(), token.detail().to_owned());
    // PostgreSQL rejects a text that contains NUL.
    if user_id.contains('\0') || old_email.contains('\0') {
        return Err(invalid_proof());
    }
    let (id, email) = (user_id.clone(), old_email.clone());
    let keys = accounts
        .sessions
        .db
        .of_network(client.network)
        .read(move |connection| undos::live_undo_keys(connection, &id, &email, now.into()))
        .await?;
    let tokens = accounts.sessions.keys.current().mail_tokens.clone();
    let purpose = MailPurpose::EmailChangeUndo;
    let is_valid = |key: &String| {
        let result = tokens.verify(token.clone(), purpose, &old_email, key, now);
        result.is_ok()
    };
    let key = keys.into_iter().find(is_valid).ok_or_else(invalid_proof)?;
    Ok(Undo {
        reset: NewMail::to_user(MailKind::PasswordReset, &user_id, &old_email, now),
        user_id: UserId::stored(user_id),
        key,
        old_email,
        now: now.into(),
        forget_after: accounts.sessions.forget_after(now),
    })
}

//! Contains the transactions that request, make and undo a change of the email address.

use diesel::result::Error as DieselError;

use crate::accounts::access::make_tokens_stale;
use crate::accounts::store::is_session_live;
use crate::db::{DbConnection, QueryResult, Timestamp, write_transaction};
use crate::mail::outbox::NewMail;
use crate::mail::store as outbox;
use crate::sessions::ending::store::{SessionFilter, end, lock_user};
use crate::sessions::session::Lifetimes;
use crate::users::email::Email;
use crate::users::email_change::store as emails;
use crate::users::email_change::store::NewEmailUndo;
use crate::users::id::UserId;
use crate::users::store as users;
use crate::users::store::MailKeyChange;
use crate::users::user::User;

/// The input of [`request`].
pub(super) struct RequestedChange {
    pub(super) user_id: UserId,
    /// The id of the caller's session.
    pub(super) session_id: String,
    /// The hash that the entered password was compared with; `None` if the caller logged in recently instead.
    pub(super) password_hash: Option<String>,
    pub(super) lifetimes: Lifetimes,
    pub(super) now: Timestamp,
    /// The mail to the new address, which confirms the change.
    pub(super) confirmation: NewMail,
    /// The notice to the current address. The transaction sets this address as the recipient.
    pub(super) notice: NewMail,
}

/// Queues the mail to the new address, and the notice unless too many notices wait. Returns `false` if the caller's
/// session is not live, or if the stored password hash is no longer the one with which the entered password was
/// compared. Without these checks, a thief could still get a token after a change of the password has ended the thief's
/// session.
pub(super) fn request(
    connection: &mut DbConnection,
    mut change: RequestedChange,
) -> QueryResult<bool> {
    write_transaction(connection, |connection| {
        let user_id = &change.user_id;
        lock_user(connection, user_id)?;
        if let Some(hash) = &change.password_hash
            && !users::replace_hash(connection, user_id.as_str(), hash, hash)?
        {
            return Ok(false);
        }
        let (session_id, lifetimes) = (&change.session_id, change.lifetimes);
        if !is_session_live(connection, user_id, session_id, lifetimes, change.now)? {
            return Ok(false);
        }
        let Some(user) = users::find(connection, user_id)? else {
            return Ok(false);
        };
        change.notice.recipient = user.email;
        outbox::insert(connection, &change.confirmation)?;
        outbox::insert_notice(connection, &change.notice)?;
        Ok(true)
    })
}

/// The input of [`confirm`].
pub(super) struct ConfirmedChange {
    pub(super) key_change: MailKeyChange,
    pub(super) new_email: Email,
    pub(super) undo: NewEmailUndo,
    /// The mail to the previous address, with which the change can be undone.
    pub(super) notice: NewMail,
    pub(super) now: Timestamp,
    pub(super) forget_after: Timestamp,
}

/// Sets the new address, marks it as verified, replaces the mail key, and cancels the unsent mails whose tokens depend
/// on the key. Stores how the change can be undone, queues the notice, and makes the user's earlier access tokens
/// stale. Returns `None` if the mail key or the address has changed since the proof was verified, or if the new address
/// is taken.
///
/// An address is also taken while another user can still undo a change away from it. This reservation is checked after
/// the new address was set: if a concurrent transaction changes a user's address away from this address, setting it
/// waits for that transaction, and the check then sees its reservation.
pub(super) fn confirm(
    connection: &mut DbConnection,
    change: &ConfirmedChange,
) -> QueryResult<Option<User>> {
    let (new_email, now) = (&change.new_email, change.now);
    none_if_rolled_back(write_transaction(connection, |connection| {
        let mut user = emails::change(connection, &change.key_change, new_email, now)?
            .ok_or(DieselError::RollbackTransaction)?;
        if emails::is_taken(connection, new_email, &user.id, now)? {
            return Err(DieselError::RollbackTransaction);
        }
        outbox::cancel_token_mails(connection, &user.id)?;
        emails::insert_undo(connection, &change.undo)?;
        outbox::insert(connection, &change.notice)?;
        make_tokens_stale(connection, &mut user, change.forget_after)?;
        Ok(user)
    }))
}

/// The input of [`undo`].
pub(super) struct Undo {
    pub(super) user_id: UserId,
    /// The key in the table `email_undos` with which the token was verified.
    pub(super) key: String,
    pub(super) old_email: String,
    pub(super) now: Timestamp,
    pub(super) forget_after: Timestamp,
    /// The mail with which the owner of the previous address chooses a new password.
    pub(super) reset: NewMail,
}

/// Restores the previous address, removes the password and the mail key, and cancels the unsent mails whose tokens
/// depend on the mail key. Deletes the keys that undo this change and later ones, queues the mail with which the owner
/// of the address chooses a new password, and ends all sessions of the user. Returns the ids of the ended sessions;
/// `None` if the change was undone in the meantime, or if another user has the address.
///
/// The user's row is locked first. A session that a concurrent login opened before the lock is ended too. A login that
/// waits for the lock fails, because the password was removed.
pub(super) fn undo(connection: &mut DbConnection, undo: &Undo) -> QueryResult<Option<Vec<String>>> {
    let (owner, user_id) = (&undo.user_id, undo.user_id.as_str());
    none_if_rolled_back(write_transaction(connection, |connection| {
        lock_user(connection, owner)?;
        if !emails::take_undo(connection, user_id, &undo.key)? {
            return Err(DieselError::RollbackTransaction);
        }
        emails::restore(connection, user_id, &undo.old_email, undo.now)?
            .ok_or(DieselError::RollbackTransaction)?;
        outbox::cancel_token_mails(connection, user_id)?;
        outbox::insert(connection, &undo.reset)?;
        let all_sessions = SessionFilter::AllOfUser(owner);
        end(connection, &all_sessions, undo.now, undo.forget_after)
    }))
}

fn none_if_rolled_back<T>(result: QueryResult<T>) -> QueryResult<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(DieselError::RollbackTransaction) => Ok(None),
        Err(error) => Err(error),
    }
}

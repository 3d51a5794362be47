//! Contains the transactions that insert, change and delete users, together with their sessions and mails.

use diesel::result::Error as DieselError;

use super::access::make_tokens_stale;
use crate::db::{DbConnection, QueryResult, Timestamp, write_transaction};
use crate::mail::kind::MailKind;
use crate::mail::outbox::NewMail;
use crate::mail::store as outbox;
use crate::sessions;
use crate::sessions::ending::store::{SessionFilter, end, lock_user};
use crate::sessions::session::{Lifetimes, SessionOpening};
use crate::users::email::{Email, LoginEmail};
use crate::users::email_change::store::is_reserved;
use crate::users::id::UserId;
use crate::users::store as users;
use crate::users::store::{MailKeyChange, ProfileChange};
use crate::users::user::User;

/// The password hash of a new user, which is not part of [`User`].
pub(super) struct NewCredentials {
    pub(super) hash: String,
}

/// The input of [`register`] and [`register_unverified`].
pub(super) struct NewRegistration {
    pub(super) user: User,
    pub(super) credentials: NewCredentials,
    /// The mail that verifies the email address; `None` to send none.
    pub(super) mail: Option<NewMail>,
}

/// Inserts the user. Returns `false` if the email address already has an account, or is reserved for a user who can
/// still undo a change away from it. After `false`, the caller must roll the transaction back.
///
/// The reservation is checked after the insert: if a concurrent transaction changes a user's address away from this
/// address, the insert waits for that transaction, and the check then sees its reservation.
fn insert_user(
    connection: &mut DbConnection,
    user: &User,
    credentials: &NewCredentials,
) -> QueryResult<bool> {
    if !users::insert(connection, user, &credentials.hash)? {
        return Ok(false);
    }
    let email = LoginEmail::stored(user.email.clone());
    Ok(!is_reserved(
        connection,
        email.email(),
        None,
        user.created_at,
    )?)
}

/// Inserts the user, the first session and, if there is one, the mail. Ends the sessions that the new session replaces.
/// Returns the ids of the ended sessions; `None` if the email address has an account or is reserved.
pub(super) fn register(
    connection: &mut DbConnection,
    registration: &NewRegistration,
    opening: &SessionOpening,
) -> QueryResult<Option<Vec<String>>> {
    write_transaction(connection, |connection| {
        if !insert_user(connection, &registration.user, &registration.credentials)? {
            return Err(DieselError::RollbackTransaction);
        }
        if let Some(mail) = &registration.mail {
            outbox::insert(connection, mail)?;
        }
        sessions::store::open(connection, opening).map(Some)
    })
    .or_else(|error| match error {
        DieselError::RollbackTransaction => Ok(None),
        error => Err(error),
    })
}

/// Inserts the user and, if there is one, the mail. If the email address has an account or is reserved, inserts no
/// user, and changes the mail to a notice of the attempt. Returns whether the user was inserted.
pub(super) fn register_unverified(
    connection: &mut DbConnection,
    mut registration: NewRegistration,
    email: &Email,
) -> QueryResult<bool> {
    write_transaction(connection, |connection| {
        // If an earlier release stored the address of an account in another spelling, the insert fails only with that
        // spelling.
        if let Some(stored_spelling) = users::registered_spelling(connection, email)? {
            registration.user.email = stored_spelling;
        }
        let is_new = insert_in_savepoint(connection, &registration)?;
        if let Some(mut mail) = registration.mail {
            if !is_new {
                mail.kind = MailKind::RegistrationAttempt;
                mail.user_id = None;
            }
            outbox::insert(connection, &mail)?;
        }
        Ok(is_new)
    })
}

/// Inserts the user in a savepoint, so that the outer transaction can continue if the address is not free: PostgreSQL
/// rejects all later statements after one that has failed.
fn insert_in_savepoint(
    connection: &mut DbConnection,
    registration: &NewRegistration,
) -> QueryResult<bool> {
    write_transaction(connection, |connection| {
        if !insert_user(connection, &registration.user, &registration.credentials)? {
            return Err(DieselError::RollbackTransaction);
        }
        Ok(true)
    })
    .or_else(|error| match error {
        DieselError::RollbackTransaction => Ok(false),
        error => Err(error),
    })
}

/// Opens a session and stores `new_hash`. Ends the sessions that the new session replaces, and up to a batch of the
/// sessions beyond the account's limit. Returns the ids of the ended sessions. Returns `None` if the stored hash is no
/// longer `old_hash`, with which the entered password was compared.
///
/// The update of the hash locks the user's row, so the transactions of a login and of a change of the password run one
/// after the other.
pub(super) fn open_session(
    connection: &mut DbConnection,
    opening: &SessionOpening,
    old_hash: &str,
    new_hash: &str,
) -> QueryResult<Option<Vec<String>>> {
    write_transaction(connection, |connection| {
        if !users::replace_hash(connection, &opening.session.user_id, old_hash, new_hash)? {
            return Ok(None);
        }
        sessions::store::open(connection, opening).map(Some)
    })
}

/// The input of [`change_password`].
pub(super) struct PasswordUpdate {
    pub(super) user_id: UserId,
    /// The id of the caller's session.
    pub(super) session_id: String,
    pub(super) old_hash: String,
    pub(super) new_hash: String,
    /// The session that replaces all other sessions of the user.
    pub(super) opening: SessionOpening,
    pub(super) now: Timestamp,
    /// The mail that tells the user that the password was changed.
    pub(super) notice: NewMail,
}

pub(crate) struct PasswordChangeResult {
    pub(crate) user: User,
    pub(super) ended_ids: Vec<String>,
}

/// Changes the password, inserts the new session, and ends all earlier sessions of the user, including the caller's
/// session. Adds the notice to the outbox, unless too many such notices wait. Makes the tokens and codes in earlier
/// mails invalid, except tokens that undo a change of the email address. Returns `None` if the caller's session is not
/// live, or if the stored hash is no longer `old_hash`.
///
/// The update of the hash locks the user's row. A session that a concurrent login opened before the lock is ended too.
/// A login that waits for the lock fails, because the hash is no longer the one with which the password was compared.
pub(super) fn change_password(
    connection: &mut DbConnection,
    update: &PasswordUpdate,
) -> QueryResult<Option<PasswordChangeResult>> {
    let id = &update.user_id;
    let result = write_transaction(connection, |connection| {
        if !users::replace_hash(connection, id.as_str(), &update.old_hash, &update.new_hash)? {
            return Err(DieselError::RollbackTransaction);
        }
        let (session_id, lifetimes) = (&update.session_id, update.opening.lifetimes);
        if !is_session_live(connection, id, session_id, lifetimes, update.now)? {
            return Err(DieselError::RollbackTransaction);
        }
        let only_update_time = ProfileChange {
            name: None,
            image: None,
            language: None,
            updated_at: update.now,
        };
        let user = users::change_profile(connection, id, &only_update_time)?
            .ok_or(DieselError::RollbackTransaction)?;
        users::forget_mail_key(connection, id.as_str())?;
        outbox::cancel_token_mails(connection, id.as_str())?;
        outbox::insert_notice(connection, &update.notice)?;
        let ended_ids = sessions::store::open_instead_of_all(connection, &update.opening)?;
        Ok(PasswordChangeResult { user, ended_ids })
    });
    match result {
        Ok(result) => Ok(Some(result)),
        Err(DieselError::RollbackTransaction) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns whether the session belongs to the user and has neither ended nor expired.
pub(super) fn is_session_live(
    connection: &mut DbConnection,
    user_id: &UserId,
    session_id: &str,
    lifetimes: Lifetimes,
    now: Timestamp,
) -> QueryResult<bool> {
    let session = sessions::store::find(connection, session_id, lifetimes)?;
    let is_of_user = |owner: &str| owner == user_id.as_str();
    Ok(session.is_some_and(|session| is_of_user(&session.user_id) && session.is_live(now)))
}

/// The proof that a deletion is permitted. The transaction that deletes the account checks it again.
pub(super) enum DeletionProof {
    /// The hash that the entered password was compared with.
    PasswordHash(String),
    /// The mail key and the address with which the token of a mail was verified, and the key that replaces it. The
    /// replacement fails if the key or the address has changed.
    MailKey(MailKeyChange),
    /// A recent login, whose session must still be live.
    RecentLogin(CallerSession),
}

/// The session of the caller.
pub(super) struct CallerSession {
    pub(super) id: String,
    pub(super) lifetimes: Lifetimes,
}

/// Ends all sessions of the user, cancels the unsent mails to the user, and deletes the user and the user's tasks.
/// Returns the ids of the ended sessions; `None` if the user does not exist, or if the proof is no longer valid.
///
/// The user's row is locked first. A session that a concurrent login opened before the lock is ended too. A login that
/// waits for the lock then finds no user.
pub(super) fn delete(
    connection: &mut DbConnection,
    id: &UserId,
    proof: &DeletionProof,
    now: Timestamp,
    forget_after: Timestamp,
) -> QueryResult<Option<Vec<String>>> {
    write_transaction(connection, |connection| {
        let is_valid = match proof {
            DeletionProof::PasswordHash(hash) => {
                users::replace_hash(connection, id.as_str(), hash, hash)?
            }
            DeletionProof::MailKey(change) => users::replace_mail_key(connection, change)?,
            DeletionProof::RecentLogin(session) => {
                lock_user(connection, id)?;
                is_session_live(connection, id, &session.id, session.lifetimes, now)?
            }
        };
        if !is_valid {
            return Ok(None);
        }
        if let Some(user) = users::find(connection, id)? {
            outbox::cancel_for_deleted_user(connection, &user.id, &user.email)?;
        }
        let ended_ids = end(connection, &SessionFilter::AllOfUser(id), now, forget_after)?;
        Ok(users::delete(connection, id)?.then_some(ended_ids))
    })
}

/// The input of [`reset_password`].
pub(super) struct PasswordReset {
    pub(super) key_change: MailKeyChange,
    pub(super) new_hash: String,
    /// The session that replaces all sessions of the user; `None` if no session begins.
    pub(super) opening: Option<SessionOpening>,
    pub(super) now: Timestamp,
    pub(super) forget_after: Timestamp,
    /// The mail that tells the user that the password was changed.
    pub(super) notice: NewMail,
}

/// Sets the password, marks the email address as verified, replaces the mail key, ends every session of the user, and
/// inserts the new session if there is one. Cancels the unsent mails whose tokens depend on the mail key, and adds the
/// notice to the outbox, unless too many such notices wait. Returns `None` if the mail key or the email address has
/// changed since the token or the code was verified.
///
/// The update of the mail key locks the user's row. A session that a concurrent login opened before the lock is ended
/// too. A login that waits for the lock fails, because the hash is no longer the one with which the password was
/// compared.
pub(super) fn reset_password(
    connection: &mut DbConnection,
    reset: &PasswordReset,
) -> QueryResult<Option<PasswordChangeResult>> {
    write_transaction(connection, |connection| {
        let change = &reset.key_change;
        if !users::replace_mail_key(connection, change)? {
            return Ok(None);
        }
        let (id, new_hash) = (&change.user_id, &reset.new_hash);
        let Some(user) = users::reset_password(connection, id, new_hash, reset.now)? else {
            return Ok(None);
        };
        outbox::cancel_token_mails(connection, &user.id)?;
        outbox::insert_notice(connection, &reset.notice)?;
        let ended_ids = if let Some(opening) = &reset.opening {
            sessions::store::open_instead_of_all(connection, opening)?
        } else {
            let owner = UserId::stored(user.id.clone());
            let filter = SessionFilter::AllOfUser(&owner);
            end(connection, &filter, reset.now, reset.forget_after)?
        };
        Ok(Some(PasswordChangeResult { user, ended_ids }))
    })
}

/// Marks the email address as verified, replaces the mail key, cancels the unsent mails whose tokens depend on the key,
/// and makes the user's earlier access tokens stale. Returns `None` if the mail key or the email address has changed
/// since the token or the code was verified.
pub(super) fn verify_email(
    connection: &mut DbConnection,
    change: &MailKeyChange,
    now: Timestamp,
    forget_after: Timestamp,
) -> QueryResult<Option<User>> {
    write_transaction(connection, |connection| {
        if !users::replace_mail_key(connection, change)? {
            return Ok(None);
        }
        let mut verified_user = users::verify_email(connection, &change.user_id, now)?;
        if let Some(user) = &mut verified_user {
            outbox::cancel_token_mails(connection, &user.id)?;
            make_tokens_stale(connection, user, forget_after)?;
        }
        Ok(verified_user)
    })
}

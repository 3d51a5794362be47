//! Contains the transactions that change a user and sessions together.

use diesel::result::Error as DieselError;

use crate::db::{DbConnection, QueryResult, Timestamp, write_transaction};
use crate::mail::outbox::NewMail;
use crate::mail::store as outbox;
use crate::sessions;
use crate::sessions::ending::store::{KeptSessions, SessionFilter, end, surplus_ids};
use crate::sessions::session::{Lifetimes, Session, SessionOpening, SessionTimes};
use crate::users::id::UserId;
use crate::users::store as users;
use crate::users::store::{MailKeyChange, ProfileChange};
use crate::users::user::User;

/// What is stored with a new user, but not shown by the API.
pub(super) struct NewCredentials {
    pub(super) hash: String,
}

/// Inserts the user and the first session, and ends the sessions that this session replaces. Returns the ids of the
/// ended sessions; `None` if the email address already has an account.
pub(super) fn register(
    connection: &mut DbConnection,
    user: &User,
    credentials: &NewCredentials,
    opening: &SessionOpening,
) -> QueryResult<Option<Vec<String>>> {
    write_transaction(connection, |connection| {
        if !users::insert(connection, user, &credentials.hash)? {
            return Err(DieselError::RollbackTransaction);
        }
        sessions::store::open(connection, opening).map(Some)
    })
    .or_else(|error| match error {
        DieselError::RollbackTransaction => Ok(None),
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
    pub(super) new_session: Session,
    pub(super) now: Timestamp,
    pub(super) forget_after: Timestamp,
    pub(super) lifetimes: Lifetimes,
}

pub(crate) struct PasswordChangeResult {
    pub(crate) user: User,
    pub(super) ended_ids: Vec<String>,
}

/// Changes the password, inserts the new session, and ends every other session of the user, including the caller's
/// session. Makes the tokens and codes in earlier mails invalid. Returns `None` if the caller's session is not live, or
/// if the stored hash is no longer `old_hash`.
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
        if !is_session_live(connection, update)? {
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
        outbox::cancel_tokens(connection, id.as_str())?;
        sessions::store::insert(connection, &update.new_session)?;
        let old_sessions = SessionFilter::AllOfUserExcept(id, &update.new_session.id);
        let ended_ids = end(connection, &old_sessions, update.now, update.forget_after)?;
        Ok(PasswordChangeResult { user, ended_ids })
    });
    match result {
        Ok(result) => Ok(Some(result)),
        Err(DieselError::RollbackTransaction) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns whether the caller's session has neither ended nor expired.
fn is_session_live(connection: &mut DbConnection, update: &PasswordUpdate) -> QueryResult<bool> {
    let session = sessions::store::find(connection, &update.session_id, update.lifetimes)?;
    let user_id = update.user_id.as_str();
    Ok(session.is_some_and(|session| session.user_id == user_id && session.is_live(update.now)))
}

/// Ends all sessions of the user, and deletes the user, the user's tasks and the mails to the user. Returns the ids of
/// the ended sessions; `None` if the user does not exist, or if `old_hash`, with which the entered password was compared,
/// is no longer the stored hash. Without `old_hash`, does not compare the stored hash.
///
/// The user's row is locked first. A session that a concurrent login opened before the lock is ended too. A login that
/// waits for the lock then finds no user.
pub(super) fn delete(
    connection: &mut DbConnection,
    id: &UserId,
    old_hash: Option<&str>,
    now: Timestamp,
    forget_after: Timestamp,
) -> QueryResult<Option<Vec<String>>> {
    write_transaction(connection, |connection| {
        if let Some(hash) = old_hash
            && !users::replace_hash(connection, id.as_str(), hash, hash)?
        {
            return Ok(None);
        }
        if let Some(user) = users::find(connection, id)? {
            outbox::delete_to(connection, &user.email)?;
        }
        let ended_ids = end(connection, &SessionFilter::AllOfUser(id), now, forget_after)?;
        Ok(users::delete(connection, id)?.then_some(ended_ids))
    })
}

/// The input of [`reset_password`].
pub(super) struct PasswordReset {
    pub(super) key_change: MailKeyChange,
    pub(super) new_hash: String,
    /// The session that replaces all sessions of the user, if the caller is logged in.
    pub(super) opening: Option<SessionOpening>,
    pub(super) times: SessionTimes,
    /// Tells the user that the password was changed.
    pub(super) notice: NewMail,
}

/// Sets the password, replaces the mail key, ends every session of the user, inserts the new session if there is one, and
/// adds the notice to the outbox. Returns `None` if the mail key has changed since the token or the code was verified.
///
/// The update of the user locks the user's row. A session that a concurrent login opened before the lock is ended too.
/// A login that waits for the lock fails, because the hash is no longer the one with which the password was compared.
pub(super) fn reset_password(
    connection: &mut DbConnection,
    mut reset: PasswordReset,
) -> QueryResult<Option<PasswordChangeResult>> {
    write_transaction(connection, |connection| {
        let now = reset.times.now;
        let change = &reset.key_change;
        let Some(user) = users::reset_password(connection, change, &reset.new_hash, now)? else {
            return Ok(None);
        };
        outbox::cancel_tokens(connection, &user.id)?;
        outbox::insert(connection, &reset.notice)?;
        let owner = UserId::stored(user.id.clone());
        // All sessions are ended at once, because ending locks the row of `revocation_sequence` until the commit.
        let ended_ids = if let Some(opening) = &mut reset.opening {
            let all_sessions = KeptSessions {
                recent_count: 0,
                ids: Vec::new(),
            };
            let old_ids = surplus_ids(connection, &owner, &all_sessions, reset.times, i64::MAX)?;
            opening.replaced_ids.extend(old_ids);
            sessions::store::open(connection, opening)?
        } else {
            let forget_after = reset.times.forget_after;
            let all_sessions = SessionFilter::AllOfUser(&owner);
            end(connection, &all_sessions, now, forget_after)?
        };
        Ok(Some(PasswordChangeResult { user, ended_ids }))
    })
}

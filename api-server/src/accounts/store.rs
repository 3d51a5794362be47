//! Transactions over users and their sessions.

use diesel::result::Error as DieselError;

use crate::db::{DbConnection, QueryResult, Timestamp, write_transaction};
use crate::sessions;
use crate::sessions::ending::store::{SessionFilter, end};
use crate::sessions::session::{Lifetimes, Opening, Session};
use crate::users::id::UserId;
use crate::users::store as users;
use crate::users::store::ProfileChange;
use crate::users::user::User;

/// Inserts the user with the first session. Returns the sessions that were ended; `None` if the address is registered.
pub(super) fn register(
    connection: &mut DbConnection,
    user: &User,
    password_hash: &str,
    opening: &Opening,
) -> QueryResult<Option<Vec<String>>> {
    write_transaction(connection, |connection| {
        if !users::insert(connection, user, password_hash)? {
            return Err(DieselError::RollbackTransaction);
        }
        sessions::store::open(connection, opening).map(Some)
    })
    .or_else(|error| match error {
        DieselError::RollbackTransaction => Ok(None),
        error => Err(error),
    })
}

/// Opens a session and stores `new_hash`. Returns the sessions that were ended; `None` if the stored hash is no longer
/// the one that was compared.
///
/// The update locks the row, so a concurrent login and change of password run one after the other.
pub(super) fn open_session(
    connection: &mut DbConnection,
    opening: &Opening,
    compared: &str,
    new_hash: &str,
) -> QueryResult<Option<Vec<String>>> {
    write_transaction(connection, |connection| {
        if !users::set_hash(connection, &opening.session.user_id, compared, new_hash)? {
            return Ok(None);
        }
        sessions::store::open(connection, opening).map(Some)
    })
}

/// A change of password by one session of the user.
pub(super) struct NewPassword {
    pub(super) user_id: UserId,
    pub(super) session_id: String,
    pub(super) old_hash: String,
    pub(super) new_hash: String,
    /// The session that replaces all others.
    pub(super) successor: Session,
    pub(super) now: Timestamp,
    pub(super) forget_after: Timestamp,
    pub(super) lifetimes: Lifetimes,
}

/// The result of a change of password.
pub(crate) struct PasswordChanged {
    pub(crate) user: User,
    /// The sessions that were ended.
    pub(super) ended: Vec<String>,
}

/// Changes the password, ends every session of the user, the caller's included, and begins the successor. `None` if the
/// session has ended or the old hash was replaced meanwhile.
///
/// Changing the hash locks the user's row: a concurrent login has either opened its session before, which is ended too,
/// or fails because the hash changed.
pub(super) fn change_password(
    connection: &mut DbConnection,
    change: &NewPassword,
) -> QueryResult<Option<PasswordChanged>> {
    let id = &change.user_id;
    let changed = write_transaction(connection, |connection| {
        if !users::set_hash(connection, id.as_str(), &change.old_hash, &change.new_hash)? {
            return Err(DieselError::RollbackTransaction);
        }
        if !is_live(connection, change)? {
            return Err(DieselError::RollbackTransaction);
        }
        let touched = ProfileChange {
            name: None,
            image: None,
            updated_at: change.now,
        };
        let user = users::change_profile(connection, id, &touched)?;
        let user = user.ok_or(DieselError::RollbackTransaction)?;
        sessions::store::insert(connection, &change.successor)?;
        let others = SessionFilter::AllOfUserExcept(id, &change.successor.id);
        let ended = end(connection, &others, change.now, change.forget_after)?;
        Ok(PasswordChanged { user, ended })
    });
    match changed {
        Ok(changed) => Ok(Some(changed)),
        Err(DieselError::RollbackTransaction) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the caller's session is still live.
fn is_live(connection: &mut DbConnection, change: &NewPassword) -> QueryResult<bool> {
    let found = sessions::store::find(connection, &change.session_id, change.lifetimes)?;
    Ok(found
        .is_some_and(|found| found.user_id == change.user_id.as_str() && found.is_live(change.now)))
}

/// Deletes the user with all data. Returns the sessions that were ended; `None` if the user does not exist, or if a hash
/// was compared that is no longer stored.
///
/// The update locks the row: a concurrent login has either opened its session before, which is ended too, or finds no
/// user.
pub(super) fn delete(
    connection: &mut DbConnection,
    id: &UserId,
    compared: Option<&str>,
    now: Timestamp,
    forget_after: Timestamp,
) -> QueryResult<Option<Vec<String>>> {
    write_transaction(connection, |connection| {
        if let Some(hash) = compared
            && !users::set_hash(connection, id.as_str(), hash, hash)?
        {
            return Ok(None);
        }
        let ended = end(connection, &SessionFilter::AllOfUser(id), now, forget_after)?;
        Ok(users::delete(connection, id)?.then_some(ended))
    })
}

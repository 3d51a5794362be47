//! The users table.

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use super::email::{Email, LoginEmail};
use super::user::User;
use crate::db::schema::{sessions as sessions_table, users};
use crate::db::{DbConnection, Timestamp, on_either_engine, write_transaction};
use crate::http::identity::UserId;
use crate::sessions;
use crate::sessions::ending::store::{Which, end};
use crate::sessions::session::{Lifetimes, Opening, Session, StoredSession};

/// In the order of [`Row`]; the round-trip test tells swapped columns.
const COLUMNS: (
    users::id,
    users::email,
    users::name,
    users::image,
    users::email_verified,
    users::created_at,
    users::updated_at,
) = (
    users::id,
    users::email,
    users::name,
    users::image,
    users::email_verified,
    users::created_at,
    users::updated_at,
);

type Row = (
    String,
    String,
    Option<String>,
    Option<String>,
    bool,
    Timestamp,
    Timestamp,
);

fn user((id, email, name, image, email_verified, created_at, updated_at): Row) -> User {
    User {
        id,
        email,
        name,
        image,
        email_verified,
        created_at,
        updated_at,
    }
}

/// A user and the stored password hash, if there is one.
pub(super) type Credentials = (User, Option<String>);

pub(super) fn is_taken(connection: &mut DbConnection, email: &Email) -> QueryResult<bool> {
    let is_stored = |connection: &mut DbConnection, email: &str| {
        let same = users::table.filter(users::email.eq(email));
        diesel::select(diesel::dsl::exists(same)).get_result(connection)
    };
    match email.with_u_labels() {
        Some(older) if is_stored(connection, &older)? => Ok(true),
        _ => is_stored(connection, email.as_str()),
    }
}

/// Inserts the user with the first session; the sessions that were ended. `None` if the address has an account already.
pub(super) fn register(
    connection: &mut DbConnection,
    user: &User,
    password_hash: &str,
    opening: &Opening,
) -> QueryResult<Option<Vec<String>>> {
    write_transaction(connection, |connection| {
        if !insert(connection, user, password_hash)? {
            return Err(DieselError::RollbackTransaction);
        }
        sessions::store::open(connection, opening).map(Some)
    })
    .or_else(|error| match error {
        DieselError::RollbackTransaction => Ok(None),
        error => Err(error),
    })
}

fn insert(connection: &mut DbConnection, user: &User, password_hash: &str) -> QueryResult<bool> {
    let inserted = diesel::insert_into(users::table)
        .values((
            users::id.eq(&user.id),
            users::email.eq(&user.email),
            users::name.eq(&user.name),
            users::image.eq(&user.image),
            users::email_verified.eq(user.email_verified),
            users::password_hash.eq(password_hash),
            users::created_at.eq(user.created_at),
            users::updated_at.eq(user.updated_at),
        ))
        .execute(connection);
    match inserted {
        Ok(_one) => Ok(true),
        Err(DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Ok(false),
        Err(error) => Err(error),
    }
}

pub(super) fn find_by_email(
    connection: &mut DbConnection,
    email: &LoginEmail,
) -> QueryResult<Option<Credentials>> {
    for spelling in email.spellings() {
        let found: Option<(Row, Option<String>)> = users::table
            .filter(users::email.eq(spelling))
            .select((COLUMNS, users::password_hash))
            .first(connection)
            .optional()?;
        if let Some((row, hash)) = found {
            return Ok(Some((user(row), hash)));
        }
    }
    Ok(None)
}

pub(crate) fn find(connection: &mut DbConnection, id: &UserId) -> QueryResult<Option<User>> {
    let row = users::table
        .find(id.as_str())
        .select(COLUMNS)
        .first(connection);
    Ok(row.optional()?.map(user))
}

/// A session, live or not, and whose it is; in one query, because it is asked at every request of some clients.
pub(crate) fn find_with_session(
    connection: &mut DbConnection,
    session_id: &str,
    lifetimes: Lifetimes,
) -> QueryResult<Option<(User, StoredSession)>> {
    let query = sessions_table::table
        .inner_join(users::table)
        .filter(sessions_table::id.eq(session_id))
        .select((COLUMNS, sessions::store::COLUMNS));
    let found: Option<(Row, sessions::store::Row)> =
        on_either_engine!(connection, |either| query.first(either)).optional()?;
    Ok(found.map(|(row, session)| (user(row), session.into_session(lifetimes))))
}

pub(crate) fn has_password(connection: &mut DbConnection, id: &UserId) -> QueryResult<bool> {
    let with = users::table
        .find(id.as_str())
        .filter(users::password_hash.is_not_null());
    diesel::select(diesel::dsl::exists(with)).get_result(connection)
}

/// What may change; `None` leaves a column as it is.
#[derive(AsChangeset)]
#[diesel(table_name = users)]
#[expect(clippy::option_option, reason = "Some(None) clears the column")]
pub(super) struct ProfileChange {
    pub(super) name: Option<Option<String>>,
    pub(super) image: Option<Option<String>>,
    pub(super) updated_at: Timestamp,
}

pub(super) fn change_profile(
    connection: &mut DbConnection,
    id: &UserId,
    change: &ProfileChange,
) -> QueryResult<Option<User>> {
    let row = diesel::update(users::table.find(id.as_str()))
        .set(change)
        .returning(COLUMNS)
        .get_result(connection);
    Ok(row.optional()?.map(user))
}

/// Opens a session, keeping `keep` as the hash; the sessions that were ended. `None` if the hash is no longer the one
/// that was compared.
///
/// The update locks the row, so a login and a change of password that meet are one after the other.
pub(super) fn open_session(
    connection: &mut DbConnection,
    opening: &Opening,
    compared: &str,
    keep: &str,
) -> QueryResult<Option<Vec<String>>> {
    write_transaction(connection, |connection| {
        if !set_hash(connection, &opening.session.user_id, compared, keep)? {
            return Ok(None);
        }
        sessions::store::open(connection, opening).map(Some)
    })
}

fn set_hash(connection: &mut DbConnection, id: &str, old: &str, new: &str) -> QueryResult<bool> {
    let unchanged = users::table.find(id).filter(users::password_hash.eq(old));
    let set = diesel::update(unchanged)
        .set(users::password_hash.eq(new))
        .execute(connection)?;
    Ok(set == 1)
}

/// A change of password by one session of the user.
pub(super) struct NewPassword {
    pub(super) user_id: UserId,
    pub(super) session_id: String,
    pub(super) old_hash: String,
    pub(super) new_hash: String,
    /// The session that takes the place of all.
    pub(super) successor: Session,
    pub(super) now: Timestamp,
    pub(super) forget_after: Timestamp,
    pub(super) lifetimes: Lifetimes,
}

/// What a change of password gives.
pub(crate) struct PasswordChanged {
    pub(crate) user: User,
    /// The sessions that were ended.
    pub(super) ended: Vec<String>,
}

/// Changes the password, ends every session of the user, the one that asks included, and begins the successor. `None` if
/// the session or the old hash is gone by now.
///
/// Changing the hash locks the user's row, so a login that is under way has either opened its session before, which then
/// is ended too, or finds another hash.
pub(super) fn change_password(
    connection: &mut DbConnection,
    change: &NewPassword,
) -> QueryResult<Option<PasswordChanged>> {
    let id = &change.user_id;
    let changed = write_transaction(connection, |connection| {
        if !set_hash(connection, id.as_str(), &change.old_hash, &change.new_hash)? {
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
        let user = change_profile(connection, id, &touched)?;
        let user = user.ok_or(DieselError::RollbackTransaction)?;
        sessions::store::insert(connection, &change.successor)?;
        let others = Which::OthersOf(id, &change.successor.id);
        let ended = end(connection, &others, change.now, change.forget_after)?;
        Ok(PasswordChanged { user, ended })
    });
    match changed {
        Ok(changed) => Ok(Some(changed)),
        Err(DieselError::RollbackTransaction) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the session that asks for the change is still live.
fn is_live(connection: &mut DbConnection, change: &NewPassword) -> QueryResult<bool> {
    let found = sessions::store::find(connection, &change.session_id, change.lifetimes)?;
    Ok(found
        .is_some_and(|found| found.user_id == change.user_id.as_str() && found.is_live(change.now)))
}

/// Deletes the user with everything; the sessions that were ended. `None` if the user is gone, or the hash is no longer
/// the one that was compared, if one was.
///
/// The update locks the row, so a login that is under way has either opened its session before, which then is ended
/// too, or finds no user.
pub(super) fn delete(
    connection: &mut DbConnection,
    id: &UserId,
    compared: Option<&str>,
    now: Timestamp,
    forget_after: Timestamp,
) -> QueryResult<Option<Vec<String>>> {
    write_transaction(connection, |connection| {
        if let Some(hash) = compared
            && !set_hash(connection, id.as_str(), hash, hash)?
        {
            return Ok(None);
        }
        let ended = end(connection, &Which::AllOf(id), now, forget_after)?;
        let deleted = diesel::delete(users::table.find(id.as_str())).execute(connection)?;
        Ok((deleted == 1).then_some(ended))
    })
}

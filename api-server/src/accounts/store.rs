//! The users table.

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use super::user::{Email, User};
use crate::db::schema::users;
use crate::db::{DbConnection, Timestamp, write_transaction};
use crate::http::identity::UserId;
use crate::sessions;
use crate::sessions::session::Session;

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
    let same = users::table.filter(users::email.eq(email.as_str()));
    diesel::select(diesel::dsl::exists(same)).get_result(connection)
}

/// Inserts the user with the first session; `false` if the address has an account already.
pub(super) fn register(
    connection: &mut DbConnection,
    user: &User,
    password_hash: &str,
    session: &Session,
) -> QueryResult<bool> {
    write_transaction(connection, |connection| {
        if !insert(connection, user, password_hash)? {
            return Err(DieselError::RollbackTransaction);
        }
        sessions::store::insert(connection, session)?;
        Ok(true)
    })
    .or_else(|error| match error {
        DieselError::RollbackTransaction => Ok(false),
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
    email: &Email,
) -> QueryResult<Option<Credentials>> {
    let found: Option<(Row, Option<String>)> = users::table
        .filter(users::email.eq(email.as_str()))
        .select((COLUMNS, users::password_hash))
        .first(connection)
        .optional()?;
    Ok(found.map(|(row, hash)| (user(row), hash)))
}

pub(super) fn find(connection: &mut DbConnection, id: &UserId) -> QueryResult<Option<User>> {
    let row = users::table
        .find(id.as_str())
        .select(COLUMNS)
        .first(connection);
    Ok(row.optional()?.map(user))
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

/// Replaces a hash by one of the same password, unless it was changed in the meantime.
pub(super) fn replace_hash(
    connection: &mut DbConnection,
    user_id: &str,
    old: &str,
    new: &str,
) -> QueryResult<()> {
    let unchanged = users::table
        .find(user_id)
        .filter(users::password_hash.eq(old));
    diesel::update(unchanged)
        .set(users::password_hash.eq(new))
        .execute(connection)
        .map(drop)
}

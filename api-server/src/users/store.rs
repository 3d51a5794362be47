//! Reads and changes the `users` table.

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use super::custom_claims::stored_claims;
use super::email::{Email, LoginEmail};
use super::id::UserId;
use super::roles::stored_roles;
use super::user::User;
use crate::db::schema::users;
use crate::db::{DbConnection, Timestamp, on_either_engine};

/// The columns in the order of [`UserRow`]. A test that writes and reads a row detects swapped columns.
pub(crate) const COLUMNS: (
    users::id,
    users::email,
    users::name,
    users::image,
    users::email_verified,
    users::language,
    users::roles,
    users::custom_claims,
    users::claims_version,
    users::created_at,
    users::updated_at,
) = (
    users::id,
    users::email,
    users::name,
    users::image,
    users::email_verified,
    users::language,
    users::roles,
    users::custom_claims,
    users::claims_version,
    users::created_at,
    users::updated_at,
);

pub(crate) type UserRow = (
    String,
    String,
    Option<String>,
    Option<String>,
    bool,
    Option<String>,
    Option<String>,
    Option<String>,
    i64,
    Timestamp,
    Timestamp,
);

pub(crate) fn user_of_row(row: UserRow) -> User {
    let (
        id,
        email,
        name,
        image,
        email_verified,
        language,
        roles,
        custom_claims,
        claims_version,
        created_at,
        updated_at,
    ) = row;
    User {
        id,
        email,
        name,
        image,
        email_verified,
        language,
        roles: stored_roles(roles.as_deref()),
        custom_claims: stored_claims(custom_claims.as_deref()),
        claims_version: u64::try_from(claims_version).unwrap_or_default(),
        created_at,
        updated_at,
    }
}

/// A user and the stored password hash, which is `None` if the account has no password.
pub(crate) type UserWithHash = (User, Option<String>);

/// Returns the spelling in which an account has this email address: this spelling, or the spelling that earlier
/// releases stored. Returns `None` if no account has the address.
pub(crate) fn registered_spelling(
    connection: &mut DbConnection,
    email: &Email,
) -> QueryResult<Option<String>> {
    let is_stored = |connection: &mut DbConnection, spelling: &str| {
        let users_with_email = users::table.filter(users::email.eq(spelling));
        diesel::select(diesel::dsl::exists(users_with_email)).get_result(connection)
    };
    match email.with_u_labels() {
        Some(old_spelling) if is_stored(connection, &old_spelling)? => Ok(Some(old_spelling)),
        _ => {
            let is_registered: bool = is_stored(connection, email.as_str())?;
            Ok(is_registered.then(|| email.as_str().to_owned()))
        }
    }
}

/// Inserts the user. Returns `false` if another user has the same spelling of the email address, or the same id.
pub(crate) fn insert(
    connection: &mut DbConnection,
    user: &User,
    password_hash: &str,
) -> QueryResult<bool> {
    let result = diesel::insert_into(users::table)
        .values((
            users::id.eq(&user.id),
            users::email.eq(&user.email),
            users::name.eq(&user.name),
            users::image.eq(&user.image),
            users::email_verified.eq(user.email_verified),
            users::password_hash.eq(password_hash),
            users::created_at.eq(user.created_at),
            users::updated_at.eq(user.updated_at),
            users::language.eq(&user.language),
        ))
        .execute(connection);
    match result {
        Ok(_row_count) => Ok(true),
        Err(DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Ok(false),
        Err(error) => Err(error),
    }
}

pub(crate) fn find_by_email(
    connection: &mut DbConnection,
    email: &LoginEmail,
) -> QueryResult<Option<UserWithHash>> {
    for spelling in email.spellings() {
        let found_row: Option<(UserRow, Option<String>)> = users::table
            .filter(users::email.eq(spelling))
            .select((COLUMNS, users::password_hash))
            .first(connection)
            .optional()?;
        if let Some((row, hash)) = found_row {
            return Ok(Some((user_of_row(row), hash)));
        }
    }
    Ok(None)
}

pub(crate) fn find(connection: &mut DbConnection, id: &UserId) -> QueryResult<Option<User>> {
    let query = users::table.find(id.as_str()).select(COLUMNS);
    let row = on_either_engine!(connection, |either| query.first(either)).optional()?;
    Ok(row.map(user_of_row))
}

pub(crate) fn has_password(connection: &mut DbConnection, id: &UserId) -> QueryResult<bool> {
    let user_with_password = users::table
        .find(id.as_str())
        .filter(users::password_hash.is_not_null());
    diesel::select(diesel::dsl::exists(user_with_password)).get_result(connection)
}

/// The columns to change; `None` keeps the stored value.
#[derive(AsChangeset)]
#[diesel(table_name = users)]
#[expect(clippy::option_option, reason = "Some(None) clears the column")]
pub(crate) struct ProfileChange {
    pub(crate) name: Option<Option<String>>,
    pub(crate) image: Option<Option<String>>,
    pub(crate) language: Option<Option<String>>,
    pub(crate) updated_at: Timestamp,
}

pub(crate) fn change_profile(
    connection: &mut DbConnection,
    id: &UserId,
    change: &ProfileChange,
) -> QueryResult<Option<User>> {
    let result = diesel::update(users::table.find(id.as_str()))
        .set(change)
        .returning(COLUMNS)
        .get_result(connection);
    Ok(result.optional()?.map(user_of_row))
}

/// Replaces the password hash. Returns `false` if the stored hash is not `old_hash`, or if there is no such user. After
/// `true`, no other transaction can change the row until this transaction ends.
pub(crate) fn replace_hash(
    connection: &mut DbConnection,
    id: &str,
    old_hash: &str,
    new_hash: &str,
) -> QueryResult<bool> {
    let is_unchanged = users::password_hash.eq(old_hash);
    let unchanged_row = users::table.find(id).filter(is_unchanged);
    let updated_row_count = diesel::update(unchanged_row)
        .set(users::password_hash.eq(new_hash))
        .execute(connection)?;
    Ok(updated_row_count == 1)
}

/// A user, with the user's mail key (see [`mail_key`](super::mail_key)).
pub(crate) struct MailUser {
    pub(crate) user: User,
    /// `None` until a mail needs the key for its token or code, and again after the key was removed.
    pub(crate) mail_key: Option<String>,
}

pub(crate) fn find_mail_user(
    connection: &mut DbConnection,
    id: &str,
) -> QueryResult<Option<MailUser>> {
    let found_row: Option<(UserRow, Option<String>)> = users::table
        .find(id)
        .select((COLUMNS, users::mail_key))
        .first(connection)
        .optional()?;
    Ok(found_row.map(|(row, mail_key)| MailUser {
        user: user_of_row(row),
        mail_key,
    }))
}

/// Sets the mail key of a user who has none. Returns `false` if the user has one, or does not exist.
pub(crate) fn set_missing_mail_key(
    connection: &mut DbConnection,
    id: &str,
    mail_key: &str,
) -> QueryResult<bool> {
    let row_without_key = users::table.find(id).filter(users::mail_key.is_null());
    let updated_row_count = diesel::update(row_without_key)
        .set(users::mail_key.eq(mail_key))
        .execute(connection)?;
    Ok(updated_row_count == 1)
}

/// Removes the mail key, so that no token or code from an earlier mail is valid, except tokens that undo a change of
/// the email address. The next mail whose token needs a mail key sets another key.
pub(crate) fn forget_mail_key(connection: &mut DbConnection, id: &str) -> QueryResult<()> {
    diesel::update(users::table.find(id))
        .set(users::mail_key.eq(None::<String>))
        .execute(connection)
        .map(drop)
}

/// The mail key and the email address that a token or a code was verified with, and the new mail key.
#[derive(Debug, Clone)]
pub(crate) struct MailKeyChange {
    pub(crate) user_id: String,
    pub(crate) email: String,
    pub(crate) old_key: String,
    pub(crate) new_key: String,
}

/// Replaces the mail key. Returns `false` if the user was deleted, or the key or the email address has changed, since
/// the token or the code was verified. After `true`, no other transaction can change the row until this transaction
/// ends.
pub(crate) fn replace_mail_key(
    connection: &mut DbConnection,
    change: &MailKeyChange,
) -> QueryResult<bool> {
    let unchanged_row = users::table
        .find(&change.user_id)
        .filter(users::mail_key.eq(&change.old_key))
        .filter(users::email.eq(&change.email));
    let updated_row_count = diesel::update(unchanged_row)
        .set(users::mail_key.eq(&change.new_key))
        .execute(connection)?;
    Ok(updated_row_count == 1)
}

/// Sets the password hash, and marks the email address as verified. Returns the user; `None` if there is no such user.
pub(crate) fn reset_password(
    connection: &mut DbConnection,
    id: &str,
    password_hash: &str,
    now: Timestamp,
) -> QueryResult<Option<User>> {
    let result = diesel::update(users::table.find(id))
        .set((
            users::password_hash.eq(password_hash),
            users::email_verified.eq(true),
            users::updated_at.eq(now),
        ))
        .returning(COLUMNS)
        .get_result(connection);
    Ok(result.optional()?.map(user_of_row))
}

/// Marks the email address as verified. Returns the user; `None` if there is no such user.
pub(crate) fn verify_email(
    connection: &mut DbConnection,
    id: &str,
    now: Timestamp,
) -> QueryResult<Option<User>> {
    let result = diesel::update(users::table.find(id))
        .set((users::email_verified.eq(true), users::updated_at.eq(now)))
        .returning(COLUMNS)
        .get_result(connection);
    Ok(result.optional()?.map(user_of_row))
}

/// Deletes the user. The database also deletes all rows with a foreign key to the user, such as sessions and tasks.
/// Returns `false` if there is no such user.
pub(crate) fn delete(connection: &mut DbConnection, id: &UserId) -> QueryResult<bool> {
    let deleted_row_count = diesel::delete(users::table.find(id.as_str())).execute(connection)?;
    Ok(deleted_row_count == 1)
}

//! Changes email addresses in the table `users`, and contains the queries of the table `email_undos`.

use std::time::Duration;

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::db::schema::{email_undos, users};
use crate::db::{DbConnection, Timestamp};
use crate::users::email::Email;
use crate::users::store::{COLUMNS, MailKeyChange, UserRow, user_of_row};
use crate::users::user::User;

/// The previous address of an account, which the account can get back until the expiry.
#[derive(Debug, Clone)]
pub(crate) struct NewEmailUndo {
    /// Random text that the MAC of the token in the mail to the previous address covers.
    pub(crate) key: String,
    pub(crate) user_id: String,
    pub(crate) old_email: String,
    pub(crate) changed_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// Adds a row. Its `created_at` is later than that of the user's earlier rows, even if another process with a faster
/// clock wrote them, because undoing a change also undoes the changes with a later `created_at`. The caller must have
/// locked the user.
pub(crate) fn insert_undo(connection: &mut DbConnection, undo: &NewEmailUndo) -> QueryResult<()> {
    let last_created_at: Option<Timestamp> = email_undos::table
        .filter(email_undos::user_id.eq(&undo.user_id))
        .select(diesel::dsl::max(email_undos::created_at))
        .get_result(connection)?;
    let earliest = last_created_at.map(|last| last.plus(Duration::from_micros(1)));
    let created_at = earliest.map_or(undo.changed_at, |earliest| earliest.max(undo.changed_at));
    diesel::insert_into(email_undos::table)
        .values((
            email_undos::key.eq(&undo.key),
            email_undos::user_id.eq(&undo.user_id),
            email_undos::old_email.eq(&undo.old_email),
            email_undos::created_at.eq(created_at),
            email_undos::expires_at.eq(undo.expires_at),
        ))
        .execute(connection)
        .map(drop)
}

/// Returns the keys with which a user can get back an address and which have not expired, the newest first.
pub(crate) fn live_undo_keys(
    connection: &mut DbConnection,
    user_id: &str,
    old_email: &str,
    now: Timestamp,
) -> QueryResult<Vec<String>> {
    email_undos::table
        .filter(email_undos::user_id.eq(user_id))
        .filter(email_undos::old_email.eq(old_email))
        .filter(email_undos::expires_at.gt(now))
        .select(email_undos::key)
        .order(email_undos::created_at.desc())
        .load(connection)
}

/// Deletes the row with this key and the rows of the user's later changes. Returns `false` if the user has no row with
/// this key. The caller must have locked the user.
pub(crate) fn take_undo(
    connection: &mut DbConnection,
    user_id: &str,
    key: &str,
) -> QueryResult<bool> {
    let undos_of_user = || email_undos::table.filter(email_undos::user_id.eq(user_id));
    let created_at: Option<Timestamp> = undos_of_user()
        .filter(email_undos::key.eq(key))
        .select(email_undos::created_at)
        .first(connection)
        .optional()?;
    let Some(created_at) = created_at else {
        return Ok(false);
    };
    let this_and_later = undos_of_user().filter(email_undos::created_at.ge(created_at));
    diesel::delete(this_and_later).execute(connection)?;
    Ok(true)
}

/// Returns whether a user other than `user_id`, or any user if that is `None`, can still get this address back by
/// undoing a change.
pub(crate) fn is_reserved(
    connection: &mut DbConnection,
    email: &Email,
    user_id: Option<&str>,
    now: Timestamp,
) -> QueryResult<bool> {
    let mut undos = email_undos::table
        .filter(email_undos::old_email.eq_any(spellings(email)))
        .filter(email_undos::expires_at.gt(now))
        .select(email_undos::key)
        .into_boxed();
    if let Some(user_id) = user_id {
        undos = undos.filter(email_undos::user_id.ne(user_id));
    }
    let found_key: Option<String> = undos.first(connection).optional()?;
    Ok(found_key.is_some())
}

/// Returns whether the user `user_id` cannot have this address: another user has it, or can get it back.
pub(crate) fn is_taken(
    connection: &mut DbConnection,
    email: &Email,
    user_id: &str,
    now: Timestamp,
) -> QueryResult<bool> {
    let other_users = users::table
        .filter(users::email.eq_any(spellings(email)))
        .filter(users::id.ne(user_id));
    let found_id: Option<String> = other_users.select(users::id).first(connection).optional()?;
    match found_id {
        Some(_) => Ok(true),
        None => is_reserved(connection, email, Some(user_id), now),
    }
}

/// Returns the spelling that is stored now, and the spelling that earlier releases stored, if it is different.
fn spellings(email: &Email) -> Vec<String> {
    let mut spellings = vec![email.as_str().to_owned()];
    spellings.extend(email.with_u_labels());
    spellings
}

/// Replaces the mail key, sets the email address, and marks it as verified. Returns the user; `None` if another user
/// has the new address, or if the user was deleted, or the key or the address has changed, since the token or the code
/// was verified. After `None`, the caller must roll the transaction back. After `Some`, no other transaction can change
/// the row until this transaction ends.
pub(crate) fn change(
    connection: &mut DbConnection,
    key_change: &MailKeyChange,
    new_email: &Email,
    now: Timestamp,
) -> QueryResult<Option<User>> {
    let unchanged_row = users::table
        .find(&key_change.user_id)
        .filter(users::mail_key.eq(&key_change.old_key))
        .filter(users::email.eq(&key_change.email));
    let result = diesel::update(unchanged_row)
        .set((
            users::mail_key.eq(&key_change.new_key),
            users::email.eq(new_email.as_str()),
            users::email_verified.eq(true),
            users::updated_at.eq(now),
        ))
        .returning(COLUMNS)
        .get_result(connection);
    user_unless_taken(result)
}

/// Sets the address to the previous address, marks it as verified, and removes the password and the mail key, so that
/// no password and no mailed token or code from before is accepted any more, except tokens that undo a change of the
/// email address. Returns the user; `None` if there is no such user, or if another user has the address. After `None`,
/// the caller must roll the transaction back.
pub(crate) fn restore(
    connection: &mut DbConnection,
    user_id: &str,
    old_email: &str,
    now: Timestamp,
) -> QueryResult<Option<User>> {
    let result = diesel::update(users::table.find(user_id))
        .set((
            users::email.eq(old_email),
            users::email_verified.eq(true),
            users::password_hash.eq(None::<String>),
            users::mail_key.eq(None::<String>),
            users::updated_at.eq(now),
        ))
        .returning(COLUMNS)
        .get_result(connection);
    user_unless_taken(result)
}

fn user_unless_taken(result: QueryResult<UserRow>) -> QueryResult<Option<User>> {
    match result {
        Err(DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Ok(None),
        result => Ok(result.optional()?.map(user_of_row)),
    }
}

/// Deletes up to `limit` rows that expired before `cutoff`. Returns the number of deleted rows.
pub(crate) fn purge(
    connection: &mut DbConnection,
    cutoff: Timestamp,
    limit: i64,
) -> QueryResult<usize> {
    let expired_keys: Vec<String> = email_undos::table
        .filter(email_undos::expires_at.lt(cutoff))
        .select(email_undos::key)
        .limit(limit)
        .load(connection)?;
    diesel::delete(email_undos::table.filter(email_undos::key.eq_any(expired_keys)))
        .execute(connection)
}

#[cfg(test)]
mod tests;

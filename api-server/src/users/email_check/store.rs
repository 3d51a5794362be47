//! Reads and changes the stored email addresses of users.

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::db::DbConnection;
use crate::db::schema::users;
use crate::users::email::Email;

/// A user's id and email address as stored.
#[derive(Queryable)]
pub(super) struct StoredEmail {
    pub(super) id: String,
    pub(super) email: String,
}

/// Reads the first `limit` users whose ids follow `after_id`, in the order of the ids.
pub(super) fn users_after(
    connection: &mut DbConnection,
    after_id: &str,
    limit: i64,
) -> QueryResult<Vec<StoredEmail>> {
    users::table
        .filter(users::id.gt(after_id))
        .order(users::id)
        .limit(limit)
        .select((users::id, users::email))
        .load(connection)
}

pub(super) fn is_stored(connection: &mut DbConnection, email: &Email) -> QueryResult<bool> {
    let users_with_email = users::table.filter(users::email.eq(email.as_str()));
    diesel::select(diesel::dsl::exists(users_with_email)).get_result(connection)
}

pub(super) fn store_new_spelling(
    connection: &mut DbConnection,
    id: &str,
    stored_email: &str,
    new_email: &Email,
) -> QueryResult<bool> {
    let unchanged_row = users::table.find(id).filter(users::email.eq(stored_email));
    let result = diesel::update(unchanged_row)
        .set(users::email.eq(new_email.as_str()))
        .execute(connection);
    match result {
        Ok(row_count) => Ok(row_count == 1),
        Err(DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Ok(false),
        Err(error) => Err(error),
    }
}

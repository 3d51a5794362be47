//! Reading and respelling stored addresses.

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::db::DbConnection;
use crate::db::schema::users;
use crate::users::email::Email;

/// Ids and addresses in the order of the ids.
pub(super) fn after(
    connection: &mut DbConnection,
    id: &str,
    limit: i64,
) -> QueryResult<Vec<(String, String)>> {
    users::table
        .filter(users::id.gt(id))
        .order(users::id)
        .limit(limit)
        .select((users::id, users::email))
        .load(connection)
}

pub(super) fn is_stored(connection: &mut DbConnection, email: &Email) -> QueryResult<bool> {
    let same = users::table.filter(users::email.eq(email.as_str()));
    diesel::select(diesel::dsl::exists(same)).get_result(connection)
}

pub(super) fn respell(
    connection: &mut DbConnection,
    id: &str,
    stored: &str,
    email: &Email,
) -> QueryResult<bool> {
    let unchanged = users::table.find(id).filter(users::email.eq(stored));
    let updated = diesel::update(unchanged)
        .set(users::email.eq(email.as_str()))
        .execute(connection);
    match updated {
        Ok(count) => Ok(count == 1),
        Err(DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Ok(false),
        Err(error) => Err(error),
    }
}

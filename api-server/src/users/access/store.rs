//! Contains the queries on the roles and the claims of a user.

use diesel::prelude::*;

use crate::db::schema::users;
use crate::db::{DbConnection, Timestamp};
use crate::users::custom_claims;
use crate::users::roles::join_names;
use crate::users::user::User;

/// Stores the roles and the claims of the user, and the time of the change.
pub(crate) fn set(connection: &mut DbConnection, user: &User, now: Timestamp) -> QueryResult<()> {
    diesel::update(users::table.find(&user.id))
        .set((
            users::roles.eq(join_names(&user.roles, " ")),
            users::custom_claims.eq(custom_claims::to_column(&user.custom_claims)),
            users::updated_at.eq(now),
        ))
        .execute(connection)
        .map(drop)
}

/// Raises the version of the user's claims, and returns the new version; `None` if there is no such user.
pub(crate) fn raise_version(connection: &mut DbConnection, id: &str) -> QueryResult<Option<i64>> {
    diesel::update(users::table.find(id))
        .set(users::claims_version.eq(users::claims_version + 1))
        .returning(users::claims_version)
        .get_result(connection)
        .optional()
}

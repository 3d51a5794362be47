//! Changes the roles and the claims of a user. The user's earlier access tokens become stale, in every process of the
//! server and in every service that follows the feed of revocations.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::db::{DbConnection, QueryResult, Timestamp, write_transaction};
use crate::sessions::ending::store::lock_user;
use crate::sessions::revocation;
use crate::sessions::revocation::store as revocations;
use crate::users::access::store as access;
use crate::users::custom_claims;
use crate::users::email::LoginEmail;
use crate::users::id::UserId;
use crate::users::roles;
use crate::users::store as users;
use crate::users::user::User;

/// A change of the roles or the claims of a user, which an operator makes.
#[derive(Debug, Clone)]
pub(crate) enum AccessChange {
    Roles {
        added: Vec<String>,
        removed: Vec<String>,
    },
    Claims {
        set: Vec<(String, Value)>,
        removed: Vec<String>,
    },
}

/// The result of [`change`].
pub(crate) enum AccessResult {
    /// The user as stored now. The roles and the claims may be the same as before.
    Stored(Box<User>),
    NoSuchUser,
    /// The change is not acceptable, for this reason.
    Rejected(String),
}

impl AccessChange {
    fn apply(&self, user: &User) -> Result<User, String> {
        let mut changed_user = user.clone();
        match self {
            Self::Roles { added, removed } => {
                changed_user.roles = roles::with_changes(&user.roles, added, removed)?;
            }
            Self::Claims { set, removed } => {
                let claims = &user.custom_claims;
                changed_user.custom_claims = custom_claims::with_changes(claims, set, removed)?;
            }
        }
        Ok(changed_user)
    }
}

/// Changes the roles or the claims of the user with this email address. If this makes a difference, the user's earlier
/// access tokens are stale after the commit.
pub(crate) fn change(
    connection: &mut DbConnection,
    email: &LoginEmail,
    change: &AccessChange,
    now: SystemTime,
    access_token_ttl: Duration,
) -> QueryResult<AccessResult> {
    write_transaction(connection, |connection| {
        let Some(user) = find_and_lock(connection, email)? else {
            return Ok(AccessResult::NoSuchUser);
        };
        let mut changed_user = match change.apply(&user) {
            Ok(changed_user) => changed_user,
            Err(reason) => return Ok(AccessResult::Rejected(reason)),
        };
        if changed_user.roles != user.roles || changed_user.custom_claims != user.custom_claims {
            access::set(connection, &changed_user, Timestamp::from(now))?;
            let forget_after = revocation::forget_after(now, access_token_ttl);
            make_tokens_stale(connection, &mut changed_user, forget_after.into())?;
        }
        Ok(AccessResult::Stored(Box::new(changed_user)))
    })
}

/// Raises the version of the user's claims, which makes all earlier access tokens of the user stale, and sets the new
/// version in `user`. Call this function in the transaction that changes the user.
pub(super) fn make_tokens_stale(
    connection: &mut DbConnection,
    user: &mut User,
    forget_after: Timestamp,
) -> QueryResult<()> {
    if let Some(version) = access::raise_version(connection, &user.id)? {
        revocations::record_stale(connection, &user.id, version, forget_after)?;
        user.claims_version = u64::try_from(version).unwrap_or_default();
    }
    Ok(())
}

/// Finds the user, and locks the user's row until the transaction ends.
fn find_and_lock(connection: &mut DbConnection, email: &LoginEmail) -> QueryResult<Option<User>> {
    let Some((user, _hash)) = users::find_by_email(connection, email)? else {
        return Ok(None);
    };
    let id = UserId::stored(user.id);
    lock_user(connection, &id)?;
    // Another transaction may have changed the user before the lock.
    users::find(connection, &id)
}

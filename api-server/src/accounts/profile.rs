//! Changes the name, the image and the language of a user.

use super::Accounts;
use crate::db::Timestamp;
use crate::problem::Problem;
use crate::users::id::UserId;
use crate::users::store::{ProfileChange, change_profile};
use crate::users::user::User;

/// Changes the name, the image and the language: `None` keeps a value, and `Some(None)` clears the value.
#[expect(
    clippy::option_option,
    reason = "absent keeps the value, null clears it"
)]
pub(crate) async fn change(
    accounts: &Accounts,
    id: UserId,
    name: Option<Option<String>>,
    image: Option<Option<String>>,
    language: Option<Option<String>>,
) -> Result<User, Problem> {
    let change = ProfileChange {
        name,
        image,
        language,
        updated_at: Timestamp::from(accounts.sessions.now()),
    };
    let changed_user = accounts
        .sessions
        .db
        .of_account(id.as_str())
        .write(move |connection| change_profile(connection, &id, &change))
        .await?;
    changed_user.ok_or_else(Problem::account_missing)
}

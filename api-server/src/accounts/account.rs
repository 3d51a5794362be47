//! `GET` and `PATCH /api/auth/account`

use actix_web::web::{self, Data};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::store::{self, ProfileChange};
use super::user::{self, User};
use crate::db::Timestamp;
use crate::http::caller::Caller;
use crate::http::identity::UserId;
use crate::http::json::{Json, nullable};
use crate::problem::Problem;
use crate::state::State;

/// Show the caller's account.
#[utoipa::path(
    get, path = "/api/auth/account", tag = "account", operation_id = "getAccount",
    responses((status = 200, description = "The account", body = User)),
    security(("bearer" = [])),
)]
pub(crate) async fn show(caller: Caller, state: Data<State>) -> Result<web::Json<User>, Problem> {
    let found = state
        .db
        .of_account(caller.user_id.as_str())
        .run(move |connection| store::find(connection, &caller.user_id))
        .await?;
    found.map(web::Json).ok_or_else(Problem::account_is_gone)
}

#[derive(Deserialize, Validate, ToSchema)]
#[expect(clippy::option_option, reason = "absent leaves, null clears")]
pub(crate) struct AccountChange {
    /// At most 200 characters; null clears.
    #[serde(default, deserialize_with = "nullable")]
    #[validate(custom(function = "user::name_rule"))]
    #[schema(value_type = Option<String>, max_length = 200, example = "Ada Lovelace")]
    name: Option<Option<String>>,
    /// The address of a picture, at most 2048 characters; null clears.
    #[serde(default, deserialize_with = "nullable")]
    #[validate(custom(function = "user::image_rule"))]
    #[schema(value_type = Option<String>, max_length = 2048)]
    image: Option<Option<String>>,
}

/// Change the caller's name or image; what is absent stays.
#[utoipa::path(
    patch, path = "/api/auth/account", tag = "account", operation_id = "changeAccount",
    request_body = AccountChange,
    responses((status = 200, description = "The account as it is now", body = User)),
    security(("bearer" = [])),
)]
pub(crate) async fn change(
    caller: Caller,
    state: Data<State>,
    Json(body): Json<AccountChange>,
) -> Result<web::Json<User>, Problem> {
    let changed = apply(&state, caller.user_id, body.name, body.image).await?;
    Ok(web::Json(changed))
}

/// `None` leaves as it is, `Some(None)` clears.
#[expect(clippy::option_option, reason = "absent leaves, null clears")]
pub(crate) async fn apply(
    state: &State,
    id: UserId,
    name: Option<Option<String>>,
    image: Option<Option<String>>,
) -> Result<User, Problem> {
    let change = ProfileChange {
        name,
        image,
        updated_at: Timestamp::from(state.now()),
    };
    let changed = state
        .db
        .of_account(id.as_str())
        .write(move |connection| store::change_profile(connection, &id, &change))
        .await?;
    changed.ok_or_else(Problem::account_is_gone)
}

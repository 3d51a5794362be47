//! Handles `GET`, `PATCH` and `DELETE /api/auth/account`.

use actix_web::HttpResponse;
use actix_web::http::header::SET_COOKIE;
use actix_web::web::{self, Data};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::accounts::Accounts;
use crate::accounts::delete::{DeletionConfirmation, delete as delete_account};
use crate::accounts::profile::change as change_profile;
use crate::client::Client;
use crate::http::caller::Caller;
use crate::http::json::{ValidatedJson, nullable};
use crate::http::policy::HttpPolicy;
use crate::http::scope;
use crate::mail::language::validate_language;
use crate::problem::Problem;
use crate::users::store;
use crate::users::user::{self, User};

/// Show the caller's account.
#[utoipa::path(
    get, path = "/api/auth/account", tag = "account", operation_id = "getAccount",
    responses((status = 200, description = "The account", body = User)),
    security(("bearer" = ["account:read"])),
)]
pub(crate) async fn show(
    caller: Caller<scope::AccountRead>,
    accounts: Data<Accounts>,
) -> Result<web::Json<User>, Problem> {
    let user = accounts
        .sessions
        .db
        .of_account(caller.user_id.as_str())
        .read(move |connection| store::find(connection, &caller.user_id))
        .await?;
    user.map(web::Json).ok_or_else(Problem::account_missing)
}

#[derive(Deserialize, Validate, ToSchema)]
#[expect(
    clippy::option_option,
    reason = "an absent field stays unchanged, null clears the field"
)]
pub(crate) struct AccountChange {
    /// At most 200 characters; null clears.
    #[serde(default, deserialize_with = "nullable")]
    #[validate(custom(function = "user::validate_name"))]
    #[schema(value_type = Option<String>, max_length = 200, example = "Ada Lovelace")]
    name: Option<Option<String>>,
    /// The address of a picture, at most 2048 characters; null clears.
    #[serde(default, deserialize_with = "nullable")]
    #[validate(custom(function = "user::validate_image"))]
    #[schema(value_type = Option<String>, max_length = 2048)]
    image: Option<Option<String>>,
    /// The language of the mails to the user, `en` or `de`; null clears.
    #[serde(default, deserialize_with = "nullable")]
    #[validate(custom(function = "validate_language"))]
    #[schema(value_type = Option<String>, example = "de")]
    language: Option<Option<String>>,
}

/// Change the caller's name, image or language; an absent field stays unchanged.
#[utoipa::path(
    patch, path = "/api/auth/account", tag = "account", operation_id = "changeAccount",
    request_body = AccountChange,
    responses((status = 200, description = "The account as it is now", body = User)),
    security(("bearer" = ["account:write"])),
)]
pub(crate) async fn change(
    caller: Caller<scope::AccountWrite>,
    accounts: Data<Accounts>,
    ValidatedJson(body): ValidatedJson<AccountChange>,
) -> Result<web::Json<User>, Problem> {
    let user_id = caller.user_id;
    let user = change_profile(&accounts, user_id, body.name, body.image, body.language).await?;
    Ok(web::Json(user))
}

#[derive(Deserialize, Validate, ToSchema)]
pub(crate) struct DeleteAccount {
    #[serde(default)]
    #[validate(custom(function = "user::validate_attempted_password"))]
    #[schema(required, format = Password, min_length = 1, max_length = 128)]
    password: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct AccountDeleted {
    success: bool,
}

/// Delete the account with its tasks and sessions.
#[utoipa::path(
    delete, path = "/api/auth/account", tag = "account", operation_id = "deleteAccount",
    request_body = DeleteAccount,
    responses((status = 200, description = "It is gone", body = AccountDeleted)),
    security(("bearer" = ["account:write"])),
)]
pub(crate) async fn delete(
    caller: Caller<scope::AccountWrite>,
    client: Client,
    accounts: Data<Accounts>,
    policy: Data<HttpPolicy>,
    ValidatedJson(body): ValidatedJson<DeleteAccount>,
) -> Result<HttpResponse, Problem> {
    let attempt =
        user::parse_attempt(&body.password).map_err(|violation| violation.at("password"))?;
    let authenticated = accounts
        .passwords
        .confirm(&caller.user_id, &caller.session_id, attempt, &client)
        .await?;
    delete_account(
        &accounts,
        caller.user_id,
        DeletionConfirmation::Password(authenticated),
    )
    .await?;
    let mut response = HttpResponse::Ok();
    for cookie in policy.cookie_format.render_cleared() {
        response.append_header((SET_COOKIE, cookie));
    }
    Ok(response.json(AccountDeleted { success: true }))
}

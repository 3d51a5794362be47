//! Handles `POST /api/auth/change-password`, a path of this server's own API and also of Better Auth's API.

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data};
use actix_web::{Error, FromRequest as _, HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use validator::Validate;

use super::token_response::{TokenResponder, TokenResponse};
use crate::accounts::Accounts;
use crate::accounts::change_password::{PasswordChange, change_password as replace_password};
use crate::better_auth::api_request::ApiRequest;
use crate::better_auth::context::BetterAuthContext;
use crate::better_auth::{change_password as better_auth, identity};
use crate::client::Client;
use crate::http::caller::Caller;
use crate::http::json::{self, ValidatedJson};
use crate::http::scope;
use crate::problem::Problem;
use crate::users::user;

#[derive(Deserialize, Validate, ToSchema)]
pub(crate) struct ChangePassword {
    #[serde(default)]
    #[validate(custom(function = "user::validate_attempted_password"))]
    #[schema(required, format = Password, min_length = 1, max_length = 128)]
    current_password: String,
    /// 8 to 128 characters, none of the common passwords.
    #[serde(default)]
    #[validate(custom(function = "user::validate_new_password"))]
    #[schema(required, format = Password, min_length = 8, max_length = 128)]
    new_password: String,
}

/// Change the password. Every session of the account is revoked, this one included, and a new one begins: no token from
/// before the change is accepted any more.
#[utoipa::path(
    post, path = "/api/auth/change-password", tag = "account", operation_id = "changePassword",
    request_body = ChangePassword,
    responses((status = 200, description = "Tokens of a new session", body = TokenResponse)),
    security(("bearer" = ["account:write"])),
)]
pub(crate) async fn change_password(
    caller: Caller<scope::AccountWrite>,
    client: Client,
    accounts: Data<Accounts>,
    responder: TokenResponder,
    ValidatedJson(body): ValidatedJson<ChangePassword>,
) -> Result<HttpResponse, Problem> {
    let now = accounts.sessions.now();
    let attempt = user::parse_attempt(&body.current_password)
        .map_err(|violation| violation.at("current_password"))?;
    let new_password = user::choose_password(&accounts.passwords.policy, &body.new_password)
        .map_err(|violation| violation.at("new_password"))?;
    let change = PasswordChange {
        user_id: caller.user_id,
        session_id: caller.session_id,
        attempt,
        new_password,
        lifetime: accounts.sessions.session_ttl,
    };
    let grant = replace_password(&accounts, change, client, now).await?;
    responder.respond(grant, StatusCode::OK, caller.source)
}

/// Chooses the API by the fields of the body: `currentPassword` or `newPassword` selects Better Auth's API, otherwise
/// `current_password` or `new_password` selects this server's own API. A body without any of these fields is for Better
/// Auth's API if the request has a session cookie or a valid bearer token of that API, and for this server's own API
/// otherwise.
pub(crate) async fn dispatch(
    request: HttpRequest,
    client: Client,
    context: Data<BetterAuthContext>,
    accounts: Data<Accounts>,
    responder: TokenResponder,
    payload: web::Payload,
) -> Result<HttpResponse, Error> {
    let read_result = json::read_body(&request, payload.into_inner()).await;
    match read_result {
        Ok(bytes) if is_better_auth_request(&request, &context, &bytes) => {
            let api_request = ApiRequest::new(request, &bytes).await?;
            Ok(better_auth::change(api_request).await?)
        }
        _ => {
            let caller = Caller::<scope::AccountWrite>::extract(&request).await?;
            let body = json::from_bytes::<ChangePassword>(&request, read_result)?;
            Ok(change_password(caller, client, accounts, responder, body).await?)
        }
    }
}

fn is_better_auth_request(
    request: &HttpRequest,
    context: &BetterAuthContext,
    bytes: &Bytes,
) -> bool {
    let body: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let has_any = |names: [&str; 2]| names.iter().any(|name| body.get(name).is_some());
    has_any(["currentPassword", "newPassword"])
        || (!has_any(["current_password", "new_password"]) && identity::has_token(request, context))
}

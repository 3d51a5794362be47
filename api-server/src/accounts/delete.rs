//! `DELETE /api/auth/account`

use actix_web::HttpResponse;
use actix_web::http::header::SET_COOKIE;
use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::authenticate::{self, Authenticated};
use super::{store, user};
use crate::http::caller::Caller;
use crate::http::client::Client;
use crate::http::identity::UserId;
use crate::http::json::Json;
use crate::problem::Problem;
use crate::sessions::ending::surplus;
use crate::state::State;

#[derive(Deserialize, Validate, ToSchema)]
pub(crate) struct DeleteAccount {
    #[serde(default)]
    #[validate(custom(function = "user::attempted_password_rule"))]
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
    security(("bearer" = [])),
)]
pub(crate) async fn delete(
    caller: Caller,
    client: Client,
    state: Data<State>,
    Json(body): Json<DeleteAccount>,
) -> Result<HttpResponse, Problem> {
    let attempt = user::attempted_password(&body.password).map_err(|fault| fault.at("password"))?;
    let compared = authenticate::again(
        &state,
        &caller.user_id,
        &caller.session_id,
        attempt,
        &client,
    )
    .await?;
    remove(&state, caller.user_id, Some(compared)).await?;
    let mut response = HttpResponse::Ok();
    for cookie in state.cookies.clear() {
        response.append_header((SET_COOKIE, cookie));
    }
    Ok(response.json(AccountDeleted { success: true }))
}

/// Deletes somebody with everything; with a password that was compared only while it is still the one on record.
pub(crate) async fn remove(
    state: &State,
    id: UserId,
    compared: Option<Authenticated>,
) -> Result<(), Problem> {
    surplus::leave_a_few(state, &id, "").await?;
    surplus::delete_ended(state, &id).await?;
    let now = state.now();
    let (whom, forget_after) = (id.clone(), state.forget_after(now));
    let ended = state
        .db
        .write(move |connection| {
            let hash = compared.as_ref().map(|compared| compared.hash.as_str());
            store::delete(connection, &whom, hash, now.into(), forget_after)
        })
        .await?;
    let ended = ended.ok_or_else(Problem::token_revoked)?;
    state.revoke_here(&ended, now);
    log::info!(
        "account deleted user_id={} sessions_ended={}",
        id.as_str(),
        ended.len()
    );
    Ok(())
}

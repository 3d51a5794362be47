//! Handles `GET /api/auth/token`.

use actix_web::{Error, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::api_error::ApiError;
use super::api_request::ApiRequest;
use crate::problem::Problem;
use crate::sessions::grant::token_for;

#[derive(Serialize, ToSchema)]
pub(crate) struct AccessTokenOfSession {
    /// One of our access tokens: send it to services as `Authorization: Bearer …`.
    token: String,
}

/// Get an access token for services that verify our tokens. Needs a session of Better Auth, by its cookie or as a
/// bearer token. Errors have the form of Better Auth.
#[utoipa::path(
    get, path = "/api/auth/token", tag = "session", operation_id = "getAccessToken",
    responses((status = 200, description = "An access token", body = AccessTokenOfSession)),
    security(("better_auth" = [])),
)]
pub(crate) async fn show(request: ApiRequest) -> Result<HttpResponse, Error> {
    let signed_in_user = request.signed_in_user().await?;
    let (user, session) = (&signed_in_user.user, &signed_in_user.session);
    let keys = request.context.sessions.keys.current();
    let builder =
        token_for(&keys.issuer, user, &session.id).with_max_exp(session.expires_at.unix_seconds());
    let result = builder.issue(request.context.sessions.now());
    let token = match result {
        Ok(issued_token) => issued_token.token,
        // The session ends within this second. Tokens have whole seconds, so a token would expire at once.
        Err(auth_core::Error::Expired) => return Err(ApiError::unauthorized().into()),
        Err(error) => return Err(ApiError::from(Problem::internal(error)).into()),
    };
    Ok(request.respond(&signed_in_user, AccessTokenOfSession { token })?)
}

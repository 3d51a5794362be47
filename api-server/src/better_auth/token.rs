//! Handles `GET /api/auth/token`.

use actix_web::{Error, HttpResponse};
use auth_core::Subject;
use serde::Serialize;
use utoipa::ToSchema;

use super::api_error::ApiError;
use super::api_request::ApiRequest;
use crate::problem::Problem;

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
    let subject = Subject {
        id: &signed_in_user.user.id,
        email: &signed_in_user.user.email,
        email_verified: Some(signed_in_user.user.email_verified),
        session_id: &signed_in_user.session.id,
    };
    let keys = request.context.sessions.keys.current();
    let session_expires_at = signed_in_user.session.expires_at.unix_seconds();
    let result =
        keys.issuer
            .issue_until(&subject, session_expires_at, request.context.sessions.now());
    let token = match result {
        Ok(issued_token) => issued_token.token,
        // The session ends within this second. Tokens have whole seconds, so a token would expire at once.
        Err(auth_core::Error::Expired) => return Err(ApiError::unauthorized().into()),
        Err(error) => return Err(ApiError::from(Problem::internal(error)).into()),
    };
    Ok(request.respond(&signed_in_user, AccessTokenOfSession { token })?)
}

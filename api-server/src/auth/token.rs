//! Handles `POST /api/auth/token`.

use actix_web::web::{self, Data};
use auth_core::Subject;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::http::caller::Caller;
use crate::http::json::Json;
use crate::problem::violation::FieldViolation;
use crate::problem::{Code, Problem};
use crate::sessions::Sessions;

#[derive(Deserialize, Validate, ToSchema)]
pub(crate) struct TokenRequest {
    /// One of `TOKEN_AUDIENCES`.
    #[serde(default)]
    #[validate(custom(function = "audience_rule"))]
    #[schema(required, min_length = 1, example = "reports")]
    audience: String,
}

fn audience_rule(audience: &str) -> Result<(), ValidationError> {
    if audience.is_empty() {
        return Err(FieldViolation::new("required", "is required").into());
    }
    Ok(())
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ServiceToken {
    /// Send it to that service as `Authorization: Bearer …`; this server does not accept it.
    access_token: String,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Its lifetime in seconds; it expires no later than the token of the request.
    #[schema(example = 900)]
    expires_in: i64,
}

/// Exchange the access token for one that a single other service accepts. The new token is always in the body, because
/// cookies are not sent to other services.
#[utoipa::path(
    post, path = "/api/auth/token", tag = "session", operation_id = "exchangeToken",
    request_body = TokenRequest,
    responses((status = 200, description = "A token for that audience", body = ServiceToken)),
    security(("bearer" = [])),
)]
pub(crate) async fn exchange(
    caller: Caller,
    sessions: Data<Sessions>,
    Json(body): Json<TokenRequest>,
) -> Result<web::Json<ServiceToken>, Problem> {
    let keys = sessions.keys.current();
    let issuer = keys
        .issuer_for(&body.audience)
        .ok_or_else(|| Problem::new(Code::Forbidden, "This audience is not allowed"))?;
    let subject = Subject {
        id: caller.user_id.as_str(),
        email: &caller.email,
        email_verified: caller.email_verified,
        session_id: &caller.session_id,
    };
    let issued_token = issuer.issue_until(&subject, caller.token_exp, sessions.now())?;
    Ok(web::Json(ServiceToken {
        access_token: issued_token.token,
        token_type: "Bearer",
        expires_in: issued_token.claims.exp - issued_token.claims.iat,
    }))
}

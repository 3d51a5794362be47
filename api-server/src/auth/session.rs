//! Handles `GET /api/auth/session`.

use actix_web::HttpRequest;
use actix_web::web::{self, Data};
use auth_core::{CustomClaimsJson, Roles, Scope};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::better_auth::context::BetterAuthContext;
use crate::better_auth::identity::{self, Identity};
use crate::db::Timestamp;
use crate::http::caller::{Caller, access_token, require_matching_user_id};
use crate::http::policy::HttpPolicy;
use crate::http::scope;
use crate::problem::Problem;

#[derive(Serialize, ToSchema)]
pub(crate) struct CurrentSession {
    user: SessionUser,
    session: SessionToken,
}

#[derive(Serialize, ToSchema)]
struct SessionUser {
    id: String,
    #[schema(example = "ada@example.com")]
    email: String,
    /// What the user may do, by names that an operator chose.
    #[schema(value_type = Vec<String>, example = json!(["admin"]))]
    roles: Roles,
    /// The claims that an operator added to the tokens of the user.
    #[schema(value_type = Object, example = json!({ "plan": "pro" }))]
    claims: Map<String, Value>,
}

#[derive(Serialize, ToSchema)]
struct SessionToken {
    id: String,
    /// When the access token expires; for a session of Better Auth, when the session expires.
    #[serde(rename = "expiresAt")]
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T12:57:51.000Z")]
    expires_at: Timestamp,
    /// What the token may be used for; absent if it may be used for everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, example = "tasks:read account:read")]
    scope: Option<Scope>,
}

/// Show the caller and the session, from the token alone, without a query of the database. Without a token, the cookie
/// of a session of Better Auth is accepted as well, which costs one query.
#[utoipa::path(
    get, path = "/api/auth/session", tag = "session", operation_id = "getSession",
    responses((status = 200, description = "The caller and the session", body = CurrentSession)),
    security(("bearer" = [])),
)]
pub(crate) async fn show(
    request: HttpRequest,
    policy: Data<HttpPolicy>,
    better_auth: Data<BetterAuthContext>,
) -> Result<web::Json<CurrentSession>, Problem> {
    let caller = match Caller::<scope::AnyScope>::of(&request) {
        Ok(caller) => caller,
        Err(problem) if has_no_token(&request, &policy) => {
            return show_better_auth_session(&request, &better_auth, problem).await;
        }
        Err(problem) => return Err(problem),
    };
    let (roles, scope) = (caller.roles().clone(), caller.token_scope().cloned());
    let claims = caller.custom_claims()?;
    Ok(web::Json(CurrentSession {
        user: SessionUser {
            id: caller.user_id.into_string(),
            email: caller.email,
            roles,
            claims,
        },
        session: SessionToken {
            id: caller.session_id,
            expires_at: Timestamp::from_unix_micros(caller.token_exp.saturating_mul(1_000_000)),
            scope,
        },
    }))
}

fn has_no_token(request: &HttpRequest, policy: &HttpPolicy) -> bool {
    matches!(
        access_token(request, policy),
        Err(auth_core::Error::MissingCredentials)
    )
}

/// Responds to a request without an access token, for example from a service that forwards the cookie of a Better Auth
/// session. Fails with `missing_token_problem` if the request has no such cookie, two such cookies, or a cookie with an
/// invalid signature, and with another problem if the session is not live or `X-User-Id` names another user.
async fn show_better_auth_session(
    request: &HttpRequest,
    context: &BetterAuthContext,
    missing_token_problem: Problem,
) -> Result<web::Json<CurrentSession>, Problem> {
    let signed_in_user = match identity::find(request, context, false).await? {
        Identity::Anonymous => return Err(missing_token_problem),
        Identity::NoLiveSession => return Err(Problem::session_expired()),
        Identity::SignedIn(signed_in_user) => signed_in_user,
    };
    require_matching_user_id(request, &signed_in_user.user.id)?;
    Ok(web::Json(CurrentSession {
        user: SessionUser {
            id: signed_in_user.user.id,
            email: signed_in_user.user.email,
            roles: signed_in_user.user.roles,
            claims: parse_custom_claims(&signed_in_user.user.custom_claims)?,
        },
        session: SessionToken {
            id: signed_in_user.session.id,
            expires_at: signed_in_user.session.expires_at,
            scope: None,
        },
    }))
}

fn parse_custom_claims(stored: &CustomClaimsJson) -> Result<Map<String, Value>, Problem> {
    serde_json::from_str(stored.as_str()).map_err(Problem::internal)
}

//! Handles `POST /api/auth/token`.

use actix_web::web::{self, Data};
use auth_core::credentials::CredentialSource;
use auth_core::{CustomClaimsJson, Scope, Subject, TokenIssuer};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::http::caller::Caller;
use crate::http::json::{ValidatedJson, not_null};
use crate::http::scope;
use crate::problem::violation::{FieldViolation, validation_result};
use crate::problem::{Code, Problem};
use crate::sessions::Sessions;
use crate::sessions::keys::ActiveKeys;

#[derive(Deserialize, Validate, ToSchema)]
pub(crate) struct TokenRequest {
    /// One of `TOKEN_AUDIENCES`; absent for a token that this server accepts, which needs a `scope`.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(custom(function = "validate_audience"))]
    #[schema(value_type = String, min_length = 1, example = "reports")]
    audience: Option<String>,
    /// What the new token may be used for: names separated by one space. For this server `tasks:read`, `tasks:write`,
    /// `account:read`, `account:write` and `sessions`; for a service, its own names.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(custom(function = "validate_scope"))]
    #[schema(value_type = String, max_length = 1024, example = "tasks:read")]
    scope: Option<String>,
}

fn validate_audience(audience: &str) -> Result<(), ValidationError> {
    if audience.is_empty() {
        return Err(FieldViolation::new("required", "is required").into());
    }
    Ok(())
}

fn validate_scope(text: &str) -> Result<(), ValidationError> {
    validation_result(parse_scope(text))
}

fn parse_scope(text: &str) -> Result<Scope, FieldViolation> {
    Scope::new(text).map_err(|_malformed| {
        let message =
            "must be 1 to 64 names with one space between two of them, at most 1024 characters";
        FieldViolation::new("invalid_scope", message)
    })
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ServiceToken {
    /// Send it to that service, or to this server, as `Authorization: Bearer …`.
    access_token: String,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Its lifetime in seconds; it expires no later than the token of the request.
    #[schema(example = 900)]
    expires_in: i64,
    /// What the token may be used for; absent if it may be used for everything that the user may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, example = "tasks:read")]
    scope: Option<Scope>,
}

/// Exchange the access token for one that a single other service accepts, or for one that may be used for less. The new
/// token is always in the body, because cookies are not sent to other services. A request with cookies gets no token of
/// this server: 403.
#[utoipa::path(
    post, path = "/api/auth/token", tag = "session", operation_id = "exchangeToken",
    request_body = TokenRequest,
    responses((status = 200, description = "The new token", body = ServiceToken)),
    security(("bearer" = [])),
)]
pub(crate) async fn exchange(
    caller: Caller<scope::AnyScope>,
    sessions: Data<Sessions>,
    ValidatedJson(body): ValidatedJson<TokenRequest>,
) -> Result<web::Json<ServiceToken>, Problem> {
    let (audience, scope) = (body.audience.as_deref(), body.scope.as_deref());
    let requested_scope = scope.map(parse_scope).transpose();
    let requested_scope = requested_scope.map_err(|violation| violation.at("scope"))?;
    let keys = sessions.keys.current();
    let issuer = choose_issuer(&keys, audience, requested_scope.as_ref())?;
    require_audience_for_cookie(&caller, audience)?;
    let granted_scope = narrow_scope(caller.token_scope(), requested_scope)?;
    let custom = CustomClaimsJson::new(&caller.custom_claims()?).map_err(Problem::internal)?;
    let subject = Subject {
        id: caller.user_id.as_str(),
        email: &caller.email,
        email_verified: caller.email_verified(),
        session_id: &caller.session_id,
    };
    let mut builder = issuer
        .token_for(&subject)
        .with_roles(caller.roles())
        .with_custom_claims(&custom)
        .with_claims_version(caller.claims_version())
        .with_max_exp(caller.token_exp);
    if let Some(scope) = &granted_scope {
        builder = builder.with_scope(scope);
    }
    let issued_token = builder.issue(sessions.now())?;
    Ok(web::Json(ServiceToken {
        access_token: issued_token.token,
        token_type: "Bearer",
        expires_in: issued_token.claims.exp - issued_token.claims.iat,
        scope: granted_scope,
    }))
}

/// Fails if a request with cookies asks for a token of this server. A script of a page cannot read the cookies, so it
/// must not get a token that works outside of the browser.
fn require_audience_for_cookie<S>(
    caller: &Caller<S>,
    audience: Option<&str>,
) -> Result<(), Problem> {
    if caller.source == CredentialSource::Cookie && audience.is_none() {
        let detail = "A request with cookies gets no token of this server; send the access token as a bearer token";
        return Err(Problem::new(Code::Forbidden, detail));
    }
    Ok(())
}

/// Returns the issuer of tokens for the audience, or of this server's own tokens if there is no audience. A token of
/// this server needs a scope of this server, because without a scope it would permit the same as the token of the
/// request.
fn choose_issuer<'k>(
    keys: &'k ActiveKeys,
    audience: Option<&str>,
    scope: Option<&Scope>,
) -> Result<&'k TokenIssuer, Problem> {
    match (audience, scope) {
        (Some(audience), _) => keys
            .issuer_for(audience)
            .ok_or_else(|| Problem::new(Code::Forbidden, "This audience is not allowed")),
        (None, None) => Err(FieldViolation::new("required", "is required").at("audience")),
        (None, Some(scope)) => match scope
            .iter()
            .find(|name| scope::Scope::parse(name).is_none())
        {
            None => Ok(&keys.issuer),
            Some(_unknown) => {
                let message = "must be names of tasks:read, tasks:write, account:read, account:write and sessions";
                Err(FieldViolation::new("unknown_scope", message).at("scope"))
            }
        },
    }
}

/// Returns the scope of the new token: the requested one, or else that of the token of the request. Fails if the
/// request asks for more than its token has.
fn narrow_scope(held: Option<&Scope>, requested: Option<Scope>) -> Result<Option<Scope>, Problem> {
    match (held, requested) {
        (Some(held), Some(requested)) if !requested.is_subset_of(held) => Err(Problem::new(
            Code::Forbidden,
            "The token of the request does not have this scope",
        )),
        (Some(held), None) => Ok(Some(held.clone())),
        (_, requested) => Ok(requested),
    }
}

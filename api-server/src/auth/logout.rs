//! `POST /api/auth/logout`

use actix_web::http::header::{AUTHORIZATION, SET_COOKIE};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use auth_core::credentials::CredentialSource;
use serde::de::IntoDeserializer as _;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::http::caller::{access_token, is_storable};
use crate::http::cookie_sessions;
use crate::http::cookies::Cookie;
use crate::http::json::{OptionalJson, not_null};
use crate::http::origin;
use crate::http::policy::HttpPolicy;
use crate::problem::Problem;
use crate::sessions::Sessions;
use crate::sessions::logout::{self, Credential, Scope};

#[derive(Deserialize, Validate, ToSchema, Default)]
pub(crate) struct LogoutRequest {
    /// Names the session if there is no access token.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(value_type = String)]
    refresh_token: Option<String>,
    /// Which sessions of the user to end; `current` if absent.
    #[serde(default, deserialize_with = "scope")]
    scope: Scope,
}

/// Parses the scope from a string: for a value of another type, `serde_json` would report a syntax error.
fn scope<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Scope, D::Error> {
    Scope::deserialize(String::deserialize(deserializer)?.into_deserializer())
}

#[derive(Serialize, ToSchema)]
pub(crate) struct LoggedOut {
    success: bool,
    /// How many sessions were ended.
    revoked: usize,
}

/// Log out. Takes an access token (an expired one will do), a refresh token or a cookie; without any, or a second time,
/// it succeeds and ends nothing. `others` and `all` need a credential that is good now: a live access token, the current
/// refresh token or its direct predecessor; an older one ends its own session at most. Access tokens of the ended sessions
/// are refused from then on. Clears the cookies, except with `others`.
#[utoipa::path(
    post, path = "/api/auth/logout", tag = "session", operation_id = "logout",
    request_body = Option<LogoutRequest>,
    responses((status = 200, description = "Logged out", body = LoggedOut)),
)]
pub(crate) async fn logout(
    request: HttpRequest,
    sessions: Data<Sessions>,
    policy: Data<HttpPolicy>,
    OptionalJson(body): OptionalJson<LogoutRequest>,
) -> Result<HttpResponse, Problem> {
    let (credentials, source) = presented(&request, &sessions, &policy, &body);
    if !credentials.is_empty() && source == CredentialSource::Cookie {
        origin::require_trusted(&request, &policy)?;
    }
    let revoked = match (source, body.scope) {
        (CredentialSource::Cookie, Scope::Current) => end_each(&sessions, credentials).await?,
        _ if credentials.is_empty() => 0,
        (_, scope) => logout::end(&sessions, credentials, scope).await?,
    };
    let mut response = HttpResponse::Ok();
    // The caller stays logged in when only other sessions end. Another site could make the browser send this request
    // without cookies; it must not be able to clear them.
    if body.scope != Scope::Others && !origin::is_from_untrusted_origin(&request, &policy) {
        for cookie in policy.cookies.clear() {
            response.append_header((SET_COOKIE, cookie));
        }
    }
    Ok(response.json(LoggedOut {
        success: true,
        revoked,
    }))
}

/// One by one: transactions that end sessions of several users could wait for each other.
async fn end_each(sessions: &Sessions, credentials: Vec<Credential>) -> Result<usize, Problem> {
    let mut revoked = 0;
    for credential in credentials {
        revoked += logout::end(sessions, vec![credential], Scope::Current).await?;
    }
    Ok(revoked)
}

/// The credentials of a request in order of precedence: header, then body; without a header, the body, else the access
/// cookie, then the refresh cookie. With a header, valid or not, cookies are ignored.
///
/// To end the current session, every genuine cookie counts: the browser may hold two that name different sessions, or one
/// that another host of the site set, and must not go on with either.
fn presented(
    request: &HttpRequest,
    sessions: &Sessions,
    policy: &HttpPolicy,
    body: &LogoutRequest,
) -> (Vec<Credential>, CredentialSource) {
    let keys = sessions.keys.current();
    let by_body = body.refresh_token.as_deref();
    let by_body = by_body.and_then(|text| keys.refresh_tokens.decode(text).ok());
    let by_body = by_body.as_ref().map(Credential::refresh);
    if request.headers().contains_key(AUTHORIZATION) {
        let by_header = by_access_token(request, sessions, policy);
        let both = by_header.into_iter().chain(by_body);
        return (both.collect(), CredentialSource::Body);
    }
    if let Some(by_body) = by_body {
        return (vec![by_body], CredentialSource::Body);
    }
    if body.scope == Scope::Current {
        let named = cookie_sessions::ids_of_all_cookies(request, sessions, policy).into_iter();
        return (
            named.map(Credential::stale).collect(),
            CredentialSource::Cookie,
        );
    }
    let by_cookie = match policy.cookies.find_refresh(request) {
        Cookie::One(text) => keys.refresh_tokens.decode(text).ok(),
        Cookie::Absent | Cookie::Ambiguous => None,
    };
    let by_cookie = by_cookie.as_ref().map(Credential::refresh);
    let both = by_access_token(request, sessions, policy)
        .into_iter()
        .chain(by_cookie);
    (both.collect(), CredentialSource::Cookie)
}

fn by_access_token(
    request: &HttpRequest,
    sessions: &Sessions,
    policy: &HttpPolicy,
) -> Option<Credential> {
    let keys = sessions.keys.current();
    let now = sessions.now();
    let (token, _) = access_token(request, policy).ok()?;
    let (claims, credential) = match keys.verifier.verify(token, now) {
        Ok(claims) => (claims, Credential::current as fn(String) -> Credential),
        Err(_old_or_bad) => {
            let claims = keys.verifier.verify_for_logout(token, now).ok()?;
            (claims, Credential::stale as fn(String) -> Credential)
        }
    };
    is_storable(&claims.sub, &claims.sid).then_some(credential(claims.sid))
}

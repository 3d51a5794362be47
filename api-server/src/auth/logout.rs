//! Handles `POST /api/auth/logout`.

use actix_web::http::header::{AUTHORIZATION, SET_COOKIE};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use auth_core::credentials::CredentialSource;
use serde::de::IntoDeserializer as _;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::client::Client;
use crate::http::caller::{
    access_token, are_ids_storable, insufficient_scope, require_matching_user_id,
};
use crate::http::cookie_sessions;
use crate::http::cookies::CookieLookup;
use crate::http::json::{OptionalValidatedJson, not_null};
use crate::http::origin;
use crate::http::policy::HttpPolicy;
use crate::http::scope;
use crate::network::Network;
use crate::problem::Problem;
use crate::sessions::Sessions;
use crate::sessions::logout::{self, Credential, LogoutScope};

#[derive(Deserialize, Validate, ToSchema, Default)]
pub(crate) struct LogoutRequest {
    /// Names a session. Comes before the cookies, and after an access token in the `Authorization` header.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(value_type = String)]
    refresh_token: Option<String>,
    /// Which sessions of the user to end; `current` if absent.
    #[serde(default, deserialize_with = "deserialize_scope")]
    scope: LogoutScope,
}

/// Deserializes a string, and then the scope from the string. Without the first step, `serde_json` would report a
/// syntax error, which does not name the field, if the JSON value is of another type such as a number.
fn deserialize_scope<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LogoutScope, D::Error> {
    LogoutScope::deserialize(String::deserialize(deserializer)?.into_deserializer())
}

#[derive(Serialize, ToSchema)]
pub(crate) struct LoggedOut {
    success: bool,
    /// How many sessions were ended.
    revoked: usize,
}

/// Log out. Accepts an access token (even an expired one), a refresh token or a cookie; without any of them, or if the
/// session has ended before, the request succeeds and ends nothing. `others` and `all` need a valid credential: an
/// access token that is neither expired nor stale, the current refresh token or its direct predecessor; an older one
/// ends only its own session. Access tokens of the ended sessions are rejected from then on. Clears the cookies, except
/// with `others` and for a request from an untrusted origin.
#[utoipa::path(
    post, path = "/api/auth/logout", tag = "session", operation_id = "logout",
    request_body = Option<LogoutRequest>,
    responses((status = 200, description = "Logged out", body = LoggedOut)),
)]
pub(crate) async fn logout(
    request: HttpRequest,
    client: Client,
    sessions: Data<Sessions>,
    policy: Data<HttpPolicy>,
    OptionalValidatedJson(body): OptionalValidatedJson<LogoutRequest>,
) -> Result<HttpResponse, Problem> {
    let (credentials, source) = presented_credentials(&request, &sessions, &policy, &body)?;
    if !credentials.is_empty() && source == CredentialSource::Cookie {
        origin::require_trusted(&request, &policy)?;
    }
    let revoked_count = match (source, body.scope) {
        (CredentialSource::Cookie, LogoutScope::Current) => {
            end_each(&sessions, credentials, client.network).await?
        }
        _ if credentials.is_empty() => 0,
        (_, scope) => logout::end(&sessions, credentials, scope, client.network).await?,
    };
    let mut response = HttpResponse::Ok();
    // The caller stays logged in when only other sessions end. Another site could make the browser send this request
    // without cookies, and must not be able to clear the cookies.
    if body.scope != LogoutScope::Others && !origin::is_from_untrusted_origin(&request, &policy) {
        for cookie in policy.cookie_format.render_cleared() {
            response.append_header((SET_COOKIE, cookie));
        }
    }
    Ok(response.json(LoggedOut {
        success: true,
        revoked: revoked_count,
    }))
}

/// Ends each session in its own transaction: two transactions that each end sessions of several users could deadlock.
async fn end_each(
    sessions: &Sessions,
    credentials: Vec<Credential>,
    network: Option<Network>,
) -> Result<usize, Problem> {
    let mut revoked_count = 0;
    for credential in credentials {
        revoked_count +=
            logout::end(sessions, vec![credential], LogoutScope::Current, network).await?;
    }
    Ok(revoked_count)
}

/// Returns the credentials with valid signatures in a request, in order of precedence. With an `Authorization`
/// header, valid or not, these are only the access token in the header and the refresh token in the body. Without the
/// header, a valid refresh token in the body is the only credential. Without both, cookies are read.
///
/// With the scope `Current`, each session that a cookie names has a credential, up to a maximum: the browser may have
/// cookies of several sessions, or a cookie from another host of the same site, and after the logout these cookies must
/// not authenticate a request. With another scope, the access cookie comes before the refresh cookie.
fn presented_credentials(
    request: &HttpRequest,
    sessions: &Sessions,
    policy: &HttpPolicy,
    body: &LogoutRequest,
) -> Result<(Vec<Credential>, CredentialSource), Problem> {
    let keys = sessions.keys.current();
    let token_text = body.refresh_token.as_deref();
    let body_token = token_text.and_then(|text| keys.refresh_tokens.decode(text).ok());
    let body_credential = body_token.as_ref().map(Credential::from_refresh_token);
    if request.headers().contains_key(AUTHORIZATION) {
        let header_credential = access_token_credential(request, sessions, policy)?;
        let credentials = header_credential.into_iter().chain(body_credential);
        return Ok((credentials.collect(), CredentialSource::Body));
    }
    if let Some(credential) = body_credential {
        return Ok((vec![credential], CredentialSource::Body));
    }
    if body.scope == LogoutScope::Current {
        let session_ids =
            cookie_sessions::session_ids_of_all_cookies(request, sessions, policy).into_iter();
        return Ok((
            session_ids.map(Credential::limited).collect(),
            CredentialSource::Cookie,
        ));
    }
    let cookie_token = match policy.cookie_format.find_refresh(request) {
        CookieLookup::Unique(text) => keys.refresh_tokens.decode(text).ok(),
        CookieLookup::Absent | CookieLookup::Ambiguous => None,
    };
    let cookie_credential = cookie_token.as_ref().map(Credential::from_refresh_token);
    let credentials = access_token_credential(request, sessions, policy)?
        .into_iter()
        .chain(cookie_credential);
    Ok((credentials.collect(), CredentialSource::Cookie))
}

/// Returns the access token in the header or the cookie as a credential. An expired, stale or revoked token can end
/// only the session that the token names. A token that is limited to other scopes than `sessions` is rejected.
fn access_token_credential(
    request: &HttpRequest,
    sessions: &Sessions,
    policy: &HttpPolicy,
) -> Result<Option<Credential>, Problem> {
    let Ok((token, _)) = access_token(request, policy) else {
        return Ok(None);
    };
    let (keys, now) = (sessions.keys.current(), sessions.now());
    let (claims, make_credential) = match keys.verifier.verify(token, now) {
        Ok(claims) => (claims, Credential::valid as fn(String) -> Credential),
        Err(_not_accepted) => match keys.verifier.verify_for_logout(token, now) {
            Ok(claims) => (claims, Credential::limited as fn(String) -> Credential),
            Err(_not_valid) => return Ok(None),
        },
    };
    require_matching_user_id(request, &claims.sub)?;
    if !claims.has_scope(scope::Scope::Sessions.as_str()) {
        return Err(insufficient_scope(scope::Scope::Sessions).into());
    }
    let storable_claims = Some(claims).filter(are_ids_storable);
    Ok(storable_claims
        .and_then(|claims| claims.sid)
        .map(make_credential))
}

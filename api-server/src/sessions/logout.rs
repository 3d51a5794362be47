//! `POST /api/auth/logout`

use actix_web::http::header::{AUTHORIZATION, SET_COOKIE};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use auth_core::credentials::CredentialSource;
use serde::de::IntoDeserializer as _;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::session;
use super::store::{self, Which};
use crate::http::caller::{access_token, is_storable};
use crate::http::cookies::Cookie;
use crate::http::identity::UserId;
use crate::http::json::{OptionalJson, not_null};
use crate::http::origin;
use crate::problem::Problem;
use crate::state::State;

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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scope {
    #[default]
    Current,
    Others,
    All,
}

/// By way of text: `serde_json` takes an enum that is not one for a mistake in the JSON.
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
/// it succeeds and ends nothing. Access tokens of the ended sessions are refused from then on.
#[utoipa::path(
    post, path = "/api/auth/logout", tag = "session", operation_id = "logout",
    request_body = Option<LogoutRequest>,
    responses((status = 200, description = "Logged out", body = LoggedOut)),
)]
pub(crate) async fn logout(
    request: HttpRequest,
    state: Data<State>,
    OptionalJson(body): OptionalJson<LogoutRequest>,
) -> Result<HttpResponse, Problem> {
    let named = named_session(&request, &state, body.refresh_token.as_deref());
    if named
        .as_ref()
        .is_some_and(|(_, source)| *source == CredentialSource::Cookie)
    {
        origin::require_trusted(&request, &state)?;
    }
    let revoked = match named {
        Some((session_id, _)) => end(&state, session_id, body.scope).await?,
        None => 0,
    };
    let mut response = HttpResponse::Ok();
    // Another site could have the browser post here without its cookies, and must not get them cleared.
    if !origin::is_foreign(&request, &state) {
        for cookie in state.cookies.clear() {
            response.append_header((SET_COOKIE, cookie));
        }
    }
    Ok(response.json(LoggedOut {
        success: true,
        revoked,
    }))
}

/// The session that the first good credential names: header, body, access cookie, refresh cookie. With a header, good or
/// bad, the cookies do not count.
fn named_session(
    request: &HttpRequest,
    state: &State,
    body: Option<&str>,
) -> Option<(String, CredentialSource)> {
    let keys = state.keys.in_force();
    let by_access = access_token(request, state)
        .ok()
        .and_then(|(token, source)| {
            let claims = keys.verifier.verify_for_logout(token, state.now()).ok()?;
            is_storable(&claims.sub, &claims.sid).then_some((claims.sid, source))
        });
    let named_by = |text: &str| {
        let token = keys.refresh_tokens.decode(text).ok()?;
        Some(session::named_by(&token))
    };
    let by_body = || Some((body.and_then(named_by)?, CredentialSource::Body));
    if request.headers().contains_key(AUTHORIZATION) {
        return by_access.or_else(by_body);
    }
    let by_cookie = || match state.cookies.refresh(request) {
        Cookie::One(text) => Some((named_by(text)?, CredentialSource::Cookie)),
        Cookie::Absent | Cookie::Ambiguous => None,
    };
    by_body().or(by_access).or_else(by_cookie)
}

/// Only a live session has a say: the credentials of an ended one end nothing.
pub(crate) async fn end(state: &State, session_id: String, scope: Scope) -> Result<usize, Problem> {
    let now = state.now();
    let forget_after = state.forget_after(now);
    let ended = state
        .db
        .write(move |connection| {
            let found = store::find(connection, &session_id)?;
            let Some(session) = found.filter(|session| session.is_live(now.into())) else {
                return Ok(Vec::new());
            };
            let user = UserId::stored(session.user_id);
            let which = match scope {
                Scope::Current => Which::One(&session_id),
                Scope::Others => Which::OthersOf(&user, &session_id),
                Scope::All => Which::AllOf(&user),
            };
            store::end(connection, &which, now.into(), forget_after)
        })
        .await?;
    state.revoke_here(&ended, now);
    log::info!("logged out scope={scope:?} sessions_ended={}", ended.len());
    Ok(ended.len())
}

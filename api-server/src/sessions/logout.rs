//! `POST /api/auth/logout`

use actix_web::http::header::SET_COOKIE;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use auth_core::credentials::CredentialSource;
use serde::de::IntoDeserializer as _;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::ending::store::{self, Ended, Which};
use super::ending::surplus;
use super::logout_credentials::{Credential, first_good, presented};
use super::session::Lifetimes;
use crate::db::{DbConnection, QueryResult, Timestamp, write_transaction};
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
    state: Data<State>,
    OptionalJson(body): OptionalJson<LogoutRequest>,
) -> Result<HttpResponse, Problem> {
    let (credentials, source) = presented(&request, &state, body.refresh_token.as_deref());
    if !credentials.is_empty() && source == CredentialSource::Cookie {
        origin::require_trusted(&request, &state)?;
    }
    let revoked = if credentials.is_empty() {
        0
    } else {
        end(&state, credentials, body.scope).await?
    };
    let mut response = HttpResponse::Ok();
    // The caller stays logged in when its other sessions end. And another site could have the browser post here without
    // its cookies, and must not get them cleared.
    if body.scope != Scope::Others && !origin::is_foreign(&request, &state) {
        for cookie in state.cookies.clear() {
            response.append_header((SET_COOKIE, cookie));
        }
    }
    Ok(response.json(LoggedOut {
        success: true,
        revoked,
    }))
}

/// Ends what the scope says, in the transaction that checks the credentials. `others` and `all` need one that is good now;
/// a stale one reaches no session but its own. How many live sessions were ended.
pub(crate) async fn end(
    state: &State,
    credentials: Vec<Credential>,
    scope: Scope,
) -> Result<usize, Problem> {
    let now = state.now();
    let (times, lifetimes) = ((now.into(), state.forget_after(now)), state.lifetimes());
    let surplus = match scope {
        Scope::Current => 0,
        Scope::Others | Scope::All => end_surplus(state, &credentials).await?,
    };
    let ended = state
        .db
        .write(move |connection| end_what(connection, &credentials, scope, times, lifetimes))
        .await?;
    state.revoke_here(&ended.ids, now);
    let count = surplus + ended.live;
    log::info!("logged out scope={scope:?} sessions_ended={count}");
    Ok(count)
}

async fn end_surplus(state: &State, credentials: &[Credential]) -> Result<usize, Problem> {
    let credentials = credentials.to_vec();
    let when = (state.now().into(), state.lifetimes());
    let found = state
        .db
        .run(move |connection| first_good(connection, &credentials, when))
        .await?;
    let Some(session) = found else {
        return Ok(0);
    };
    let user = UserId::stored(session.user_id);
    Ok(surplus::leave_a_few(state, &user, &session.id).await?)
}

fn end_what(
    connection: &mut DbConnection,
    credentials: &[Credential],
    scope: Scope,
    times: (Timestamp, Timestamp),
    lifetimes: Lifetimes,
) -> QueryResult<Ended> {
    write_transaction(connection, |connection| {
        if scope != Scope::Current
            && let Some(session) = first_good(connection, credentials, (times.0, lifetimes))?
        {
            let user = UserId::stored(session.user_id);
            let which = match scope {
                Scope::Others => Which::OthersOf(&user, &session.id),
                Scope::Current | Scope::All => Which::AllOf(&user),
            };
            return store::end_and_count(connection, &which, times, lifetimes);
        }
        match credentials.first() {
            Some(named) if scope != Scope::Others => {
                let which = Which::One(&named.session_id);
                store::end_and_count(connection, &which, times, lifetimes)
            }
            _ => Ok(Ended::default()),
        }
    })
}

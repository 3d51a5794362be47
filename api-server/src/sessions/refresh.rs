//! `POST /api/auth/refresh`

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use auth_core::Error;
use auth_core::credentials::CredentialSource;
use auth_core::refresh::RefreshToken;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::session;
use super::store::{self, Refreshed, Terms};
use crate::accounts;
use crate::accounts::grant::{Grant, Granted};
use crate::accounts::user::User;
use crate::http::cookies::Cookie;
use crate::http::identity::UserId;
use crate::http::json::{OptionalJson, not_null};
use crate::http::origin;
use crate::problem::Problem;
use crate::state::State;

#[derive(Deserialize, Validate, ToSchema, Default)]
pub(crate) struct RefreshRequest {
    /// The newest refresh token. Browsers leave it out and send the cookie.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(value_type = String)]
    refresh_token: Option<String>,
}

/// Get the next pair of tokens. The direct predecessor of the current token is answered with the same pair, so a lost
/// response, a second tab and a retry do no harm. 401: log in again. 503: try again.
#[utoipa::path(
    post, path = "/api/auth/refresh", tag = "session", operation_id = "refresh",
    request_body = Option<RefreshRequest>,
    responses((status = 200, description = "The next tokens of the session", body = Grant)),
)]
pub(crate) async fn refresh(
    request: HttpRequest,
    state: Data<State>,
    OptionalJson(body): OptionalJson<RefreshRequest>,
) -> Result<HttpResponse, Problem> {
    let (token, source) = credential(&request, &state, body)?;
    let now = state.now();
    let terms = Terms {
        now: now.into(),
        lifetimes: state.lifetimes(),
        forget_after: state.forget_after(now),
    };
    let session_id = session::named_by(&token);
    let db = state.db.of_account(&session_id);
    let (refreshed, user) = db
        .write(move |connection| {
            let refreshed = store::refresh(connection, &session_id, token.counter, terms)?;
            let user = match &refreshed {
                Refreshed::Granted { user_id, .. } => {
                    accounts::store::find(connection, &UserId::stored(user_id.clone()))?
                }
                _ => None,
            };
            Ok((refreshed, user))
        })
        .await?;
    answer(&state, &token, refreshed, user)?.respond(&state, StatusCode::OK, source)
}

/// The body's token, else the cookie's.
fn credential(
    request: &HttpRequest,
    state: &State,
    body: RefreshRequest,
) -> Result<(RefreshToken, CredentialSource), Problem> {
    let keys = state.keys.in_force();
    if let Some(text) = body.refresh_token {
        return Ok((keys.refresh_tokens.decode(&text)?, CredentialSource::Body));
    }
    match state.cookies.refresh(request) {
        Cookie::Absent => Err(Error::MissingCredentials.into()),
        Cookie::Ambiguous => {
            Err(Error::MalformedCredentials("The refresh token cookie was sent twice").into())
        }
        Cookie::One(text) => {
            let token = keys.refresh_tokens.decode(text)?;
            origin::require_trusted(request, state)?;
            Ok((token, CredentialSource::Cookie))
        }
    }
}

fn answer(
    state: &State,
    token: &RefreshToken,
    refreshed: Refreshed,
    user: Option<User>,
) -> Result<Granted, Problem> {
    match refreshed {
        Refreshed::Granted {
            counter,
            issued_at,
            expires_at,
            ..
        } => Ok(Granted {
            user: user.ok_or_else(Problem::session_over)?,
            session_id: session::named_by(token),
            counter,
            issued_at: issued_at.to_system_time(),
            expires_at,
        }),
        Refreshed::Over(ended) => {
            state.revoke_here(&ended, state.now());
            Err(Problem::session_over())
        }
        Refreshed::Reused(ended) => {
            state.revoke_here(&ended, state.now());
            log::warn!(
                "refresh token reused session_id={}",
                session::named_by(token)
            );
            Err(Problem::refresh_token_reused())
        }
        Refreshed::Unknown => Err(Error::SignatureMismatch.into()),
        Refreshed::Busy => Err(Problem::overloaded()),
    }
}

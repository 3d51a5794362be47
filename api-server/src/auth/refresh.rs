//! Handles `POST /api/auth/refresh`.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use auth_core::Error;
use auth_core::credentials::CredentialSource;
use auth_core::refresh::RefreshToken;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::token_response::{TokenResponder, TokenResponse};
use crate::client::Client;
use crate::connections::has_hung_up;
use crate::http::cookies::CookieLookup;
use crate::http::json::{OptionalValidatedJson, not_null};
use crate::http::origin;
use crate::http::policy::HttpPolicy;
use crate::metrics::Event;
use crate::problem::Problem;
use crate::sessions::grant::TokenGrant;
use crate::sessions::store::{self, RefreshOutcome};
use crate::sessions::{Sessions, session};

#[derive(Deserialize, Validate, ToSchema, Default)]
pub(crate) struct RefreshRequest {
    /// The newest refresh token. Browsers leave it out and send the cookie.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(value_type = String)]
    refresh_token: Option<String>,
}

/// Get the next pair of tokens. The direct predecessor of the current token gets the current refresh token
/// again, so a lost response, a second tab and a retry do no harm. 401: log in again. 503: try again.
#[utoipa::path(
    post, path = "/api/auth/refresh", tag = "session", operation_id = "refresh",
    request_body = Option<RefreshRequest>,
    responses((status = 200, description = "The next tokens of the session", body = TokenResponse)),
)]
pub(crate) async fn refresh(
    request: HttpRequest,
    client: Client,
    sessions: Data<Sessions>,
    policy: Data<HttpPolicy>,
    responder: TokenResponder,
    OptionalValidatedJson(body): OptionalValidatedJson<RefreshRequest>,
) -> Result<HttpResponse, Problem> {
    reject_if_hung_up(&request)?;
    let (token, source) = presented_token(&request, &sessions, &policy, body)?;
    let times = sessions.times(sessions.now());
    let session_id = session::session_id_of(&token);
    let db = sessions
        .db
        .of_session_or_network(&session_id, || client.network);
    let outcome = db
        .write(move |connection| store::refresh(connection, &session_id, token.counter, times))
        .await?;
    sessions.metrics.count(event_of(&outcome));
    let grant = apply_outcome(&sessions, &token, outcome)?;
    responder.respond(grant, StatusCode::OK, source)
}

/// Fails if the client hung up before the handler started, for example during a pause of this process. The client may
/// have repeated the request at another process and refreshed again. This request would then be the late use of an old
/// token, which ends the session. The client gets no response anyway.
fn reject_if_hung_up(request: &HttpRequest) -> Result<(), Problem> {
    if !has_hung_up(request) {
        return Ok(());
    }
    log::info!("refresh ignored: its client has closed the connection");
    Err(Problem::overloaded())
}

/// Reads the refresh token from the body, or from the cookie if the body has none. Accepts a cookie only in a request
/// from a trusted origin.
fn presented_token(
    request: &HttpRequest,
    sessions: &Sessions,
    policy: &HttpPolicy,
    body: RefreshRequest,
) -> Result<(RefreshToken, CredentialSource), Problem> {
    let keys = sessions.keys.current();
    if let Some(text) = body.refresh_token {
        return Ok((keys.refresh_tokens.decode(&text)?, CredentialSource::Body));
    }
    match policy.cookie_format.find_refresh(request) {
        CookieLookup::Absent => Err(Error::MissingCredentials.into()),
        CookieLookup::Ambiguous => {
            Err(Error::MalformedCredentials("The refresh token cookie was sent twice").into())
        }
        CookieLookup::Unique(text) => {
            let token = keys.refresh_tokens.decode(text)?;
            origin::require_trusted(request, policy)?;
            Ok((token, CredentialSource::Cookie))
        }
    }
}

/// Returns the metrics event for this outcome.
const fn event_of(outcome: &RefreshOutcome) -> Event {
    match outcome {
        RefreshOutcome::Granted { .. } => Event::RefreshGranted,
        RefreshOutcome::Reused(_) => Event::RefreshReused,
        RefreshOutcome::NotLive(_) => Event::RefreshExpired,
        RefreshOutcome::UnknownCounter => Event::RefreshUnknown,
        RefreshOutcome::Busy => Event::RefreshBusy,
    }
}

/// Turns the outcome of a refresh into a grant or an error. If the refresh ended the session, makes this process reject
/// the access tokens of the session at once.
fn apply_outcome(
    sessions: &Sessions,
    token: &RefreshToken,
    outcome: RefreshOutcome,
) -> Result<TokenGrant, Problem> {
    match outcome {
        RefreshOutcome::Granted {
            user,
            counter,
            issued_at,
            expires_at,
        } => {
            let session_id = session::session_id_of(token);
            sessions.db.record_session(&session_id, &user.id);
            Ok(TokenGrant {
                user: *user,
                session_id,
                counter,
                issued_at: issued_at.to_system_time(),
                expires_at,
            })
        }
        RefreshOutcome::NotLive(session_ids) => {
            sessions.revoke_locally(&session_ids, sessions.now());
            Err(Problem::session_expired())
        }
        RefreshOutcome::Reused(session_ids) => {
            sessions.revoke_locally(&session_ids, sessions.now());
            log::warn!(
                "refresh token reused session_id={}",
                session::session_id_of(token)
            );
            Err(Problem::refresh_token_reused())
        }
        RefreshOutcome::UnknownCounter => Err(Error::SignatureMismatch.into()),
        RefreshOutcome::Busy => Err(Problem::overloaded()),
    }
}

//! Finds the user of a request by the session token in the cookie or the `Authorization` header.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use auth_core::Error;
use auth_core::session_token::SessionTokens;

use super::api_error::ApiError;
use super::api_request::ApiRequest;
use super::cookies::{self, DecodedToken};
use crate::better_auth::context::BetterAuthContext;
use crate::db::Timestamp;
use crate::http::client::client_addresses;
use crate::problem::Problem;
use crate::sessions::session::StoredSession;
use crate::sessions::store as sessions;
use crate::users::id::UserId;
use crate::users::user::User;

/// The longest lifetime of a session that is not remembered (`rememberMe: false`): one day.
const UNREMEMBERED_TTL: Duration = Duration::from_secs(24 * 60 * 60);
/// The most times that a session is prolonged during one lifetime: with a lifetime of seven days, at most once a day.
const PROLONGATIONS_PER_LIFETIME: u32 = 7;
/// The age from which a session no longer suffices to delete the user or to request a change of the email address: one
/// day, as in Better Auth.
const MAX_RECENT_LOGIN_AGE: Duration = Duration::from_secs(24 * 60 * 60);
const BEARER_SCHEME: &str = "bearer ";

/// A user with a live session.
pub(crate) struct SignedInUser {
    pub(crate) user: User,
    pub(crate) session: StoredSession,
    /// Whether the cookies stay when the browser is closed.
    pub(super) is_remembered: bool,
    /// Whether the cookie must be sent again, because the session was just prolonged or a previous secret signed the
    /// token. False if the caller of [`find`] did not allow a prolongation.
    pub(super) must_resend_cookie: bool,
}

impl SignedInUser {
    pub(super) fn user_id(&self) -> UserId {
        UserId::stored(self.user.id.clone())
    }

    /// Returns whether the login is recent enough to delete the user or to request a change of the email address
    /// without further proof.
    pub(super) fn has_recent_login(&self, now: Timestamp) -> bool {
        now.since(self.session.created_at) < MAX_RECENT_LOGIN_AGE
    }
}

/// The user of a request, or the reason why the request has no user.
pub(crate) enum Identity {
    /// The request has no token with a valid signature, has two `Authorization` headers, or has two session cookies and
    /// no valid bearer token.
    Anonymous,
    /// The signature of the token is valid, but the token names no live session.
    NoLiveSession,
    SignedIn(Box<SignedInUser>),
}

pub(super) fn session_lifetime(context: &BetterAuthContext, is_remembered: bool) -> Duration {
    if is_remembered {
        context.sessions.session_ttl
    } else {
        context.sessions.session_ttl.min(UNREMEMBERED_TTL)
    }
}

impl ApiRequest {
    /// Returns the signed-in user. Fails with status 401 without a live session. Prolongs the session if a prolongation
    /// is due.
    pub(super) async fn signed_in_user(&self) -> Result<SignedInUser, ApiError> {
        match find(&self.http, &self.context, true).await? {
            Identity::SignedIn(signed_in_user) => Ok(*signed_in_user),
            Identity::Anonymous => Err(ApiError::unauthorized()),
            Identity::NoLiveSession => {
                let removal_cookies = cookies::removal_cookies(&self.http, &self.context);
                Err(ApiError::unauthorized().with_cookies(removal_cookies))
            }
        }
    }
}

/// Looks up the session in the database, so that an ended session is rejected at once. With `may_prolong`, prolongs a
/// remembered session if a prolongation is due.
pub(crate) async fn find(
    request: &HttpRequest,
    context: &BetterAuthContext,
    may_prolong: bool,
) -> Result<Identity, Problem> {
    let token = match presented_token(request, context) {
        Err(_no_valid_token) => return Ok(Identity::Anonymous),
        Ok(None) => return Ok(Identity::NoLiveSession),
        Ok(Some(token)) => token,
    };
    let now = Timestamp::from(context.sessions.now());
    let (id, lifetimes) = (token.session_id, context.sessions.lifetimes());
    let found_row = context
        .sessions
        .db
        .of_session_or_network(&id, || client_addresses(request).1)
        .read(move |connection| sessions::find_with_user(connection, &id, lifetimes))
        .await?;
    if let Some((user, session)) = &found_row {
        context.sessions.db.record_session(&session.id, &user.id);
    }
    let Some((user, session)) = found_row.filter(|(_, session)| session.is_live(now)) else {
        return Ok(Identity::NoLiveSession);
    };
    let is_short_lived = context.sessions.session_ttl > UNREMEMBERED_TTL
        && session.expires_at.since(session.created_at) <= UNREMEMBERED_TTL;
    let is_remembered = !is_short_lived && !cookies::has_dont_remember_flag(request, context);
    let mut signed_in_user = SignedInUser {
        user,
        session,
        is_remembered,
        must_resend_cookie: may_prolong && !token.is_of_current_secret,
    };
    let is_due = is_prolongation_due(context, &signed_in_user.session, now);
    if may_prolong && is_remembered && is_due && !prolong(context, &mut signed_in_user, now).await?
    {
        return Ok(Identity::NoLiveSession);
    }
    Ok(Identity::SignedIn(Box::new(signed_in_user)))
}

/// Decodes the token of the request: a valid token in the `Authorization` header, or else the cookie. Returns `None` if
/// the cookie has a valid signature but no session token. Fails if the cookie is absent, is sent twice or has an
/// invalid signature. Fails on two `Authorization` headers, because a proxy may have read one header and this server
/// the other.
fn presented_token(
    request: &HttpRequest,
    context: &BetterAuthContext,
) -> Result<Option<DecodedToken>, Error> {
    let keys = context.sessions.keys.current();
    let session_tokens = &keys.session_tokens;
    if has_two_authorization_headers(request) {
        return Err(Error::MalformedCredentials(
            "The Authorization header was sent twice",
        ));
    }
    if let Some(token) = bearer_token(request, session_tokens) {
        return Ok(Some(token));
    }
    let signed_token = cookies::signed_session_token(request, context)?;
    cookies::decode_signed_token(session_tokens, &signed_token)
}

/// Returns whether the request has a session cookie, valid or not, or a valid session token as a bearer token.
pub(crate) fn has_token(request: &HttpRequest, context: &BetterAuthContext) -> bool {
    let keys = context.sessions.keys.current();
    cookies::has_session_cookie(request, context)
        || bearer_token(request, &keys.session_tokens).is_some()
}

pub(super) fn has_two_authorization_headers(request: &HttpRequest) -> bool {
    request.headers().get_all(AUTHORIZATION).nth(1).is_some()
}

/// Decodes the bearer token, which may be signed and percent-encoded. An invalid token is treated as absent.
fn bearer_token(request: &HttpRequest, session_tokens: &SessionTokens) -> Option<DecodedToken> {
    let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, padded_token) = header.split_at_checked(BEARER_SCHEME.len())?;
    if !scheme.eq_ignore_ascii_case(BEARER_SCHEME) {
        return None;
    }
    let token = padded_token.trim();
    if token.contains('.') {
        let signed_token = cookies::percent_decode(token);
        let decoded_token = cookies::decode_signed_token(session_tokens, &signed_token);
        return decoded_token.ok().flatten();
    }
    cookies::decode_token(session_tokens, token)
}

fn is_prolongation_due(
    context: &BetterAuthContext,
    session: &StoredSession,
    now: Timestamp,
) -> bool {
    let ttl = context.sessions.session_ttl;
    let remaining_ttl = session.expires_at.since(now);
    let is_old_enough = remaining_ttl + ttl / PROLONGATIONS_PER_LIFETIME <= ttl;
    // A session whose expiry is already the end of its absolute lifetime cannot be prolonged any more.
    is_old_enough
        && session.expires_at
            < context
                .sessions
                .lifetimes()
                .extended_expiry(session.created_at, now)
}

/// Prolongs the session. Returns `false` if the session is no longer live.
async fn prolong(
    context: &BetterAuthContext,
    signed_in_user: &mut SignedInUser,
    now: Timestamp,
) -> Result<bool, Problem> {
    let lifetimes = context.sessions.lifetimes();
    let expires_at = lifetimes.extended_expiry(signed_in_user.session.created_at, now);
    let id = signed_in_user.session.id.clone();
    let is_prolonged = context
        .sessions
        .db
        .of_session(&id)
        .write(move |connection| sessions::prolong(connection, &id, now, expires_at))
        .await?;
    signed_in_user.session.expires_at = expires_at;
    signed_in_user.session.last_used_at = now;
    signed_in_user.must_resend_cookie = true;
    Ok(is_prolonged)
}

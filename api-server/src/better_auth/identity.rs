//! Who sent a request, by the session token in its cookie or its `Authorization` header.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use auth_core::Error;
use auth_core::session_token::SessionTokens;

use super::api_error::ApiError;
use super::call::Call;
use super::cookies;
use super::cookies::Named;
use crate::better_auth::context::BetterAuthContext;
use crate::db::Timestamp;
use crate::problem::Problem;
use crate::sessions::session::StoredSession;
use crate::sessions::store as sessions;
use crate::users::id::UserId;
use crate::users::user::User;

/// How long a session lives that is not to be remembered.
const SHORT: Duration = Duration::from_secs(24 * 60 * 60);
/// A session is prolonged once this part of its lifetime has passed: one day of seven.
const PARTS: u32 = 7;
const BEARER: &str = "bearer ";

/// Somebody with a live session.
pub(crate) struct SignedIn {
    pub(crate) user: User,
    pub(crate) session: StoredSession,
    /// Whether the browser is to keep the session after it is closed.
    pub(super) is_remembered: bool,
    /// Whether the session was prolonged just now, or its token has a successor: the cookie goes out again.
    pub(super) is_renewed: bool,
}

impl SignedIn {
    pub(super) fn user_id(&self) -> UserId {
        UserId::stored(self.user.id.clone())
    }

    /// Whether the login was within the last day.
    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        now.since(self.session.created_at) < SHORT
    }
}

/// Who it may be.
pub(crate) enum Identity {
    /// No token, or none that we signed.
    Anonymous,
    /// The token is good, its session is over.
    SessionOver,
    SignedIn(Box<SignedIn>),
}

/// How long a new session lives.
pub(super) fn lifetime(context: &BetterAuthContext, is_remembered: bool) -> Duration {
    if is_remembered {
        context.sessions.session_ttl
    } else {
        context.sessions.session_ttl.min(SHORT)
    }
}

impl Call {
    /// Whoever is signed in, or 401.
    pub(super) async fn signed_in(&self) -> Result<SignedIn, ApiError> {
        match find(&self.request, &self.context, true).await? {
            Identity::SignedIn(signed_in) => Ok(*signed_in),
            Identity::Anonymous => Err(ApiError::unauthorized()),
            Identity::SessionOver => {
                let forgotten = cookies::forget(&self.request, &self.context);
                Err(ApiError::unauthorized().with_cookies(forgotten))
            }
        }
    }
}

/// Asks the database once, so that an ended session ends at once; and prolongs the session if it is time and `may_prolong`.
pub(crate) async fn find(
    request: &HttpRequest,
    context: &BetterAuthContext,
    may_prolong: bool,
) -> Result<Identity, Problem> {
    let named = match presented(request, context) {
        Err(_none_of_ours) => return Ok(Identity::Anonymous),
        Ok(None) => return Ok(Identity::SessionOver),
        Ok(Some(named)) => named,
    };
    let now = Timestamp::from(context.sessions.now());
    let (id, lifetimes) = (named.session_id, context.sessions.lifetimes());
    let found = context
        .sessions
        .db
        .of_account(&id)
        .read(move |connection| sessions::find_with_session(connection, &id, lifetimes))
        .await?;
    let Some((user, session)) = found.filter(|(_, session)| session.is_live(now)) else {
        return Ok(Identity::SessionOver);
    };
    let is_short = context.sessions.session_ttl > SHORT
        && session.expires_at.since(session.created_at) <= SHORT;
    let is_remembered = !is_short && !cookies::says_dont_remember(request, context);
    let mut signed_in = SignedIn {
        user,
        session,
        is_remembered,
        is_renewed: may_prolong && !named.is_current,
    };
    let is_due = is_due(context, &signed_in.session, now);
    if may_prolong && is_remembered && is_due && !prolong(context, &mut signed_in, now).await? {
        return Ok(Identity::SessionOver);
    }
    Ok(Identity::SignedIn(Box::new(signed_in)))
}

/// Fails without anything that we signed; `None` for what we signed and do not know. A good token in the header takes the
/// place of the cookie; with two headers neither counts, as nothing tells which one is meant.
fn presented(request: &HttpRequest, context: &BetterAuthContext) -> Result<Option<Named>, Error> {
    let keys = context.sessions.keys.current();
    let tokens = &keys.session_tokens;
    if has_two_headers(request) {
        return Err(Error::MalformedCredentials(
            "The Authorization header was sent twice",
        ));
    }
    if let Some(named) = bearer(request, tokens) {
        return Ok(Some(named));
    }
    let signed = cookies::session_token(request, context)?;
    cookies::named_session(tokens, &signed)
}

/// Whether the request brings anything of Better Auth's to be known by.
pub(crate) fn has_token(request: &HttpRequest, context: &BetterAuthContext) -> bool {
    let keys = context.sessions.keys.current();
    cookies::has_session_token(request, context) || bearer(request, &keys.session_tokens).is_some()
}

pub(super) fn has_two_headers(request: &HttpRequest) -> bool {
    request.headers().get_all(AUTHORIZATION).nth(1).is_some()
}

/// A raw or a signed token, percent-encoded or not. What is neither is not refused but not there.
fn bearer(request: &HttpRequest, tokens: &SessionTokens) -> Option<Named> {
    let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = header.split_at_checked(BEARER.len())?;
    if !scheme.eq_ignore_ascii_case(BEARER) {
        return None;
    }
    let token = token.trim();
    if token.contains('.') {
        let signed = cookies::decode(token);
        return cookies::named_session(tokens, &signed).ok().flatten();
    }
    cookies::named_by(tokens, token)
}

fn is_due(context: &BetterAuthContext, session: &StoredSession, now: Timestamp) -> bool {
    let left = session.expires_at.since(now);
    let is_late = left + context.sessions.session_ttl / PARTS <= context.sessions.session_ttl;
    // At the end of its absolute lifetime a session cannot be prolonged any more.
    is_late && session.expires_at < context.sessions.lifetimes().slide(session.created_at, now)
}

/// `false` if the session ended meanwhile.
async fn prolong(
    context: &BetterAuthContext,
    signed_in: &mut SignedIn,
    now: Timestamp,
) -> Result<bool, Problem> {
    let lifetimes = context.sessions.lifetimes();
    let expires_at = lifetimes.slide(signed_in.session.created_at, now);
    let id = signed_in.session.id.clone();
    let prolonged = context
        .sessions
        .db
        .write(move |connection| sessions::prolong(connection, &id, (now, expires_at)))
        .await?;
    signed_in.session.expires_at = expires_at;
    signed_in.session.last_used_at = now;
    signed_in.is_renewed = true;
    Ok(prolonged)
}

//! The user of a request, by the session token in its cookie or its `Authorization` header.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use auth_core::Error;
use auth_core::session_token::SessionTokens;

use super::api_error::ApiError;
use super::call::Call;
use super::cookies;
use super::cookies::NamedSession;
use crate::better_auth::context::BetterAuthContext;
use crate::db::Timestamp;
use crate::problem::Problem;
use crate::sessions::session::StoredSession;
use crate::sessions::store as sessions;
use crate::users::id::UserId;
use crate::users::user::User;

/// The lifetime of a session that is not to be remembered.
const UNREMEMBERED_TTL: Duration = Duration::from_secs(24 * 60 * 60);
/// A session is prolonged once this fraction of its lifetime has passed: one day of seven.
const RENEWALS_PER_LIFETIME: u32 = 7;
const BEARER: &str = "bearer ";

/// A user with a live session.
pub(crate) struct SignedIn {
    pub(crate) user: User,
    pub(crate) session: StoredSession,
    /// Whether the cookies outlast the browser.
    pub(super) is_remembered: bool,
    /// Whether the session was just prolonged, or its token is of a previous secret: the cookie is sent again.
    pub(super) is_renewed: bool,
}

impl SignedIn {
    pub(super) fn user_id(&self) -> UserId {
        UserId::stored(self.user.id.clone())
    }

    /// Whether the login was within the last day.
    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        now.since(self.session.created_at) < UNREMEMBERED_TTL
    }
}

/// The result of looking up a request's session.
pub(crate) enum Identity {
    /// No token, or none with a valid signature.
    Anonymous,
    /// The token is valid, but its session has ended or expired.
    SessionExpired,
    SignedIn(Box<SignedIn>),
}

/// How long a new session lives.
pub(super) fn lifetime(context: &BetterAuthContext, is_remembered: bool) -> Duration {
    if is_remembered {
        context.sessions.session_ttl
    } else {
        context.sessions.session_ttl.min(UNREMEMBERED_TTL)
    }
}

impl Call {
    /// The signed-in user, or 401.
    pub(super) async fn signed_in(&self) -> Result<SignedIn, ApiError> {
        match find(&self.request, &self.context, true).await? {
            Identity::SignedIn(signed_in) => Ok(*signed_in),
            Identity::Anonymous => Err(ApiError::unauthorized()),
            Identity::SessionExpired => {
                let cleared = cookies::clear_all(&self.request, &self.context);
                Err(ApiError::unauthorized().with_cookies(cleared))
            }
        }
    }
}

/// Looks up the session in the database, so that an ended session is rejected at once. With `may_prolong`, prolongs it
/// when it is due.
pub(crate) async fn find(
    request: &HttpRequest,
    context: &BetterAuthContext,
    may_prolong: bool,
) -> Result<Identity, Problem> {
    let named = match presented(request, context) {
        Err(_none_of_ours) => return Ok(Identity::Anonymous),
        Ok(None) => return Ok(Identity::SessionExpired),
        Ok(Some(named)) => named,
    };
    let now = Timestamp::from(context.sessions.now());
    let (id, lifetimes) = (named.session_id, context.sessions.lifetimes());
    let found = context
        .sessions
        .db
        .of_account(&id)
        .read(move |connection| sessions::find_with_user(connection, &id, lifetimes))
        .await?;
    let Some((user, session)) = found.filter(|(_, session)| session.is_live(now)) else {
        return Ok(Identity::SessionExpired);
    };
    let is_short = context.sessions.session_ttl > UNREMEMBERED_TTL
        && session.expires_at.since(session.created_at) <= UNREMEMBERED_TTL;
    let is_remembered = !is_short && !cookies::has_dont_remember_flag(request, context);
    let mut signed_in = SignedIn {
        user,
        session,
        is_remembered,
        is_renewed: may_prolong && !named.is_current,
    };
    let is_due = is_due(context, &signed_in.session, now);
    if may_prolong && is_remembered && is_due && !prolong(context, &mut signed_in, now).await? {
        return Ok(Identity::SessionExpired);
    }
    Ok(Identity::SignedIn(Box::new(signed_in)))
}

/// The session that the request names; a valid token in the header takes precedence over the cookie. `None` if the
/// signed value names no session; an error if nothing has a valid signature. With two headers neither counts: they cannot
/// be told apart.
fn presented(
    request: &HttpRequest,
    context: &BetterAuthContext,
) -> Result<Option<NamedSession>, Error> {
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

/// Whether the request has a token of Better Auth.
pub(crate) fn has_token(request: &HttpRequest, context: &BetterAuthContext) -> bool {
    let keys = context.sessions.keys.current();
    cookies::has_session_token(request, context) || bearer(request, &keys.session_tokens).is_some()
}

pub(super) fn has_two_headers(request: &HttpRequest) -> bool {
    request.headers().get_all(AUTHORIZATION).nth(1).is_some()
}

/// A raw or a signed token, percent-encoded or not. Anything else is treated as absent.
fn bearer(request: &HttpRequest, tokens: &SessionTokens) -> Option<NamedSession> {
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
    let is_late =
        left + context.sessions.session_ttl / RENEWALS_PER_LIFETIME <= context.sessions.session_ttl;
    // At the end of its absolute lifetime a session cannot be prolonged any more.
    is_late && session.expires_at < context.sessions.lifetimes().slide(session.created_at, now)
}

/// Prolongs the session; `false` if it ended meanwhile.
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
        .write(move |connection| sessions::prolong(connection, &id, now, expires_at))
        .await?;
    signed_in.session.expires_at = expires_at;
    signed_in.session.last_used_at = now;
    signed_in.is_renewed = true;
    Ok(prolonged)
}

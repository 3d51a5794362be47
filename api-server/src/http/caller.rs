//! Authenticates the caller of a request by the access token, in memory, without the database.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::mem;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use auth_core::credentials::{CredentialSource, Credentials};
use auth_core::{Authenticate, Claims, Error, Refusal, Roles, Verification};
use serde_json::{Map, Value};

use super::cookies::CookieFormat;
use super::origin;
use super::policy::HttpPolicy;
use super::scope::{RequiredScope, Scope};
use crate::problem::Problem;
use crate::sessions::Sessions;
use crate::users::id::UserId;

/// A caller with a valid access token that has the scope `S`, or is not limited to scopes.
#[derive(Debug)]
pub(crate) struct Caller<S> {
    pub(crate) user_id: UserId,
    pub(crate) email: String,
    pub(crate) session_id: String,
    /// The `exp` claim of the token, in seconds since 1970.
    pub(crate) token_exp: i64,
    /// Whether the token came from the header or from the cookie. If it came from the cookie, the tokens of a new
    /// session are returned only in cookies, not in the body.
    pub(crate) source: CredentialSource,
    /// The verified token, for the other data such as the roles. `user_id`, `email` and `session_id` were moved out of
    /// it.
    token: auth_core::Caller,
    required_scope: PhantomData<S>,
}

impl<S: RequiredScope> Caller<S> {
    /// Verifies the token of a request. A token from a cookie also needs a safe method or a trusted origin.
    pub(crate) fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let mut token = Verification::of(request).into_ready()?;
        require_scope(&token, S::SCOPE)?;
        let (Some(email), Some(session_id)) = (token.email.take(), token.sid.take()) else {
            return Err(Problem::internal("the verifier requires email and sid"));
        };
        let source = if request.headers().contains_key(AUTHORIZATION) {
            CredentialSource::Header
        } else {
            require_trusted_origin(request)?;
            CredentialSource::Cookie
        };
        Ok(Self {
            user_id: UserId::verified(mem::take(&mut token.sub)),
            email,
            session_id,
            token_exp: token.exp,
            source,
            token,
            required_scope: PhantomData,
        })
    }

    pub(crate) fn roles(&self) -> &Roles {
        &self.token.roles
    }

    /// Returns the scope to which the token is limited; `None` if it may be used for everything.
    pub(crate) fn token_scope(&self) -> Option<&auth_core::Scope> {
        self.token.scope.as_ref()
    }

    /// Returns whether the user had verified the email address when the token was issued; `None` if the token does not
    /// say.
    pub(crate) fn email_verified(&self) -> Option<bool> {
        self.token.email_verified
    }

    /// Returns the version of the user's data in the token.
    pub(crate) fn claims_version(&self) -> u64 {
        self.token.claims_version
    }

    /// Returns the custom claims of the token.
    pub(crate) fn custom_claims(&self) -> Result<Map<String, Value>, Problem> {
        Ok(self.token.custom()?)
    }
}

fn require_scope(caller: &auth_core::Caller, required: Option<Scope>) -> Result<(), Refusal> {
    match required {
        Some(scope) if !caller.has_scope(scope.as_str()) => Err(insufficient_scope(scope)),
        _ => Ok(()),
    }
}

/// Returns the refusal of a token that is limited to other scopes.
pub(crate) fn insufficient_scope(required: Scope) -> Refusal {
    let name = auth_core::Scope::new(required.as_str());
    name.map_or_else(Refusal::from, |name| Refusal::insufficient_scope(&name))
}

/// Fails if the request has an `X-User-Id` that is not this id. A handler that extracts a [`Caller`] need not call
/// this, because the extractor checks the header.
pub(crate) fn require_matching_user_id(
    request: &HttpRequest,
    user_id: &str,
) -> Result<(), Refusal> {
    let mut expected_ids = request.headers().get_all("x-user-id");
    if expected_ids.any(|id| id.as_bytes() != user_id.as_bytes()) {
        return Err(Refusal::user_id_mismatch());
    }
    Ok(())
}

fn require_trusted_origin(request: &HttpRequest) -> Result<(), Problem> {
    let policy = request
        .app_data::<Data<HttpPolicy>>()
        .ok_or_else(|| Problem::internal("the server was built without its HTTP policy"))?;
    origin::require_trusted(request, policy)
}

/// The authenticator that [`Verification::of`] calls. Verifies the token of the `Authorization` header, or of the
/// cookie if there is no such header, with the server's clock and the secrets and keys that were read last.
pub(crate) struct ServerAuthenticator {
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) cookie_format: CookieFormat,
}

impl ServerAuthenticator {
    fn verify(&self, credentials: &Credentials<'_>) -> Result<auth_core::Caller, Refusal> {
        let (token, _) = credentials.token(Some(self.cookie_format.access_name()))?;
        let keys = self.sessions.keys.current();
        let claims = keys.verifier.verify(token, self.sessions.now())?;
        if !are_ids_storable(&claims) {
            let detail = "The account of this token does not exist";
            return Err(Refusal::unauthorized("INVALID_TOKEN", detail));
        }
        self.check_freshness()?;
        Ok(claims.into())
    }

    /// Rejects every token if the revocations have not been read for longer than `REVOCATION_STALE_AFTER`, for example
    /// after a pause of the process: the token may have been revoked meanwhile.
    fn check_freshness(&self) -> Result<(), Refusal> {
        match self.sessions.revocation_stale_after {
            Some(max_age) if !self.sessions.feed.lags_less_than(max_age) => {
                Err(Refusal::authority_unavailable(
                    "revocations have not been read for longer than REVOCATION_STALE_AFTER",
                ))
            }
            _ => Ok(()),
        }
    }
}

impl Authenticate for ServerAuthenticator {
    fn authenticate(&self, credentials: &Credentials<'_>) -> Verification {
        Verification::Ready(self.verify(credentials))
    }
}

/// Returns false if an id contains the NUL character, which PostgreSQL cannot store. This server issues no such token,
/// but a service that shares the secret could.
pub(crate) fn are_ids_storable(claims: &Claims) -> bool {
    let has_nul = |sid: &String| sid.contains('\0');
    !claims.sub.contains('\0') && !claims.sid.as_ref().is_some_and(has_nul)
}

/// Reads the access token of a request without verifying it.
pub(crate) fn access_token<'r>(
    request: &'r HttpRequest,
    policy: &HttpPolicy,
) -> Result<(&'r str, CredentialSource), Error> {
    let cookie_name = policy.cookie_format.access_name();
    Credentials::new(request.headers()).token(Some(cookie_name))
}

impl<S: RequiredScope> FromRequest for Caller<S> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

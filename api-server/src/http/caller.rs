//! Who is calling: verified once, in memory, without a database.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use auth_core::credentials::{CredentialSource, Credentials};
use auth_core::{Authenticate, Error, Refusal, Verification};

use super::identity::UserId;
use super::origin;
use crate::problem::Problem;
use crate::state::State;

/// A caller with a good access token. A handler without this argument cannot reach anybody's data.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) user_id: UserId,
    pub(crate) email: String,
    pub(crate) session_id: String,
    /// Seconds since 1970.
    pub(crate) token_expires: i64,
    /// New tokens are returned in the same way.
    pub(crate) source: CredentialSource,
}

impl Caller {
    pub(crate) fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let caller = Verification::of(request).into_ready()?;
        let source = if request.headers().contains_key(AUTHORIZATION) {
            CredentialSource::Header
        } else {
            require_trusted_origin(request)?;
            CredentialSource::Cookie
        };
        Ok(Self {
            user_id: UserId::verified(caller.sub),
            email: caller.email,
            session_id: caller.sid,
            token_expires: caller.exp,
            source,
        })
    }
}

fn require_trusted_origin(request: &HttpRequest) -> Result<(), Problem> {
    let state = request
        .app_data::<Data<State>>()
        .ok_or_else(|| Problem::internal("the server was built without its state"))?;
    origin::require_trusted(request, state)
}

/// Whom the extractors ask: the `Authorization` header, or the cookie if there is none, by the server's own clock and
/// the secrets in force.
pub(crate) struct Own(pub(crate) Data<State>);

impl Own {
    fn verify(&self, credentials: &Credentials<'_>) -> Result<auth_core::Caller, Refusal> {
        let (token, _) = credentials.token(Some(self.0.cookies.access_name()))?;
        let keys = self.0.keys.in_force();
        let claims = keys.verifier.verify(token, self.0.now())?;
        if !is_storable(&claims.sub, &claims.sid) {
            let gone = "The account of this token does not exist";
            return Err(Refusal::unauthorized("INVALID_TOKEN", gone));
        }
        Ok(claims.into())
    }
}

impl Authenticate for Own {
    fn authenticate(&self, credentials: &Credentials<'_>) -> Verification {
        Verification::Ready(self.verify(credentials))
    }
}

/// Whoever shares the secret may issue any text, but PostgreSQL keeps none with a NUL, so nobody is behind such an id.
pub(crate) fn is_storable(sub: &str, sid: &str) -> bool {
    !sub.contains('\0') && !sid.contains('\0')
}

/// The token of a request, not verified yet: to log out with.
pub(crate) fn access_token<'r>(
    request: &'r HttpRequest,
    state: &State,
) -> Result<(&'r str, CredentialSource), Error> {
    let name = state.cookies.access_name();
    Credentials::new(request.headers()).token(Some(name))
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

//! Who is calling: verified once, in memory, without a database.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use auth_core::{Claims, Error, bearer};

use super::cookies::Cookie;
use super::identity::UserId;
use super::origin;
use crate::problem::{Code, Problem};
use crate::state::State;

/// A caller with a good access token. A handler without this argument cannot reach anybody's data.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) user_id: UserId,
    pub(crate) email: String,
    pub(crate) session_id: String,
    /// Seconds since 1970.
    pub(crate) token_expires: i64,
    pub(crate) came_by: CameBy,
}

/// Where the credentials stood. Tokens go back the way they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CameBy {
    /// The `Authorization` header or the body.
    Message,
    Cookie,
}

impl Caller {
    pub(super) fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let state = request
            .app_data::<Data<State>>()
            .ok_or_else(|| Problem::internal("the server was built without its state"))?;
        let (token, came_by) = access_token(request, state)?;
        let claims = state.keys.in_force().verifier.verify(token, state.now())?;
        if !is_storable(&claims) {
            return Err(Problem::account_is_gone());
        }
        require_own_user_id_header(request.headers(), &claims.sub)?;
        if came_by == CameBy::Cookie {
            origin::require_trusted(request, state)?;
        }
        Ok(Self::new(claims, came_by))
    }

    pub(crate) fn new(claims: Claims, came_by: CameBy) -> Self {
        Self {
            user_id: UserId::verified(claims.sub),
            email: claims.email,
            session_id: claims.sid,
            token_expires: claims.exp,
            came_by,
        }
    }
}

/// Whoever shares the secret may issue any text, but PostgreSQL keeps none with a NUL, so nobody is behind such an id.
pub(crate) fn is_storable(claims: &Claims) -> bool {
    !claims.sub.contains('\0') && !claims.sid.contains('\0')
}

/// The `Authorization` header, or the cookie if there is none: a bad header is never rescued by a good cookie.
pub(crate) fn access_token<'r>(
    request: &'r HttpRequest,
    state: &State,
) -> Result<(&'r str, CameBy), Error> {
    if request.headers().contains_key(AUTHORIZATION) {
        let headers = request.headers().get_all(AUTHORIZATION);
        let token = bearer::token(headers.map(HeaderValue::as_bytes))?;
        return Ok((token, CameBy::Message));
    }
    match state.cookies.access(request) {
        Cookie::Absent => Err(Error::MissingCredentials),
        Cookie::One(token) => Ok((token, CameBy::Cookie)),
        Cookie::Ambiguous => Err(Error::MalformedCredentials(
            "The access token cookie was sent twice",
        )),
    }
}

/// `X-User-Id` grants nothing; a request in which it contradicts the token is confused or forged.
fn require_own_user_id_header(headers: &HeaderMap, sub: &str) -> Result<(), Problem> {
    let mut named = headers.get_all("x-user-id");
    if named.all(|value| value.as_bytes() == sub.as_bytes()) {
        return Ok(());
    }
    Err(Problem::new(
        Code::Forbidden,
        "X-User-Id names somebody other than the token does",
    ))
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

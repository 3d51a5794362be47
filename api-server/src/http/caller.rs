//! Who is calling: verified once, in memory, without a database.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use auth_core::{Claims, bearer};

use super::identity::UserId;
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
}

impl Caller {
    pub(super) fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let state = request
            .app_data::<Data<State>>()
            .ok_or_else(|| Problem::internal("the server was built without its state"))?;
        let headers = request.headers().get_all(AUTHORIZATION);
        let token = bearer::token(headers.map(actix_web::http::header::HeaderValue::as_bytes))?;
        let claims = state.verifier.verify(token, state.now())?;
        require_own_user_id_header(request, &claims.sub)?;
        Ok(Self::from(claims))
    }
}

impl From<Claims> for Caller {
    fn from(claims: Claims) -> Self {
        Self {
            user_id: UserId::verified(claims.sub),
            email: claims.email,
            session_id: claims.sid,
            token_expires: claims.exp,
        }
    }
}

/// `X-User-Id` grants nothing; a request in which it contradicts the token is confused or forged.
fn require_own_user_id_header(request: &HttpRequest, sub: &str) -> Result<(), Problem> {
    let mut named = request.headers().get_all("x-user-id");
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

//! The session whose cookies a login replaces: it ends with the login, because nothing in the browser could end it later.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use auth_core::credentials::Credentials;

use super::session;
use crate::http::caller::is_storable;
use crate::http::cookies::Cookie;
use crate::http::origin;
use crate::keys::ActiveKeys;
use crate::state::State;

/// The session that the cookies of a request name, if their signature is good and our own or an allowed origin sent them.
pub(crate) struct ReplacedSession(pub(crate) Option<String>);

impl FromRequest for ReplacedSession {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let state = request.app_data::<Data<State>>();
        ready(Ok(Self(state.and_then(|state| find(request, state)))))
    }
}

/// The access cookie counts first; its token may have expired, as when it logs out.
fn find(request: &HttpRequest, state: &State) -> Option<String> {
    origin::require_trusted(request, state).ok()?;
    let keys = state.keys.in_force();
    by_access_cookie(request, state, &keys).or_else(|| by_refresh_cookie(request, state, &keys))
}

fn by_access_cookie(request: &HttpRequest, state: &State, keys: &ActiveKeys) -> Option<String> {
    let token = Credentials::new(request.headers()).cookie(state.cookies.access_name());
    let claims = keys.verifier.verify_for_logout(token.ok()?, state.now());
    let claims = claims.ok()?;
    is_storable(&claims.sub, &claims.sid).then_some(claims.sid)
}

fn by_refresh_cookie(request: &HttpRequest, state: &State, keys: &ActiveKeys) -> Option<String> {
    let Cookie::One(text) = state.cookies.refresh(request) else {
        return None;
    };
    let token = keys.refresh_tokens.decode(text).ok()?;
    Some(session::named_by(&token))
}

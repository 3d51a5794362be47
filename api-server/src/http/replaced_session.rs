//! The session whose cookies a login replaces: it ends with the login, because nothing in the browser could end it later.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use auth_core::credentials::Credentials;

use super::caller::is_storable;
use super::cookies::Cookie;
use super::origin;
use super::policy::HttpPolicy;
use crate::sessions::{Sessions, session};

/// The session that the cookies of a request name, if their signature is good and our own or an allowed origin sent them.
pub(crate) struct ReplacedSession(pub(crate) Option<String>);

impl FromRequest for ReplacedSession {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let sessions = request.app_data::<Data<Sessions>>();
        let policy = request.app_data::<Data<HttpPolicy>>();
        let found = sessions.zip(policy);
        ready(Ok(Self(found.and_then(|(sessions, policy)| {
            find(request, sessions, policy)
        }))))
    }
}

/// The access cookie counts first; its token may have expired, as when it logs out.
fn find(request: &HttpRequest, sessions: &Sessions, policy: &HttpPolicy) -> Option<String> {
    origin::require_trusted(request, policy).ok()?;
    by_access_cookie(request, sessions, policy)
        .or_else(|| by_refresh_cookie(request, sessions, policy))
}

fn by_access_cookie(
    request: &HttpRequest,
    sessions: &Sessions,
    policy: &HttpPolicy,
) -> Option<String> {
    let token = Credentials::new(request.headers()).cookie(policy.cookies.access_name());
    let keys = sessions.keys.current();
    let claims = keys.verifier.verify_for_logout(token.ok()?, sessions.now());
    let claims = claims.ok()?;
    is_storable(&claims.sub, &claims.sid).then_some(claims.sid)
}

fn by_refresh_cookie(
    request: &HttpRequest,
    sessions: &Sessions,
    policy: &HttpPolicy,
) -> Option<String> {
    let Cookie::One(text) = policy.cookies.refresh(request) else {
        return None;
    };
    let token = sessions.keys.current().refresh_tokens.decode(text).ok()?;
    Some(session::named_by(&token))
}

//! Finds the sessions whose cookies a login, a registration or a password reset replaces. These sessions end, because
//! the browser loses the cookies that could end the sessions later.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};

use super::policy::HttpPolicy;
use super::{cookie_sessions, origin};
use crate::sessions::Sessions;

/// The session ids in the access cookie and the refresh cookie, which may differ. Ids are read only from tokens with
/// valid signatures, and only if the request comes from a trusted origin.
pub(crate) struct ReplacedSessions(pub(crate) Vec<String>);

impl FromRequest for ReplacedSessions {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let sessions = request.app_data::<Data<Sessions>>();
        let http_policy = request.app_data::<Data<HttpPolicy>>();
        let policy = http_policy.filter(|policy| origin::require_trusted(request, policy).is_ok());
        let session_ids = sessions.zip(policy).map(|(sessions, policy)| {
            cookie_sessions::session_ids_of_unambiguous_cookies(request, sessions, policy)
        });
        ready(Ok(Self(session_ids.unwrap_or_default())))
    }
}

//! Finds the sessions whose cookies a login replaces. They are ended at the login: without its cookies, the browser
//! could not end them later.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};

use super::policy::HttpPolicy;
use super::{cookie_sessions, origin};
use crate::sessions::Sessions;

/// The ids of the sessions that the two cookies of a request name, if their signatures are valid and the request comes
/// from a trusted origin. The cookies may name different sessions.
pub(crate) struct ReplacedSessions(pub(crate) Vec<String>);

impl FromRequest for ReplacedSessions {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let sessions = request.app_data::<Data<Sessions>>();
        let policy = request.app_data::<Data<HttpPolicy>>();
        let policy = policy.filter(|policy| origin::require_trusted(request, policy).is_ok());
        let session_ids = sessions.zip(policy).map(|(sessions, policy)| {
            cookie_sessions::ids_of_unambiguous_cookies(request, sessions, policy)
        });
        ready(Ok(Self(session_ids.unwrap_or_default())))
    }
}

//! The sessions whose cookies a login replaces: they end with the login, because nothing in the browser could end them
//! later.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};

use super::policy::HttpPolicy;
use super::{cookie_sessions, origin};
use crate::sessions::Sessions;

/// The sessions that the cookies of a request name, if their signatures are good and our own or an allowed origin sent
/// them. The two cookies may name different ones.
pub(crate) struct ReplacedSessions(pub(crate) Vec<String>);

impl FromRequest for ReplacedSessions {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let sessions = request.app_data::<Data<Sessions>>();
        let policy = request.app_data::<Data<HttpPolicy>>();
        let trusted = policy.filter(|policy| origin::require_trusted(request, policy).is_ok());
        let found = sessions.zip(trusted);
        let named =
            found.map(|(sessions, policy)| cookie_sessions::unambiguous(request, sessions, policy));
        ready(Ok(Self(named.unwrap_or_default())))
    }
}

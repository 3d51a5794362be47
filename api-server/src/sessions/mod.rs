//! Logins: what the token says of one, how it goes on, how it ends.

pub(crate) mod current;
pub(crate) mod ended;
pub(crate) mod ending;
pub(crate) mod housekeeping;
pub(crate) mod list;
pub(crate) mod logout;
pub(crate) mod logout_credentials;
pub(crate) mod refresh;
pub(crate) mod replaced;
pub(crate) mod revocation;
mod rotation;
pub(crate) mod session;
pub(crate) mod store;
pub(crate) mod token;

use actix_web::http::Method;
use actix_web::web::ServiceConfig;

use crate::better_auth;
use crate::http::endpoint::Endpoint;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(Endpoint::at(["/api/auth/session"]).get(current::show))
        .service(Endpoint::at(["/api/auth/refresh"]).on(Method::POST, refresh::refresh))
        .service(Endpoint::at(["/api/auth/logout"]).on(Method::POST, logout::logout))
        .service(
            Endpoint::at(["/api/auth/token"])
                .get(better_auth::token::show)
                .on(Method::POST, token::exchange),
        )
        .service(Endpoint::at(["/api/auth/revocations"]).get(ended::list))
        .service(Endpoint::at(["/api/auth/sessions"]).get(list::list))
        .service(Endpoint::at(["/api/auth/sessions/{id}"]).on(Method::DELETE, list::end));
}

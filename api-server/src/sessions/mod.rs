//! Logins: what the token says of one, and its end.

pub(crate) mod current;
pub(crate) mod logout;
pub(crate) mod session;
pub(crate) mod store;

use actix_web::http::Method;
use actix_web::web::ServiceConfig;

use crate::http::endpoint::Endpoint;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(Endpoint::at(["/api/auth/session"]).get(current::show))
        .service(Endpoint::at(["/api/auth/logout"]).on(Method::POST, logout::logout));
}

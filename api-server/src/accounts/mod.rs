//! People: register, log in, look at and change one's account.

pub(crate) mod account;
pub(crate) mod addresses;
pub(crate) mod authenticate;
mod budget;
pub(crate) mod change_password;
pub(crate) mod delete;
pub(crate) mod email;
pub(crate) mod grant;
mod hash_queue;
pub(crate) mod hasher;
mod line;
pub(crate) mod login;
pub(crate) mod password_policy;
pub(crate) mod register;
pub(crate) mod store;
pub(crate) mod throttle;
pub(crate) mod user;

use actix_web::http::Method;
use actix_web::web::ServiceConfig;

use crate::http::endpoint::Endpoint;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(
            Endpoint::at(["/api/auth/register", "/api/auth/signup"])
                .on(Method::POST, register::register),
        )
        .service(Endpoint::at(["/api/auth/login"]).on(Method::POST, login::login))
        .service(
            Endpoint::at(["/api/auth/account"])
                .get(account::show)
                .on(Method::PATCH, account::change)
                .on(Method::DELETE, delete::delete),
        );
}

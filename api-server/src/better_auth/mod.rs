//! The wire of Better Auth, for its own unmodified client: translates to what `accounts` and `sessions` do.
//!
//! Its paths, bodies, codes, messages, cookies and Origin rules; our users, sessions and passwords. What differs on purpose
//! is in docs/from-better-auth.md. Its addresses are not in the `OpenAPI` document, which is about ours.

mod answer;
mod call;
mod callback;
pub(crate) mod change_password;
mod cookies;
mod delete_user;
mod fields;
mod get_session;
mod mail;
mod origin;
mod refusal;
mod sessions;
mod sign_in;
mod sign_out;
mod sign_up;
mod small;
pub(crate) mod token;
mod update_user;
pub(crate) mod visitor;
mod wire;

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpResponse, Resource, Responder};

use crate::http::endpoint::Endpoint;
pub(crate) use refusal::BetterAuthError;
use refusal::Refusal;

/// What begins like an address of its client and is none.
const UNKNOWN: &str = "/api/auth/{its:(sign-up|sign-in|sign-out|get-session|list-sessions|list-accounts|\
    revoke-session|revoke-sessions|revoke-other-sessions|update-user|update-session|verify-password|delete-user|\
    request-password-reset|reset-password|forget-password|send-verification-email|verify-email|change-email|\
    ok|error)(/.*)?}";

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(post("/sign-up/email", sign_up::sign_up))
        .service(post("/sign-in/email", sign_in::sign_in))
        .service(post("/sign-out", sign_out::sign_out))
        .service(
            at("/get-session")
                .route(web::get().to(get_session::show))
                .route(web::post().to(get_session::refuse_post)),
        )
        .service(get("/list-sessions", sessions::list))
        .service(post("/revoke-session", sessions::revoke))
        .service(post("/revoke-sessions", sessions::revoke_all))
        .service(post("/revoke-other-sessions", sessions::revoke_others))
        .service(post("/update-user", update_user::update_user))
        .service(post("/update-session", update_user::update_session))
        .service(post("/verify-password", change_password::verify))
        .service(post("/delete-user", delete_user::delete_user))
        .service(get("/delete-user/callback", delete_user::callback))
        .service(get("/list-accounts", small::list_accounts))
        .service(get("/ok", small::ok))
        .service(get("/error", small::error))
        .configure(mail_routes)
        .service(web::resource(UNKNOWN).default_service(web::to(nothing)))
        // Two APIs have this address; the body tells which is meant.
        .service(
            Endpoint::at(["/api/auth/change-password"]).on(Method::POST, change_password::either),
        );
}

/// As Better Auth answers them without a way to send mail.
fn mail_routes(config: &mut ServiceConfig) {
    config
        .service(post("/request-password-reset", mail::request_reset))
        .service(post("/reset-password", mail::reset))
        .service(get("/reset-password/{token}", mail::reset_link))
        .service(post("/send-verification-email", mail::send_verification))
        .service(get("/verify-email", mail::verification_link))
        .service(post("/change-email", mail::change_email));
}

/// Whatever method an address does not have, the address does not exist.
fn at(path: &str) -> Resource {
    web::resource(format!("/api/auth{path}")).default_service(web::to(nothing))
}

fn get<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    at(path).route(web::get().to(handler))
}

fn post<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    at(path).route(web::post().to(handler))
}

async fn nothing() -> Result<HttpResponse, Refusal> {
    Err(Refusal::nothing())
}

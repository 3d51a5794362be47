//! Lists every path and method of the API, with its handler. The paths of the pages are in `pages/mod.rs`, `/metrics`
//! is in `scrape/`, and the paths of Better Auth's API that get a 404 are in `better_auth/`.
//!
//! If several patterns match a path, the first pattern is used.

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};

use crate::auth::{
    account, change_password, email_change, email_verification, login, logout, password_reset,
    refresh, register, revocations, session, sessions, token,
};
use crate::better_auth::endpoint::{get, post, resource_at, unknown_path};
use crate::better_auth::{
    admin, change_email, delete_user, error, get_session, list_accounts, list_sessions, ok,
    request_password_reset, reset_password, revoke_other_sessions, revoke_session, revoke_sessions,
    send_verification_email, sign_in_email, sign_out, sign_up_email, update_session, update_user,
    verify_email, verify_password,
};
use crate::http::endpoint::Endpoint;
use crate::problem::Problem;
use crate::tasks::{complete, create, item, list};
use crate::well_known::{jwks, oauth_authorization_server};
use crate::{better_auth, health, openapi, pages};

pub(crate) fn routes(config: &mut ServiceConfig, has_pages: bool) {
    // A request is compared with one pattern after the other, so the patterns that are used most come first.
    config
        .configure(auth_routes)
        .configure(task_routes)
        .configure(own_mail_routes)
        .configure(key_routes)
        .configure(better_auth_routes)
        .configure(health_routes)
        .configure(openapi_routes);
    if has_pages {
        config.configure(page_routes);
    }
    config.default_service(web::to(not_found));
}

fn page_routes(config: &mut ServiceConfig) {
    config
        .service(Endpoint::at(pages::PATHS).get(pages::page))
        // The pattern is `/assets/HASH/{name}`. `build.rs` computes the hash from the files.
        .service(
            Endpoint::at([pages::asset_pattern().as_str()])
                .with_metric_name(pages::ASSET_ROUTE)
                .get(pages::asset),
        );
}

fn health_routes(config: &mut ServiceConfig) {
    config
        .service(Endpoint::at(["/healthz"]).get(health::show_health))
        .service(Endpoint::at(["/readyz"]).get(health::show_readiness));
}

/// Registers the paths of the public keys and of the metadata, for services that verify tokens without the secret.
/// `/api/auth/jwks` is the path of Better Auth's plugin `jwt`.
fn key_routes(config: &mut ServiceConfig) {
    config
        .service(Endpoint::at(["/.well-known/jwks.json", "/api/auth/jwks"]).get(jwks::show))
        .service(
            Endpoint::at(["/.well-known/oauth-authorization-server"])
                .get(oauth_authorization_server::show),
        );
}

fn auth_routes(config: &mut ServiceConfig) {
    config
        // Accepts an access token, or the session cookie of Better Auth's API.
        .service(Endpoint::at(["/api/auth/session"]).get(session::show))
        .service(Endpoint::at(["/api/auth/refresh"]).on(Method::POST, refresh::refresh))
        .service(
            Endpoint::at(["/api/auth/register", "/api/auth/signup"])
                .on(Method::POST, register::register),
        )
        .service(Endpoint::at(["/api/auth/login"]).on(Method::POST, login::login))
        .service(Endpoint::at(["/api/auth/logout"]).on(Method::POST, logout::logout))
        .service(Endpoint::at(["/api/auth/sessions"]).get(sessions::list))
        .service(Endpoint::at(["/api/auth/sessions/{id}"]).on(Method::DELETE, sessions::end))
        .service(
            Endpoint::at(["/api/auth/account"])
                .get(account::show)
                .on(Method::PATCH, account::change)
                .on(Method::DELETE, account::delete),
        )
        // This server's own API and Better Auth's API share this path. `dispatch` chooses the API.
        .service(
            Endpoint::at(["/api/auth/change-password"]).on(Method::POST, change_password::dispatch),
        )
        // `GET` belongs to Better Auth's API, `POST` to this server's own API.
        .service(
            Endpoint::at(["/api/auth/token"])
                .get(better_auth::token::show)
                .on(Method::POST, token::exchange),
        )
        .service(Endpoint::at(["/api/auth/revocations"]).get(revocations::list));
}

/// Registers the endpoints of this server's own API for resetting the password, and for verifying or changing the
/// address.
fn own_mail_routes(config: &mut ServiceConfig) {
    config
        .service(
            Endpoint::at(["/api/auth/password-reset"]).on(Method::POST, password_reset::request),
        )
        .service(
            Endpoint::at(["/api/auth/password-reset/confirm"])
                .on(Method::POST, password_reset::confirm),
        )
        .service(Endpoint::at(["/api/auth/email-change"]).on(Method::POST, email_change::request))
        .service(
            Endpoint::at(["/api/auth/email-change/confirm"])
                .on(Method::POST, email_change::confirm),
        )
        .service(Endpoint::at(["/api/auth/email-change/undo"]).on(Method::POST, email_change::undo))
        .service(
            Endpoint::at(["/api/auth/email-verification"])
                .on(Method::POST, email_verification::request),
        )
        .service(
            Endpoint::at(["/api/auth/email-verification/confirm"])
                .on(Method::POST, email_verification::confirm),
        );
}

/// Registers the paths that only Better Auth's API has. The paths are relative to `/api/auth`.
fn better_auth_routes(config: &mut ServiceConfig) {
    config
        .service(post("/sign-up/email", sign_up_email::sign_up))
        .service(post("/sign-in/email", sign_in_email::sign_in))
        .service(post("/sign-out", sign_out::sign_out))
        .service(
            resource_at("/get-session")
                .route(web::get().to(get_session::show))
                .route(web::post().to(get_session::reject_post)),
        )
        .service(get("/list-sessions", list_sessions::list_sessions))
        .service(post("/revoke-session", revoke_session::revoke_session))
        .service(post("/revoke-sessions", revoke_sessions::revoke_sessions))
        .service(post(
            "/revoke-other-sessions",
            revoke_other_sessions::revoke_other_sessions,
        ))
        .service(post("/update-user", update_user::update_user))
        .service(post("/update-session", update_session::update_session))
        .service(post("/verify-password", verify_password::verify_password))
        .service(post("/delete-user", delete_user::delete_user))
        .service(get("/delete-user/callback", delete_user::callback))
        .service(get("/list-accounts", list_accounts::list_accounts))
        .service(get("/ok", ok::ok))
        .service(get("/error", error::error))
        .configure(better_auth_mail_routes)
        .service(admin::resource())
        .service(unknown_path());
}

/// Registers the endpoints of Better Auth's API for resetting the password, and for verifying or changing the address.
fn better_auth_mail_routes(config: &mut ServiceConfig) {
    config
        .service(post(
            "/request-password-reset",
            request_password_reset::request_password_reset,
        ))
        .service(post("/reset-password", reset_password::reset_password))
        .service(get("/reset-password/{token}", reset_password::follow_link))
        .service(post(
            "/send-verification-email",
            send_verification_email::send_verification_email,
        ))
        .service(get("/verify-email", verify_email::verify_email))
        .service(post("/change-email", change_email::change_email));
}

fn openapi_routes(config: &mut ServiceConfig) {
    config
        .service(Endpoint::at(["/api/openapi.json"]).get(openapi::show))
        .service(Endpoint::at(["/docs"]).get(openapi::page::redirect))
        .service(
            Endpoint::at(["/docs/{file:.*}"])
                .with_metric_name("/docs/{file}")
                .get(openapi::page::show),
        );
}

/// Registers the endpoints of tasks. Each path with `/api/v1/` must come before the path with `/api/{user_id}/`, which
/// would match `v1` as a user id.
fn task_routes(config: &mut ServiceConfig) {
    config
        .service(
            Endpoint::at(["/api/tasks", "/api/v1/tasks", "/api/{user_id}/tasks"])
                .get(list::list)
                .on(Method::POST, create::create),
        )
        .service(
            Endpoint::at([
                "/api/tasks/{task_id}",
                "/api/v1/tasks/{task_id}",
                "/api/{user_id}/tasks/{task_id}",
            ])
            .get(item::show)
            .on(Method::PUT, item::replace)
            .on(Method::PATCH, item::change)
            .on(Method::DELETE, item::delete),
        )
        .service(
            Endpoint::at([
                "/api/tasks/{task_id}/complete",
                "/api/v1/tasks/{task_id}/complete",
                "/api/{user_id}/tasks/{task_id}/complete",
            ])
            .on(Method::PATCH, complete::toggle),
        )
        .service(
            Endpoint::at([
                "/api/tasks/{task_id}/toggle",
                "/api/v1/tasks/{task_id}/toggle",
                "/api/{user_id}/tasks/{task_id}/toggle",
            ])
            .on(Method::POST, complete::toggle),
        );
}

async fn not_found() -> Result<&'static str, Problem> {
    Err(Problem::unknown_path())
}

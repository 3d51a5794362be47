//! Creates the routes of Better Auth's API. A method that a path does not support gets an empty 404, as in Better Auth.

use actix_web::web;
use actix_web::{FromRequest, Handler, HttpResponse, Resource, Responder};

use super::api_error::ApiError;

/// Matches `/api/auth/` with each of these names, which only Better Auth's API uses, and all paths below.
const API_PATHS: &str = "/api/auth/{path:(sign-up|sign-in|sign-out|get-session|list-sessions|list-accounts|\
    revoke-session|revoke-sessions|revoke-other-sessions|update-user|update-session|verify-password|delete-user|\
    request-password-reset|reset-password|forget-password|send-verification-email|verify-email|change-email|\
    ok|error)(/.*)?}";

/// Responds to every path in [`API_PATHS`] with a 404. Must be registered after the known paths.
pub(crate) fn unknown_path() -> Resource {
    web::resource(API_PATHS).default_service(web::to(not_found))
}

/// Creates a resource at a path of Better Auth's API, relative to `/api/auth`. A method without a route gets a 404.
pub(crate) fn resource_at(path: &str) -> Resource {
    let pattern = format!("/api/auth{path}");
    // In the metrics, the pattern is the name of the route.
    let resource = web::resource(pattern.as_str()).name(&pattern);
    resource.default_service(web::to(not_found))
}

pub(crate) fn get<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    resource_at(path).route(web::get().to(handler))
}

pub(crate) fn post<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    resource_at(path).route(web::post().to(handler))
}

async fn not_found() -> Result<HttpResponse, ApiError> {
    Err(ApiError::not_found())
}

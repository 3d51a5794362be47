//! Addresses of Better Auth's API, with its responses to unknown methods and addresses.

use actix_web::web;
use actix_web::{FromRequest, Handler, HttpResponse, Resource, Responder};

use super::api_error::ApiError;

/// Unknown addresses below those of Better Auth's API.
const UNKNOWN: &str = "/api/auth/{its:(sign-up|sign-in|sign-out|get-session|list-sessions|list-accounts|\
    revoke-session|revoke-sessions|revoke-other-sessions|update-user|update-session|verify-password|delete-user|\
    request-password-reset|reset-password|forget-password|send-verification-email|verify-email|change-email|\
    ok|error)(/.*)?}";

pub(crate) fn unknown() -> Resource {
    web::resource(UNKNOWN).default_service(web::to(not_found))
}

/// An address of the API; any other method is 404.
pub(crate) fn at(path: &str) -> Resource {
    web::resource(format!("/api/auth{path}")).default_service(web::to(not_found))
}

pub(crate) fn get<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    at(path).route(web::get().to(handler))
}

pub(crate) fn post<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    at(path).route(web::post().to(handler))
}

async fn not_found() -> Result<HttpResponse, ApiError> {
    Err(ApiError::not_found())
}

//! Responds to the paths of Better Auth's admin plugin. The server has no such API: operators administer users with
//! commands.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, Resource, web};

use super::api_error::ApiError;

const PATHS: &str = "/api/auth/admin/{path:.*}";
const CODE: &str = "ADMIN_API_NOT_SUPPORTED";
const MESSAGE: &str = "This server has no admin API. Its operator changes roles and claims with the commands \
    `api-server users roles` and `api-server users claims`.";

/// Creates a resource at the paths of the admin plugin. Every method gets the same 404, for every caller.
pub(crate) fn resource() -> Resource {
    web::resource(PATHS).default_service(web::to(refuse))
}

async fn refuse() -> Result<HttpResponse, ApiError> {
    Err(ApiError::new(StatusCode::NOT_FOUND, CODE, MESSAGE))
}

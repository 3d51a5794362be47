//! `POST /api/auth/logout`

use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub(crate) struct LoggedOut {
    success: bool,
    /// How many sessions were ended.
    revoked: u32,
}

/// Log out. With or without a token it succeeds; for now it ends nothing but the client's own copy.
#[utoipa::path(
    post, path = "/api/auth/logout", tag = "session", operation_id = "logout",
    responses((status = 200, description = "Logged out", body = LoggedOut)),
)]
pub(crate) async fn logout() -> web::Json<LoggedOut> {
    web::Json(LoggedOut {
        success: true,
        revoked: 0,
    })
}

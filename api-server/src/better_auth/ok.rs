//! `GET /api/auth/ok`: responds as long as the server runs.

use actix_web::HttpResponse;
use serde_json::json;

pub(crate) async fn ok() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "ok": true }))
}

//! Handles `GET /api/auth/ok`, which succeeds as long as the server runs.

use actix_web::HttpResponse;
use serde_json::json;

pub(crate) async fn ok() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "ok": true }))
}

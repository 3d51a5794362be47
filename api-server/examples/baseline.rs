//! A minimal actix server with the default timeouts of api-server. It returns a constant response that is almost as
//! large as the response of `GET /api/auth/session`. `benches/load` divides the rate of api-server by the rate of this
//! server.

use std::io;
use std::time::Duration;

use actix_web::http::header::ContentType;
use actix_web::{App, HttpResponse, HttpServer, web};
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const BODY: &str = r#"{"user":{"id":"01926f3e-7c1a-7d2e-9a51-2f6b8c4d0e13","email":"reader@load.example"},"session":{"id":"01926f3e-7c1a-7d2e-9a51-2f6b8c4d0e14","expiresAt":"2026-11-20T12:57:51.000Z"}}"#;

async fn respond() -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::json())
        .body(BODY)
}

#[actix_web::main]
async fn main() -> io::Result<()> {
    let argument = std::env::args().nth(1);
    let bind_address = argument.as_deref().unwrap_or("127.0.0.1:8080");
    HttpServer::new(|| App::new().route("/", web::get().to(respond)))
        // The defaults of IDLE_TIMEOUT and HEADER_TIMEOUT.
        .keep_alive(Duration::from_secs(75))
        .client_request_timeout(Duration::from_secs(10))
        .bind(bind_address)?
        .run()
        .await
}

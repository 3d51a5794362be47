//! Tests the response after a panic of a handler, which no request from outside can cause.

use std::time::Duration;

use actix_web::http::header::HeaderMap;
use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, init_service, try_call_service};
use actix_web::web::{self, Data};
use actix_web::{App, HttpResponse};

use super::finish_responses;
use crate::clock::Clock;
use crate::http::cookies::CookieFormat;
use crate::http::cors::cors;
use crate::http::forwarded::ProxyWarning;
use crate::http::policy::HttpPolicy;
use crate::origin::Origin;

const ORIGIN: &str = "https://app.example.com";

/// Requests a handler that panics. Returns the headers of the response.
async fn headers_after_panic(origin: &str) -> HeaderMap {
    let allowed_origins = vec![Origin::parse(ORIGIN).unwrap()];
    let app = App::new()
        .wrap(cors(&allowed_origins))
        .app_data(Data::new(HttpPolicy {
            cookie_format: CookieFormat::new(false),
            trusted_origins: allowed_origins,
            trusted_proxies: Vec::new(),
            proxy_warning: ProxyWarning::default(),
            body_timeout: Duration::from_secs(1),
            clock: Clock::system(),
        }))
        .wrap(from_fn(finish_responses))
        .default_service(web::to(async || -> HttpResponse {
            panic!("this panic is part of a test")
        }));
    let app = init_service(app).await;
    let request = TestRequest::get()
        .insert_header(("origin", origin))
        .insert_header(("x-request-id", "of-the-caller"));
    let error = try_call_service(&app, request.to_request())
        .await
        .unwrap_err();
    let response = error.error_response();
    assert_eq!(response.status(), 500);
    response.headers().clone()
}

#[actix_web::test]
async fn a_panic_is_an_internal_error_with_the_request_id() {
    let headers = headers_after_panic("https://other.example.com").await;
    assert_eq!(
        headers.get("content-type").unwrap(),
        "application/problem+json"
    );
    assert_eq!(headers.get("x-request-id").unwrap(), "of-the-caller");
    assert_eq!(headers.get("cache-control").unwrap(), "no-store");
}

#[actix_web::test]
async fn after_a_panic_only_pages_of_allowed_origins_may_read_the_response() {
    let headers = headers_after_panic(ORIGIN).await;
    assert_eq!(headers.get("access-control-allow-origin").unwrap(), ORIGIN);
    assert_eq!(
        headers.get("access-control-allow-credentials").unwrap(),
        "true"
    );
    assert_eq!(
        headers.get("access-control-expose-headers").unwrap(),
        "x-request-id"
    );
    assert_eq!(headers.get("vary").unwrap(), "Origin");
    for other_origin in [
        "https://other.example.com",
        "https://app.example.com.evil",
        "null",
    ] {
        let headers = headers_after_panic(other_origin).await;
        assert!(
            !headers.contains_key("access-control-allow-origin"),
            "{other_origin}"
        );
    }
}

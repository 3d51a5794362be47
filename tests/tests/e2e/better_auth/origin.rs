//! Tests the headers `Origin`, `Referer` and `Sec-Fetch-*`, which show from which site a browser sends a request.

use e2e::{App, Engine, Request, on_both_engines};
use serde_json::json;

use super::fixtures::*;

on_both_engines! {
    a_post_with_any_cookie_needs_a_trusted_origin,
    a_post_with_a_token_in_the_header_and_no_cookie_may_come_from_any_origin,
    a_login_without_cookies_from_a_browser_needs_a_trusted_origin,
    an_allowed_origin_may_read_the_token_in_the_header,
}

const ALLOWED_ORIGIN: &str = "https://app.example.com";
const INVALID_ORIGIN: (u16, &str, &str) = (403, "INVALID_ORIGIN", "Invalid origin");
const MISSING_ORIGIN: (u16, &str, &str) = (403, "MISSING_OR_NULL_ORIGIN", "Missing or null Origin");
const CROSS_SITE_LOGIN: (u16, &str, &str) = (
    403,
    "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED",
    "Cross-site navigation login blocked. This request appears to be a CSRF attack.",
);

/// Starts a server that trusts [`ALLOWED_ORIGIN`] in addition to its own origin.
pub(super) fn start_app(engine: Engine) -> App {
    App::on(engine)
        .set("allowed-origins", ALLOWED_ORIGIN)
        .start()
}

fn with_headers(request: Request, headers: &[(&str, &str)]) -> Request {
    let mut request = request;
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request
}

/// The names and values of request headers.
type Headers = &'static [(&'static str, &'static str)];
/// The status, the code and the message of an error response.
type ExpectedError = (u16, &'static str, &'static str);

/// Each entry has headers with which a `POST` with cookies is rejected, and the expected error.
const REJECTED_HEADERS: [(Headers, ExpectedError); 14] = [
    (&[], MISSING_ORIGIN),
    (&[("origin", "null")], MISSING_ORIGIN),
    (
        &[("origin", "null"), ("sec-fetch-site", "cross-site")],
        MISSING_ORIGIN,
    ),
    (&[("sec-fetch-site", "same-origin")], MISSING_ORIGIN),
    (&[("origin", "https://evil.example")], INVALID_ORIGIN),
    (
        &[
            ("origin", "https://evil.example"),
            ("referer", SERVER_ORIGIN),
        ],
        INVALID_ORIGIN,
    ),
    (&[("origin", "http://app.example.com")], INVALID_ORIGIN),
    (
        &[("origin", "https://app.example.com:8443")],
        INVALID_ORIGIN,
    ),
    (
        &[("origin", "https://app.example.com.evil.example")],
        INVALID_ORIGIN,
    ),
    (
        &[("origin", "https://evil.example/?https://app.example.com")],
        INVALID_ORIGIN,
    ),
    (
        &[("origin", "https://app.example.com@evil.example")],
        INVALID_ORIGIN,
    ),
    (&[("origin", "junk")], INVALID_ORIGIN),
    (
        &[("origin", SERVER_ORIGIN), ("origin", SERVER_ORIGIN)],
        INVALID_ORIGIN,
    ),
    (&[("referer", "https://evil.example/")], INVALID_ORIGIN),
];

async fn a_post_with_any_cookie_needs_a_trusted_origin(engine: Engine) {
    let app = start_app(engine);
    let ada = sign_up(&app, "ada").await;
    let build_update_request = |cookies: &str| {
        let body = json!({ "name": "Ada" });
        let request = app.anonymous().post("/api/auth/update-user", body);
        request.header("cookie", cookies)
    };
    for headers in [
        &[("origin", SERVER_ORIGIN)][..],
        &[("origin", ALLOWED_ORIGIN)],
        &[("referer", "https://app.example.com/a/b?c=d")],
        &[("origin", "null"), ("sec-fetch-site", "same-origin")],
        &[
            ("origin", SERVER_ORIGIN),
            ("referer", "https://evil.example/"),
        ],
    ] {
        with_headers(build_update_request(&ada.cookies), headers)
            .await
            .ok();
    }
    for (headers, expected) in REJECTED_HEADERS {
        for cookies in [&*ada.cookies, "theme=dark"] {
            assert_error(
                &with_headers(build_update_request(cookies), headers).await,
                expected,
            );
        }
    }
    let read_request = with_headers(
        ada.get(&app, GET_SESSION),
        &[("origin", "https://evil.example")],
    );
    assert_eq!(read_request.await.ok()["user"]["name"], "Ada");
}

async fn a_post_with_a_token_in_the_header_and_no_cookie_may_come_from_any_origin(engine: Engine) {
    let app = start_app(engine);
    let ada = sign_up(&app, "ada").await;
    for headers in [
        &[][..],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
    ] {
        let body = json!({ "name": "Ada" });
        let request = app.bearer(&ada.token).post("/api/auth/update-user", body);
        with_headers(request, headers).await.ok();
    }
    let body = json!({ "name": "Ada" });
    let request = app.bearer(&ada.token).post("/api/auth/update-user", body);
    assert_error(
        &request.header("cookie", "theme=dark").await,
        MISSING_ORIGIN,
    );
}

async fn a_login_without_cookies_from_a_browser_needs_a_trusted_origin(engine: Engine) {
    let app = start_app(engine);
    sign_up(&app, "ada").await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let build_sign_in_request = || app.anonymous().post(SIGN_IN, body.clone());
    let build_sign_up_request = || app.anonymous().post(SIGN_UP, body.clone());
    for headers in [
        &[][..],
        &[("origin", ALLOWED_ORIGIN)],
        &[("referer", "http://127.0.0.1:8080/login")],
        &[
            ("origin", ALLOWED_ORIGIN),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "cors"),
        ],
    ] {
        with_headers(build_sign_in_request(), headers).await.ok();
    }
    for (headers, expected) in [
        (&[("origin", "https://evil.example")][..], INVALID_ORIGIN),
        (&[("origin", "null")], MISSING_ORIGIN),
        (&[("sec-fetch-mode", "cors")], MISSING_ORIGIN),
        (
            &[
                ("sec-fetch-dest", "empty"),
                ("referer", "https://evil.example/x"),
            ],
            INVALID_ORIGIN,
        ),
        (
            &[
                ("origin", ALLOWED_ORIGIN),
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "navigate"),
            ],
            CROSS_SITE_LOGIN,
        ),
    ] {
        assert_error(
            &with_headers(build_sign_in_request(), headers).await,
            expected,
        );
        let mut body_with_name = body.clone();
        body_with_name["name"] = "Ada".into();
        assert_error(
            &with_headers(build_sign_up_request().body(body_with_name), headers).await,
            expected,
        );
    }
}

async fn an_allowed_origin_may_read_the_token_in_the_header(engine: Engine) {
    let app = start_app(engine);
    let request = app.anonymous().post(SIGN_UP, sign_up_body("ada"));
    let response = request
        .header("origin", ALLOWED_ORIGIN)
        .await
        .assert_status(200);
    assert_eq!(
        response.header("access-control-allow-origin"),
        Some(ALLOWED_ORIGIN)
    );
    let exposed_headers = response.header("access-control-expose-headers").unwrap();
    for name in ["set-auth-token", "x-retry-after"] {
        assert!(
            exposed_headers
                .split(',')
                .any(|header| header.trim().eq_ignore_ascii_case(name)),
            "{exposed_headers}"
        );
    }
    let request = app.anonymous().post(SIGN_IN, json!({}));
    let response = request
        .header("origin", ALLOWED_ORIGIN)
        .await
        .assert_status(400);
    assert_eq!(
        response.header("access-control-allow-origin"),
        Some(ALLOWED_ORIGIN)
    );
}

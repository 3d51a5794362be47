//! The `Origin` and `Referer` headers: the sites whose pages may send a request.

use e2e::{App, Engine, Request, on_both_engines};
use serde_json::json;

use super::fixtures::*;

on_both_engines! {
    a_post_with_any_cookie_needs_a_trusted_origin,
    a_post_with_a_token_in_the_header_alone_may_come_from_anywhere,
    a_login_without_cookies_from_a_browser_needs_a_known_origin,
    an_allowed_origin_may_read_the_token_in_the_header,
}

const ALLOWED: &str = "https://app.example.com";
const INVALID: (u16, &str, &str) = (403, "INVALID_ORIGIN", "Invalid origin");
const MISSING: (u16, &str, &str) = (403, "MISSING_OR_NULL_ORIGIN", "Missing or null Origin");
const CROSS_SITE: (u16, &str, &str) = (
    403,
    "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED",
    "Cross-site navigation login blocked. This request appears to be a CSRF attack.",
);

/// Starts a server that trusts [`ALLOWED`] besides its own origin.
pub(super) fn start(engine: Engine) -> App {
    App::on(engine).set("allowed-origins", ALLOWED).start()
}

fn with_headers(request: Request, headers: &[(&str, &str)]) -> Request {
    let mut request = request;
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request
}

async fn a_post_with_any_cookie_needs_a_trusted_origin(engine: Engine) {
    let app = start(engine);
    let ada = sign_up(&app, "ada").await;
    let update = |cookies: &str| {
        let body = json!({ "name": "Ada" });
        let request = app.anonymous().post("/api/auth/update-user", body);
        request.header("cookie", cookies)
    };
    for headers in [
        &[("origin", OWN_ORIGIN)][..],
        &[("origin", ALLOWED)],
        &[("referer", "https://app.example.com/a/b?c=d")],
        &[("origin", "null"), ("sec-fetch-site", "same-origin")],
        &[("origin", OWN_ORIGIN), ("referer", "https://evil.example/")],
    ] {
        with_headers(update(&ada.cookies), headers).await.ok();
    }
    for (headers, expected) in [
        (&[][..], MISSING),
        (&[("origin", "null")], MISSING),
        (
            &[("origin", "null"), ("sec-fetch-site", "cross-site")],
            MISSING,
        ),
        (&[("sec-fetch-site", "same-origin")], MISSING),
        (&[("origin", "https://evil.example")], INVALID),
        (
            &[("origin", "https://evil.example"), ("referer", OWN_ORIGIN)],
            INVALID,
        ),
        (&[("origin", "http://app.example.com")], INVALID),
        (&[("origin", "https://app.example.com:8443")], INVALID),
        (
            &[("origin", "https://app.example.com.evil.example")],
            INVALID,
        ),
        (
            &[("origin", "https://evil.example/?https://app.example.com")],
            INVALID,
        ),
        (
            &[("origin", "https://app.example.com@evil.example")],
            INVALID,
        ),
        (&[("origin", "junk")], INVALID),
        (&[("origin", OWN_ORIGIN), ("origin", OWN_ORIGIN)], INVALID),
        (&[("referer", "https://evil.example/")], INVALID),
    ] {
        for cookies in [&*ada.cookies, "theme=dark"] {
            assert_error(&with_headers(update(cookies), headers).await, expected);
        }
    }
    let read = with_headers(
        ada.get(&app, GET_SESSION),
        &[("origin", "https://evil.example")],
    );
    assert_eq!(read.await.ok()["user"]["name"], "Ada");
}

async fn a_post_with_a_token_in_the_header_alone_may_come_from_anywhere(engine: Engine) {
    let app = start(engine);
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
    assert_error(&request.header("cookie", "theme=dark").await, MISSING);
}

async fn a_login_without_cookies_from_a_browser_needs_a_known_origin(engine: Engine) {
    let app = start(engine);
    sign_up(&app, "ada").await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let sign_in = || app.anonymous().post(SIGN_IN, body.clone());
    let sign_up = || app.anonymous().post(SIGN_UP, body.clone());
    for headers in [
        &[][..],
        &[("origin", ALLOWED)],
        &[("referer", "http://127.0.0.1:8080/login")],
        &[
            ("origin", ALLOWED),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "cors"),
        ],
    ] {
        with_headers(sign_in(), headers).await.ok();
    }
    for (headers, expected) in [
        (&[("origin", "https://evil.example")][..], INVALID),
        (&[("origin", "null")], MISSING),
        (&[("sec-fetch-mode", "cors")], MISSING),
        (
            &[
                ("sec-fetch-dest", "empty"),
                ("referer", "https://evil.example/x"),
            ],
            INVALID,
        ),
        (
            &[
                ("origin", ALLOWED),
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "navigate"),
            ],
            CROSS_SITE,
        ),
    ] {
        assert_error(&with_headers(sign_in(), headers).await, expected);
        let mut body_with_name = body.clone();
        body_with_name["name"] = "Ada".into();
        assert_error(
            &with_headers(sign_up().body(body_with_name), headers).await,
            expected,
        );
    }
}

async fn an_allowed_origin_may_read_the_token_in_the_header(engine: Engine) {
    let app = start(engine);
    let request = app.anonymous().post(SIGN_UP, sign_up_body("ada"));
    let response = request.header("origin", ALLOWED).await.is(200);
    assert_eq!(
        response.header("access-control-allow-origin"),
        Some(ALLOWED)
    );
    let exposed = response.header("access-control-expose-headers").unwrap();
    for name in ["set-auth-token", "x-retry-after"] {
        assert!(
            exposed
                .split(',')
                .any(|exposed| exposed.trim().eq_ignore_ascii_case(name)),
            "{exposed}"
        );
    }
    let request = app.anonymous().post(SIGN_IN, json!({}));
    let response = request.header("origin", ALLOWED).await.is(400);
    assert_eq!(
        response.header("access-control-allow-origin"),
        Some(ALLOWED)
    );
}

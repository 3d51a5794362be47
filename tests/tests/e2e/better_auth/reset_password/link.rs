//! Tests `GET /api/auth/reset-password/{token}`, which does not use up the token.

use e2e::{App, Engine, on_both_engines};

use super::super::fixtures::*;
use super::super::origin::start_app;
use super::super::request_password_reset::requested_mail;
use super::reset;

on_both_engines! {
    a_link_with_a_token_leads_to_the_page_and_uses_up_nothing,
    a_link_with_an_invalid_token_redirects_with_an_error,
    a_link_without_a_callback_url_is_rejected,
}

async fn a_link_with_a_token_leads_to_the_page_and_uses_up_nothing(engine: Engine) {
    let app = start_app(engine);
    let ada = sign_up(&app, "ada").await;
    let mail = requested_mail(&app, "ada@example.com", 0).await;
    let token = mail.token();
    for (callback_url, query) in [
        ("", ""),
        ("%2Fset%3Fa%3Db", "?callbackURL=%2Fset%3Fa%3Db"),
        (
            "https%3A%2F%2Fapp.example.com",
            "?callbackURL=https%3A%2F%2Fapp%2Eexample%2Ecom%2F",
        ),
    ] {
        let path = format!("/api/auth/reset-password/{token}?callbackURL={callback_url}");
        let response = app.anonymous().get(&path).await;
        let expected = format!("{SERVER_ORIGIN}/reset{query}#{token}");
        assert_eq!(response.header("location"), Some(expected.as_str()));
        assert_eq!(response.header("cache-control"), Some("no-store"));
        assert_eq!(response.header("referrer-policy"), Some("no-referrer"));
        assert!(response.header_values("set-cookie").is_empty());
        assert!(response.assert_status(302).text().is_empty());
    }
    assert!(ada.is_signed_in(&app).await);
    reset(&app, token).await.ok();
}

async fn a_link_with_an_invalid_token_redirects_with_an_error(app: App) {
    for (callback_url, location) in [
        (
            "%2Freset%3Fa%3Db",
            "http://127.0.0.1:8080/reset?a=b&error=INVALID_TOKEN",
        ),
        (
            "",
            "http://127.0.0.1:8080/api/auth/error?error=INVALID_TOKEN",
        ),
    ] {
        for token in ["x", "AAAA.AAAA", "%0d%0aset-cookie:a=b", "%00"] {
            let path = format!("/api/auth/reset-password/{token}?callbackURL={callback_url}");
            let response = app.anonymous().get(&path).await;
            assert_eq!(response.header("location"), Some(location), "{token}");
            assert_eq!(response.header("content-type"), Some("application/json"));
            assert!(response.assert_status(302).text().is_empty());
        }
    }
}

async fn a_link_without_a_callback_url_is_rejected(app: App) {
    let response = app.anonymous().get("/api/auth/reset-password/x").await;
    let message = "[query.callbackURL] Invalid input: expected string, received undefined";
    assert_error(&response, (400, "VALIDATION_ERROR", message));
    let path = "/api/auth/reset-password/x?callbackURL=%2F";
    let response = app.anonymous().request("HEAD", path).await;
    assert_404_without_body(&response);
}

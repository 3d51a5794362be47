//! Tests `POST /api/auth/reset-password` and `GET /api/auth/reset-password/{token}`, where no token is valid.

use e2e::{App, on_both_engines};
use serde_json::json;

use super::fixtures::*;

on_both_engines! {
    no_reset_token_is_accepted,
    a_reset_link_redirects_with_an_error,
}

async fn no_reset_token_is_accepted(app: App) {
    let build_request = |query: &str, body| {
        let path = format!("/api/auth/reset-password{query}");
        app.anonymous().post(&path, body)
    };
    let invalid_token_error = (400, "INVALID_TOKEN", "Invalid token");
    let new_password = "long enough";
    assert_error(
        &build_request("", json!({ "newPassword": new_password })).await,
        invalid_token_error,
    );
    assert_error(
        &build_request("", json!({ "newPassword": new_password, "token": "x" })).await,
        invalid_token_error,
    );
    assert_error(
        &build_request("?token=x", json!({ "newPassword": new_password })).await,
        invalid_token_error,
    );
    assert_error(
        &build_request("", json!({ "newPassword": "short" })).await,
        invalid_token_error,
    );
    let too_short_error = (400, "PASSWORD_TOO_SHORT", "Password too short");
    assert_error(
        &build_request("?token=x", json!({ "newPassword": "short" })).await,
        too_short_error,
    );
    let too_long_body = json!({ "newPassword": "x".repeat(129), "token": "x" });
    assert_error(
        &build_request("", too_long_body).await,
        (400, "PASSWORD_TOO_LONG", "Password too long"),
    );
}

async fn a_reset_link_redirects_with_an_error(app: App) {
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
        let path = format!("/api/auth/reset-password/x?callbackURL={callback_url}");
        let response = app.anonymous().get(&path).await;
        assert_eq!(response.header("location"), Some(location));
        assert_eq!(response.header("content-type"), Some("application/json"));
        assert!(response.assert_status(302).text().is_empty());
    }
    let response = app.anonymous().get("/api/auth/reset-password/x").await;
    let message = "[query.callbackURL] Invalid input: expected string, received undefined";
    assert_error(&response, (400, "VALIDATION_ERROR", message));
}

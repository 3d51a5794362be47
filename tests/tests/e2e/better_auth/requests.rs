//! Tests which methods and bodies the endpoints accept, and in which order they check a request.

use e2e::{App, on_both_engines};
use serde_json::{Value, json};

use super::fixtures::*;

on_both_engines! {
    unknown_methods_and_paths_are_404_without_a_body,
    a_body_of_another_media_type_is_415,
    a_body_with_invalid_json_is_400,
    an_invalid_body_is_400_even_without_a_session,
    a_body_that_is_too_large_is_413,
    an_internal_error_is_500_and_signs_no_user_out,
}

async fn unknown_methods_and_paths_are_404_without_a_body(app: App) {
    let ada = sign_up(&app, "ada").await;
    for (method, path) in [
        ("GET", "/sign-up/email"),
        ("GET", "/sign-in/email"),
        ("GET", "/sign-out"),
        ("HEAD", "/get-session"),
        ("DELETE", "/get-session"),
        ("OPTIONS", "/get-session"),
        ("POST", "/list-sessions"),
        ("GET", "/revoke-session"),
        ("GET", "/update-user"),
        ("POST", "/ok"),
        ("GET", "/get-session/"),
        ("GET", "/ok/"),
        ("POST", "/sign-up"),
        ("POST", "/sign-up/email/"),
        ("POST", "/sign-in/social"),
        ("POST", "/sign-in/email/x"),
        ("POST", "/forget-password"),
        ("GET", "/delete-user/callback/x"),
        ("GET", "/reset-password"),
    ] {
        for cookies in ["", &ada.cookies] {
            let request = app.anonymous().request(method, &format!("/api/auth{path}"));
            let request = request.header("cookie", cookies);
            let response = request.header("origin", SERVER_ORIGIN).await;
            assert_404_without_body(&response);
        }
    }
}

async fn a_body_of_another_media_type_is_415(app: App) {
    let body = sign_up_body("ada").to_string();
    let form_or_json = "application/x-www-form-urlencoded, application/json";
    for (path, media_type, allowed_types) in [
        (SIGN_UP, "text/plain", form_or_json),
        (SIGN_IN, "application/x+json", form_or_json),
        (CHANGE_PASSWORD, "text/plain", "application/json"),
        (
            "/api/auth/update-user",
            "application/x-www-form-urlencoded",
            "application/json",
        ),
        (
            "/api/auth/sign-out",
            "text/plain;charset=UTF-8",
            "application/json",
        ),
    ] {
        let body_for_path = body.replace("password", "newPassword");
        let request = app.anonymous().post(path, body_for_path.as_bytes());
        let response = request.header("content-type", media_type).await;
        let message =
            format!("Content-Type \"{media_type}\" is not allowed. Allowed types: {allowed_types}");
        assert_error(&response, (415, "UNSUPPORTED_MEDIA_TYPE", &message));
    }
    let response = app.anonymous().post(SIGN_UP, body.as_bytes()).await;
    let message = format!("Content-Type is required. Allowed types: {form_or_json}");
    assert_error(&response, (415, "UNSUPPORTED_MEDIA_TYPE", &message));
    let request = app.anonymous().post(SIGN_UP, body.as_bytes());
    let media_type = "application/JSON; charset=utf-8";
    request.header("content-type", media_type).await.ok();
}

async fn a_body_with_invalid_json_is_400(app: App) {
    let (nested_arrays, zero_padded_number) =
        ("[".repeat(10_000), format!("{}1", "0".repeat(1000)));
    for body in [
        "{",
        "nul",
        "{\"a\":1}x",
        &nested_arrays,
        &zero_padded_number,
        "\u{feff}{}",
    ] {
        for path in [SIGN_IN, "/api/auth/sign-out", "/api/auth/update-user"] {
            let response = app.anonymous().post(path, body).await;
            assert_error(
                &response,
                (400, "BAD_REQUEST", "Invalid JSON in request body"),
            );
        }
    }
}

async fn an_invalid_body_is_400_even_without_a_session(app: App) {
    const MISSING_MESSAGE: &str = "Invalid input: expected string, received undefined";
    for (path, message) in [
        ("revoke-session", format!("[body.token] {MISSING_MESSAGE}")),
        (
            "verify-password",
            format!("[body.password] {MISSING_MESSAGE}"),
        ),
        ("change-email", format!("[body.newEmail] {MISSING_MESSAGE}")),
        (
            "request-password-reset",
            format!("[body.email] {MISSING_MESSAGE}"),
        ),
        (
            "reset-password",
            format!("[body.newPassword] {MISSING_MESSAGE}"),
        ),
        (
            "send-verification-email",
            format!("[body.email] {MISSING_MESSAGE}"),
        ),
    ] {
        let response = app
            .anonymous()
            .post(&format!("/api/auth/{path}"), json!({}))
            .await;
        assert_error(&response, (400, "VALIDATION_ERROR", &message));
    }
    let body = json!({ "currentPassword": 1 });
    let response = app.anonymous().post(CHANGE_PASSWORD, body).await;
    let message = format!(
        "[body.newPassword] {MISSING_MESSAGE}; \
         [body.currentPassword] Invalid input: expected string, received number"
    );
    assert_error(&response, (400, "VALIDATION_ERROR", &message));
    for path in ["update-user", "update-session"] {
        let response = app
            .anonymous()
            .post(&format!("/api/auth/{path}"), json!([1]))
            .await;
        let message = "[body] Invalid input: expected record, received array";
        assert_error(&response, (400, "VALIDATION_ERROR", message));
    }
    // The server checks the origin of a request with cookies before the fields of the body.
    let build_request = || app.anonymous().post(SIGN_IN, json!({}));
    let response = build_request().header("cookie", "a=b").await;
    assert_error(
        &response,
        (403, "MISSING_OR_NULL_ORIGIN", "Missing or null Origin"),
    );
}

async fn a_body_that_is_too_large_is_413(app: App) {
    let response = app.anonymous().post(SIGN_IN, " ".repeat(65_537)).await;
    assert_error(
        &response,
        (
            413,
            "BODY_TOO_LARGE",
            "The body may have at most 65536 bytes",
        ),
    );
}

async fn an_internal_error_is_500_and_signs_no_user_out(app: App) {
    let ada = sign_up(&app, "ada").await;
    app.database()
        .execute("ALTER TABLE sessions RENAME TO elsewhere");
    for request in [
        ada.get(&app, GET_SESSION),
        ada.get(&app, LIST_SESSIONS),
        ada.post(&app, "/api/auth/update-user", json!({ "name": "Ada" })),
        ada.post(&app, "/api/auth/sign-out", json!({})),
    ] {
        let response = request.await;
        // A missing table is an internal error, not an unavailable database.
        assert_eq!((response.status(), response.text().as_str()), (500, ""));
        assert!(response.header_values("set-cookie").is_empty());
        assert!(response.header("x-request-id").is_some());
    }
    app.database()
        .execute("ALTER TABLE elsewhere RENAME TO sessions");
    assert!(ada.is_signed_in(&app).await);
    let _: Value = ada.get(&app, LIST_SESSIONS).await.ok();
}

//! Tests `POST /api/auth/request-password-reset`, which is always rejected, because this server sends no mail.

use e2e::{App, on_both_engines};
use serde_json::json;

use super::fixtures::*;

on_both_engines! {
    a_password_reset_cannot_be_requested,
}

async fn a_password_reset_cannot_be_requested(app: App) {
    sign_up(&app, "ada").await;
    let build_request = |body| {
        app.anonymous()
            .post("/api/auth/request-password-reset", body)
    };
    for email in ["ada@example.com", "eve@example.com"] {
        let response = build_request(json!({ "email": email, "redirectTo": "/reset" })).await;
        assert_error(
            &response,
            (
                400,
                "RESET_PASSWORD_DISABLED",
                "Reset password isn't enabled",
            ),
        );
    }
    let response = build_request(json!({ "email": "ada" })).await;
    assert_error(
        &response,
        (
            400,
            "VALIDATION_ERROR",
            "[body.email] Invalid email address",
        ),
    );
    let response =
        build_request(json!({ "email": "ada@example.com", "redirectTo": "//evil.example" })).await;
    assert_error(
        &response,
        (403, "INVALID_REDIRECT_URL", "Invalid redirectURL"),
    );
}

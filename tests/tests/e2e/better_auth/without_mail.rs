//! Routes that need mail, with the responses of a Better Auth server that sends none.

use e2e::{App, on_both_engines};
use serde_json::json;

use super::fixtures::*;

on_both_engines! {
    a_reset_cannot_be_requested,
    no_reset_token_is_accepted,
    a_reset_link_redirects_back_with_the_error,
    no_address_is_verified,
    no_address_is_changed,
}

async fn a_reset_cannot_be_requested(app: App) {
    sign_up(&app, "ada").await;
    let ask = |body| {
        app.anonymous()
            .post("/api/auth/request-password-reset", body)
    };
    for email in ["ada@example.com", "eve@example.com"] {
        let response = ask(json!({ "email": email, "redirectTo": "/reset" })).await;
        assert_error(
            &response,
            (
                400,
                "RESET_PASSWORD_DISABLED",
                "Reset password isn't enabled",
            ),
        );
    }
    let response = ask(json!({ "email": "ada" })).await;
    assert_error(
        &response,
        (
            400,
            "VALIDATION_ERROR",
            "[body.email] Invalid email address",
        ),
    );
    let response = ask(json!({ "email": "ada@example.com", "redirectTo": "//evil.example" })).await;
    assert_error(
        &response,
        (403, "INVALID_REDIRECT_URL", "Invalid redirectURL"),
    );
}

async fn no_reset_token_is_accepted(app: App) {
    let reset = |query: &str, body| {
        let path = format!("/api/auth/reset-password{query}");
        app.anonymous().post(&path, body)
    };
    let invalid = (400, "INVALID_TOKEN", "Invalid token");
    let new = "long enough";
    assert_error(&reset("", json!({ "newPassword": new })).await, invalid);
    assert_error(
        &reset("", json!({ "newPassword": new, "token": "x" })).await,
        invalid,
    );
    assert_error(
        &reset("?token=x", json!({ "newPassword": new })).await,
        invalid,
    );
    assert_error(&reset("", json!({ "newPassword": "short" })).await, invalid);
    let short = (400, "PASSWORD_TOO_SHORT", "Password too short");
    assert_error(
        &reset("?token=x", json!({ "newPassword": "short" })).await,
        short,
    );
    let long = json!({ "newPassword": "x".repeat(129), "token": "x" });
    assert_error(
        &reset("", long).await,
        (400, "PASSWORD_TOO_LONG", "Password too long"),
    );
}

async fn a_reset_link_redirects_back_with_the_error(app: App) {
    for (callback, location) in [
        (
            "%2Freset%3Fa%3Db",
            "http://127.0.0.1:8080/reset?a=b&error=INVALID_TOKEN",
        ),
        (
            "",
            "http://127.0.0.1:8080/api/auth/error?error=INVALID_TOKEN",
        ),
    ] {
        let path = format!("/api/auth/reset-password/x?callbackURL={callback}");
        let response = app.anonymous().get(&path).await;
        assert_eq!(response.header("location"), Some(location));
        assert_eq!(response.header("content-type"), Some("application/json"));
        assert!(response.is(302).text().is_empty());
    }
    let response = app.anonymous().get("/api/auth/reset-password/x").await;
    let message = "[query.callbackURL] Invalid input: expected string, received undefined";
    assert_error(&response, (400, "VALIDATION_ERROR", message));
}

async fn no_address_is_verified(app: App) {
    let ada = sign_up(&app, "ada").await;
    let body = json!({ "email": "ada@example.com", "callbackURL": "/" });
    let response = ada
        .post(&app, "/api/auth/send-verification-email", body)
        .await;
    let code = "VERIFICATION_EMAIL_NOT_ENABLED";
    assert_error(&response, (400, code, "Verification email isn't enabled"));
    let verify = |query: &str| {
        let path = format!("/api/auth/verify-email?{query}");
        app.anonymous().get(&path)
    };
    assert_error(
        &verify("token=x").await,
        (401, "INVALID_TOKEN", "Invalid token"),
    );
    for (callback, location) in [
        ("%2Fwelcome", "/welcome?error=INVALID_TOKEN"),
        (
            "%2Fwelcome%3Fa%3Db%23c",
            "/welcome?a=b&error=INVALID_TOKEN#c",
        ),
    ] {
        let response = verify(&format!("token=x&callbackURL={callback}")).await;
        assert_eq!(response.is(302).header("location"), Some(location));
    }
    let message = "[query.token] Invalid input: expected string, received undefined";
    assert_error(&verify("").await, (400, "VALIDATION_ERROR", message));
}

async fn no_address_is_changed(app: App) {
    let ada = sign_up(&app, "ada").await;
    let body = json!({ "newEmail": "new@example.com" });
    let response = ada.post(&app, "/api/auth/change-email", body).await;
    assert_error(
        &response,
        (400, "CHANGE_EMAIL_DISABLED", "Change email is disabled"),
    );
    assert_eq!(ada.session(&app).await["user"], ada.user);
}

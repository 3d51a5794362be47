//! Tests `POST /api/auth/reset-password`. The tests of `GET /api/auth/reset-password/{token}` are in
//! `reset_password/link.rs`.

mod link;
mod tokens;

use e2e::{App, Request, on_both_engines};
use serde_json::{Value, json};

use super::fixtures::*;
use super::request_password_reset::requested_mail;
use crate::sessions::fixtures::{clone_sessions, count, wait_until};

on_both_engines! {
    the_token_of_the_mail_sets_the_password_and_signs_no_user_in,
    a_reset_ends_every_session_of_the_user_and_no_other,
    a_reset_ends_more_sessions_than_one_transaction_does,
    a_reset_verifies_the_address_and_tells_the_owner,
    a_token_in_the_query_is_used_only_without_one_in_the_body,
    a_user_without_a_password_gets_one,
    an_unacceptable_password_is_reported_first_and_uses_up_nothing,
    a_request_without_a_token_is_rejected,
}

const RESET_PASSWORD: &str = "/api/auth/reset-password";
const NEW_PASSWORD: &str = "another good password";
const INVALID_TOKEN: (u16, &str, &str) = (400, "INVALID_TOKEN", "Invalid token");

fn reset(app: &App, token: &str) -> Request {
    let body = json!({ "newPassword": NEW_PASSWORD, "token": token });
    app.anonymous().post(RESET_PASSWORD, body)
}

async fn assert_rejected(app: &App, token: &str) {
    assert_error(&reset(app, token).await, INVALID_TOKEN);
}

async fn assert_password(app: &App, email: &str, right: &str, wrong: &str) {
    for (password, status) in [(wrong, 401), (right, 200)] {
        let body = json!({ "email": email, "password": password });
        let response = app.anonymous().post(SIGN_IN, body).await;
        assert_eq!(response.status(), status, "{password}: {}", response.text());
    }
}

async fn the_token_of_the_mail_sets_the_password_and_signs_no_user_in(app: App) {
    let ada = sign_up(&app, "ada").await;
    let mail = requested_mail(&app, "ada@example.com", 0).await;
    let body = json!({ "newPassword": NEW_PASSWORD, "token": mail.token() });
    let response = ada.post(&app, RESET_PASSWORD, body).await;
    assert!(response.header_values("set-cookie").is_empty());
    assert_eq!(response.header("set-auth-token"), None);
    assert_eq!(response.ok(), json!({ "status": true }));
    assert_eq!(count(&app, "sessions WHERE revoked_at IS NULL"), 0);
    assert_password(&app, "ada@example.com", NEW_PASSWORD, PASSWORD).await;
}

async fn a_reset_ends_every_session_of_the_user_and_no_other(app: App) {
    let ada = sign_up(&app, "ada").await;
    let phone = sign_in(&app, "ada@example.com").await;
    let eve = sign_up(&app, "eve").await;
    let token_response = ada.get(&app, "/api/auth/token").await.ok();
    let mail = requested_mail(&app, "ada@example.com", 0).await;
    reset(&app, mail.token()).await.ok();
    for browser in [&ada, &phone] {
        assert!(!browser.is_signed_in(&app).await);
    }
    // The access token of an ended session is rejected at once, and other services learn of the ended sessions from the
    // table `revocations`.
    let caller = app.bearer(token_response["token"].as_str().unwrap());
    let response = caller.get("/api/auth/session").await;
    response.problem(401, "TOKEN_REVOKED");
    assert_eq!(count(&app, "revocations"), 2);
    assert!(eve.is_signed_in(&app).await);
}

async fn a_reset_ends_more_sessions_than_one_transaction_does(app: App) {
    sign_up(&app, "ada").await;
    let session_id = app.database().value("SELECT id FROM sessions").unwrap();
    clone_sessions(&app, &session_id, 450);
    let mail = requested_mail(&app, "ada@example.com", 0).await;
    reset(&app, mail.token()).await.ok();
    assert_eq!(count(&app, "sessions WHERE revoked_at IS NULL"), 0);
}

async fn a_reset_verifies_the_address_and_tells_the_owner(app: App) {
    let ada = sign_up(&app, "ada").await;
    assert_eq!(ada.user["emailVerified"], false);
    let mail = requested_mail(&app, "ada@example.com", 0).await;
    reset(&app, mail.token()).await.ok();
    wait_until("the owner is told", async || {
        let mails = app.mails_to("ada@example.com");
        mails.iter().any(|mail| mail.kind() == "password_changed")
    })
    .await;
    let body = json!({ "email": "ada@example.com", "password": NEW_PASSWORD });
    let sign_in_body: Value = app.anonymous().post(SIGN_IN, body).await.ok();
    assert_eq!(sign_in_body["user"]["emailVerified"], true);
}

async fn a_token_in_the_query_is_used_only_without_one_in_the_body(app: App) {
    sign_up(&app, "ada").await;
    let mail = requested_mail(&app, "ada@example.com", 0).await;
    let path = format!("{RESET_PASSWORD}?token={}", mail.token());
    let body = json!({ "newPassword": NEW_PASSWORD, "token": "x" });
    let response = app.anonymous().post(&path, body).await;
    assert_error(&response, INVALID_TOKEN);
    let body = json!({ "newPassword": NEW_PASSWORD, "token": "" });
    app.anonymous().post(&path, body).await.ok();
    assert_password(&app, "ada@example.com", NEW_PASSWORD, PASSWORD).await;
}

async fn a_user_without_a_password_gets_one(app: App) {
    sign_up(&app, "ada").await;
    app.database()
        .execute("UPDATE users SET password_hash = NULL");
    let mail = requested_mail(&app, "ada@example.com", 0).await;
    reset(&app, mail.token()).await.ok();
    assert_password(&app, "ada@example.com", NEW_PASSWORD, PASSWORD).await;
}

async fn an_unacceptable_password_is_reported_first_and_uses_up_nothing(app: App) {
    sign_up(&app, "ada").await;
    let mail = requested_mail(&app, "ada@example.com", 0).await;
    let too_long = "x".repeat(129);
    for (password, code) in [
        ("", "PASSWORD_TOO_SHORT"),
        ("seven 7", "PASSWORD_TOO_SHORT"),
        (&too_long, "PASSWORD_TOO_LONG"),
        ("password", "PASSWORD_COMPROMISED"),
    ] {
        for token in [mail.token(), "x"] {
            let body = json!({ "newPassword": password, "token": token });
            let response = app.anonymous().post(RESET_PASSWORD, body).await;
            let response = response.assert_status(400);
            let error: Value = serde_json::from_str(&response.text()).unwrap();
            assert_eq!(error["code"], code, "{error}");
        }
    }
    reset(&app, mail.token()).await.ok();
}

async fn a_request_without_a_token_is_rejected(app: App) {
    for (path, body) in [
        (RESET_PASSWORD, json!({ "newPassword": NEW_PASSWORD })),
        (RESET_PASSWORD, json!({ "newPassword": "short" })),
        (
            RESET_PASSWORD,
            json!({ "newPassword": NEW_PASSWORD, "token": "" }),
        ),
        (
            "/api/auth/reset-password?token=",
            json!({ "newPassword": NEW_PASSWORD }),
        ),
    ] {
        let response = app.anonymous().post(path, body).await;
        assert_error(&response, INVALID_TOKEN);
    }
    let body = json!({ "newPassword": NEW_PASSWORD, "token": 1 });
    let response = app.anonymous().post(RESET_PASSWORD, body).await;
    let message = "[body.token] Invalid input: expected string, received number";
    assert_error(&response, (400, "VALIDATION_ERROR", message));
}

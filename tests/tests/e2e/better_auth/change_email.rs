//! Tests `POST /api/auth/change-email`.

use std::time::Duration;

use e2e::{App, Engine, on_both_engines};
use serde_json::json;

use super::fixtures::*;
use crate::auth::email_change::{confirm_token, mails_of_kind, undo_request};
use crate::mail::{received, until_nothing_waits};
use crate::sessions::fixtures::{count, race_transaction};

on_both_engines! {
    an_address_is_changed_with_the_mail_to_the_new_address,
    a_change_can_be_undone_and_ends_the_session,
    the_link_leads_to_the_callback_url,
    a_taken_address_gets_the_same_response_and_no_mail,
    the_login_must_be_less_than_a_day_old,
    a_session_that_ends_at_the_same_time_cannot_request_a_change,
    requests_for_mails_are_limited_per_network,
    every_failure_has_its_code_and_message,
}

const CHANGE_EMAIL: &str = "/api/auth/change-email";
const NEW_EMAIL: &str = "ada@new.example";
/// One microsecond less than a day.
const ALMOST_A_DAY: Duration = Duration::from_micros(86_399_999_999);

async fn an_address_is_changed_with_the_mail_to_the_new_address(app: App) {
    let ada = sign_up(&app, "ada").await;
    let body = json!({ "newEmail": "ADA@new.example" });
    let response = ada.post(&app, CHANGE_EMAIL, body).await;
    assert!(response.header_values("set-cookie").is_empty());
    assert_eq!(response.ok(), json!({ "status": true }));
    let mails = received(&app, NEW_EMAIL, 1).await;
    let notices = received(&app, "ada@example.com", 1).await;
    assert_eq!(notices[0].kind(), "email_change_requested");
    assert_eq!(ada.session(&app).await["user"], ada.user);

    confirm_token(&app, mails[0].token()).await.ok();
    let user = ada.session(&app).await["user"].clone();
    assert_eq!(user["email"], NEW_EMAIL);
    assert_eq!(user["emailVerified"], true);
    sign_in(&app, NEW_EMAIL).await;
}

async fn a_change_can_be_undone_and_ends_the_session(app: App) {
    let ada = sign_up(&app, "ada").await;
    let body = json!({ "newEmail": NEW_EMAIL });
    ada.post(&app, CHANGE_EMAIL, body).await.ok();
    let mails = received(&app, NEW_EMAIL, 1).await;
    confirm_token(&app, mails[0].token()).await.ok();
    let undo_mails = mails_of_kind(&app, "ada@example.com", "email_changed", 1).await;
    undo_request(&app, undo_mails[0].token()).await.ok();
    assert!(!ada.is_signed_in(&app).await);
    let response = ada.get(&app, "/api/auth/list-accounts").await;
    assert_error(&response, UNAUTHORIZED);
}

async fn the_link_leads_to_the_callback_url(engine: Engine) {
    let app = App::on(engine)
        .set("allowed-origins", "https://app.example")
        .start();
    let ada = sign_up(&app, "ada").await;
    let url = "https://app.example/done?a=1";
    let body = json!({ "newEmail": NEW_EMAIL, "callbackURL": url });
    ada.post(&app, CHANGE_EMAIL, body).await.ok();
    let mails = received(&app, NEW_EMAIL, 1).await;
    let encoded_url = "https%3A%2F%2Fapp%2Eexample%2Fdone%3Fa%3D1";
    let link_start = format!("http://127.0.0.1:8080/change-email?callbackURL={encoded_url}#");
    assert!(mails[0].link().starts_with(&link_start), "{:?}", mails[0]);
    // The address that the account still has gets a notice of the request.
    received(&app, "ada@example.com", 1).await;

    let body = json!({ "newEmail": NEW_EMAIL, "callbackURL": "https://evil.example/" });
    let response = ada.post(&app, CHANGE_EMAIL, body).await;
    let (code, message) = ("INVALID_CALLBACK_URL", "Invalid callbackURL");
    assert_error(&response, (403, code, message));
    assert_eq!(count(&app, "outbox WHERE kind = 'email_change'"), 1);
}

async fn a_taken_address_gets_the_same_response_and_no_mail(app: App) {
    let ada = sign_up(&app, "ada").await;
    sign_up(&app, "eve").await;
    let body = json!({ "newEmail": "Eve@example.com" });
    let response = ada.post(&app, CHANGE_EMAIL, body).await;
    assert_eq!(response.ok(), json!({ "status": true }));
    received(&app, "ada@example.com", 1).await;
    until_nothing_waits(&app).await;
    assert_eq!(app.mails().len(), 1);
}

async fn the_login_must_be_less_than_a_day_old(app: App) {
    let ada = sign_up(&app, "ada").await;
    app.clock.advance(ALMOST_A_DAY);
    let body = json!({ "newEmail": NEW_EMAIL });
    ada.post(&app, CHANGE_EMAIL, body.clone()).await.ok();
    app.clock.advance(Duration::from_micros(1));
    let response = ada.post(&app, CHANGE_EMAIL, body.clone()).await;
    assert_error(
        &response,
        (403, "SESSION_NOT_FRESH", "Session is not fresh"),
    );
    assert_eq!(count(&app, "outbox WHERE kind = 'email_change'"), 1);
    let ada = sign_in(&app, "ada@example.com").await;
    ada.post(&app, CHANGE_EMAIL, body.clone()).await.ok();
    // An account without a password can change its address too.
    app.database()
        .execute("UPDATE users SET password_hash = NULL");
    ada.post(&app, CHANGE_EMAIL, body).await.ok();
}

async fn a_session_that_ends_at_the_same_time_cannot_request_a_change(app: App) {
    let ada = sign_up(&app, "ada").await;
    // The statements act as another process that sets a new password.
    let statements = "UPDATE users SET password_hash = 'another hash'; \
         UPDATE sessions SET revoked_at = created_at;";
    let request = ada.post(&app, CHANGE_EMAIL, json!({ "newEmail": NEW_EMAIL }));
    let response = race_transaction(&app, statements, request).await;
    assert_error(&response, UNAUTHORIZED);
    assert_eq!(count(&app, "outbox"), 0);
}

async fn requests_for_mails_are_limited_per_network(engine: Engine) {
    let app = App::on(engine)
        .behind_proxy()
        .set("max-mail-requests-per-network", "1")
        .start();
    let ada = sign_up(&app, "ada").await;
    let request = || {
        let request = ada.post(&app, CHANGE_EMAIL, json!({ "newEmail": NEW_EMAIL }));
        request.header("x-forwarded-for", "192.0.2.1")
    };
    request().await.ok();
    let response = request().await;
    assert_eq!(response.header("x-retry-after"), Some("3601"));
    let message = "Too many requests. Please try again later.";
    assert_error(&response, (429, "", message));
}

async fn every_failure_has_its_code_and_message(app: App) {
    let ada = sign_up(&app, "ada").await;
    for (body, expected) in [
        (
            json!({ "newEmail": "ADA@example.com" }),
            (400, "", "Email is the same"),
        ),
        (
            json!({ "newEmail": "ada" }),
            (
                400,
                "VALIDATION_ERROR",
                "[body.newEmail] Invalid email address",
            ),
        ),
        (
            json!({ "newEmail": format!("{}@example.com", "a".repeat(250)) }),
            (
                400,
                "VALIDATION_ERROR",
                "[body.newEmail] Invalid email address",
            ),
        ),
        (
            json!({}),
            (
                400,
                "VALIDATION_ERROR",
                "[body.newEmail] Invalid input: expected string, received undefined",
            ),
        ),
        (
            json!({ "newEmail": NEW_EMAIL, "callbackURL": 1 }),
            (400, "", "Invalid callbackURL: expected a string"),
        ),
    ] {
        assert_error(&ada.post(&app, CHANGE_EMAIL, body).await, expected);
    }
    let request = app
        .anonymous()
        .post(CHANGE_EMAIL, json!({ "newEmail": NEW_EMAIL }));
    assert_error(&request.clone().await, UNAUTHORIZED);
    // Another site cannot make a browser change the address.
    let request = request
        .header("cookie", &ada.cookies)
        .header("origin", "https://evil.example");
    assert_error(&request.await, (403, "INVALID_ORIGIN", "Invalid origin"));
    assert_eq!(count(&app, "outbox"), 0);
}

//! Tests who can request a change of the address.

use e2e::{App, Engine, on_both_engines};
use serde_json::json;

use super::{EMAIL_CHANGE, change_body, change_request};
use crate::sessions::fixtures::{LOGOUT, count, race_transaction, user_with_device};

on_both_engines! {
    a_request_needs_a_token_and_the_password,
    wrong_passwords_are_counted_as_failed_logins,
    a_session_that_has_ended_cannot_request_a_change,
    a_token_of_another_service_cannot_request_a_change,
    a_request_fails_if_the_password_is_changed_at_the_same_time,
    an_account_without_a_password_cannot_request_a_change,
}

async fn a_request_needs_a_token_and_the_password(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let body = change_body(ada.password(), "new@example.com");
    let response = app.anonymous().post(EMAIL_CHANGE, body).await;
    response.problem(401, "UNAUTHORIZED");
    for wrong_password in ["not the password", "x", eve.password()] {
        let body = change_body(wrong_password, "new@example.com");
        let response = ada.post(EMAIL_CHANGE, body).await;
        response.problem(403, "INVALID_PASSWORD");
    }
    assert_eq!(count(&app, "outbox"), 0);
}

async fn wrong_passwords_are_counted_as_failed_logins(engine: Engine) {
    let app = App::on(engine).behind_proxy().start();
    let ada = app.user("ada").await;
    for _ in 0..100 {
        let body = change_body("not the password", "new@example.com");
        let response = ada.post(EMAIL_CHANGE, body).await;
        response.problem(403, "INVALID_PASSWORD");
    }
    let response = change_request(&ada, "new@example.com").await;
    response.problem(429, "TOO_MANY_REQUESTS");
    assert_eq!(count(&app, "outbox"), 0);
}

async fn a_session_that_has_ended_cannot_request_a_change(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let caller = app.bearer(device.access.as_str());
    let caller = caller.with_login(ada.email(), ada.password());
    // The statement acts as another process that has just revoked the session. The server has not read the revocation.
    app.database()
        .execute("UPDATE sessions SET revoked_at = created_at");
    let response = change_request(&caller, "new@example.com").await;
    response.problem(401, "TOKEN_REVOKED");
    app.database()
        .execute("UPDATE sessions SET revoked_at = NULL, expires_at = created_at");
    let response = change_request(&caller, "new@example.com").await;
    response.problem(401, "TOKEN_REVOKED");
    caller.post(LOGOUT, json!({})).await.ok();
    let response = change_request(&caller, "new@example.com").await;
    response.problem(401, "TOKEN_REVOKED");
    assert_eq!(count(&app, "outbox"), 0);
}

async fn a_token_of_another_service_cannot_request_a_change(app: App) {
    let ada = app.user("ada").await;
    let caller = app.bearer(app.token_for(ada.id(), ada.email()));
    let caller = caller.with_login(ada.email(), ada.password());
    let response = change_request(&caller, "new@example.com").await;
    response.problem(401, "TOKEN_REVOKED");
    assert_eq!(count(&app, "outbox"), 0);
}

async fn a_request_fails_if_the_password_is_changed_at_the_same_time(app: App) {
    let ada = app.user("ada").await;
    let statement = "UPDATE users SET password_hash = 'another hash'";
    let request = change_request(&ada, "new@example.com");
    let response = race_transaction(&app, statement, request).await;
    response.problem(401, "TOKEN_REVOKED");
    assert_eq!(count(&app, "outbox"), 0);
}

async fn an_account_without_a_password_cannot_request_a_change(app: App) {
    let ada = app.user("ada").await;
    app.database()
        .execute("UPDATE users SET password_hash = NULL");
    let response = change_request(&ada, "new@example.com").await;
    response.problem(403, "INVALID_PASSWORD");
}

//! Tests `POST /api/auth/delete-user` and `GET /api/auth/delete-user/callback`.

mod mail;

use e2e::{App, Engine, on_both_engines};
use serde_json::json;

use super::fixtures::*;

on_both_engines! {
    unless_deletion_is_enabled_the_route_does_not_exist,
    with_the_password_the_user_is_deleted,
    without_the_password_and_the_mail_the_login_must_be_less_than_a_day_old,
    every_failure_has_its_code_and_message,
}

const DELETE_USER: &str = "/api/auth/delete-user";
const DELETE_USER_CALLBACK: &str = "/api/auth/delete-user/callback?token=x";

fn start_app(engine: Engine) -> App {
    App::on(engine)
        .set("better-auth-delete-user", "true")
        .start()
}

fn user_count(app: &App) -> String {
    app.database()
        .value("SELECT count(*) || '' FROM users")
        .unwrap()
}

async fn unless_deletion_is_enabled_the_route_does_not_exist(app: App) {
    let ada = sign_up(&app, "ada").await;
    assert_404_without_body(
        &ada.post(&app, DELETE_USER, json!({ "password": PASSWORD }))
            .await,
    );
    assert_error(
        &ada.get(&app, DELETE_USER_CALLBACK).await,
        (404, "NOT_FOUND", "Not found"),
    );
    assert_eq!(user_count(&app), "1");
}

async fn with_the_password_the_user_is_deleted(engine: Engine) {
    let app = start_app(engine);
    let (ada, phone) = (
        sign_up(&app, "ada").await,
        sign_in(&app, "ada@example.com").await,
    );
    app.clock.advance(DAY * 2);
    let response = ada
        .post(&app, DELETE_USER, json!({ "password": PASSWORD }))
        .await;
    assert_eq!(response.header_values("set-cookie"), CLEARED_COOKIES);
    assert_eq!(
        response.ok(),
        json!({ "success": true, "message": "User deleted" })
    );
    assert!(!ada.is_signed_in(&app).await && !phone.is_signed_in(&app).await);
    assert_eq!(user_count(&app), "0");
}

async fn without_the_password_and_the_mail_the_login_must_be_less_than_a_day_old(engine: Engine) {
    let app = start_app(engine);
    let (ada, eve) = (sign_up(&app, "ada").await, sign_up(&app, "eve").await);
    let response = ada.post(&app, DELETE_USER, json!({})).await;
    assert_eq!(response.ok()["message"], "User deleted");
    app.clock.advance(DAY);
    let response = eve.post(&app, DELETE_USER, json!({})).await;
    assert_eq!(response.ok()["message"], "Verification email sent");
    assert_eq!(user_count(&app), "1");
    // A user whose account has no password can delete the account within a day of the login, with a request without a
    // password.
    let bob = sign_up(&app, "bob").await;
    app.database()
        .execute("UPDATE users SET password_hash = NULL");
    let response = bob
        .post(&app, DELETE_USER, json!({ "password": PASSWORD }))
        .await;
    let code = "CREDENTIAL_ACCOUNT_NOT_FOUND";
    assert_error(&response, (400, code, "Credential account not found"));
    bob.post(&app, DELETE_USER, json!({})).await.ok();
}

async fn every_failure_has_its_code_and_message(engine: Engine) {
    let app = start_app(engine);
    let ada = sign_up(&app, "ada").await;
    for (body, expected) in [
        (
            json!({ "password": "wrong password" }),
            (400, "INVALID_PASSWORD", "Invalid password"),
        ),
        (
            json!({ "password": "x".repeat(129) }),
            (400, "PASSWORD_TOO_LONG", "Password too long"),
        ),
        (
            json!({ "token": "x" }),
            (404, "INVALID_TOKEN", "Invalid token"),
        ),
        (
            json!({ "password": 1 }),
            (
                400,
                "VALIDATION_ERROR",
                "[body.password] Invalid input: expected string, received number",
            ),
        ),
    ] {
        assert_error(&ada.post(&app, DELETE_USER, body).await, expected);
    }
    let request = app
        .anonymous()
        .post(DELETE_USER, &b""[..])
        .header("cookie", &ada.cookies)
        .header("origin", SERVER_ORIGIN);
    let message = "[body] Invalid input: expected object, received undefined";
    assert_error(&request.await, (400, "VALIDATION_ERROR", message));
    assert_error(
        &ada.get(&app, DELETE_USER_CALLBACK).await,
        (404, "INVALID_TOKEN", "Invalid token"),
    );
    let response = app.anonymous().get(DELETE_USER_CALLBACK).await;
    assert_error(
        &response,
        (404, "FAILED_TO_GET_USER_INFO", "Failed to get user info"),
    );
    let response = ada.get(&app, "/api/auth/delete-user/callback").await;
    let message = "[query.token] Invalid input: expected string, received undefined";
    assert_error(&response, (400, "VALIDATION_ERROR", message));
    assert_eq!(user_count(&app), "1");
}

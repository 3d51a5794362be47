//! Tests `POST /api/auth/sign-in/email`.

use std::time::Duration;

use e2e::{App, Engine, on_both_engines};
use serde_json::{Value, json};

use super::fixtures::*;

on_both_engines! {
    a_sign_in_returns_the_user_and_a_new_session,
    every_failure_has_its_code_and_message,
    a_callback_url_is_returned_in_the_body_and_the_location_header,
    a_form_body_is_accepted,
    a_remembered_sign_in_clears_the_dont_remember_flag,
    after_a_hundred_failures_the_response_is_429_in_the_format_of_better_auth,
    an_account_without_a_password_fails_like_a_wrong_password,
}

const WRONG_CREDENTIALS: (u16, &str, &str) = (
    401,
    "INVALID_EMAIL_OR_PASSWORD",
    "Invalid email or password",
);

async fn a_sign_in_returns_the_user_and_a_new_session(app: App) {
    let ada = sign_up(&app, "ada").await;
    let body = json!({ "email": "ADA@example.com", "password": PASSWORD });
    let response = app.anonymous().post(SIGN_IN, body).await.assert_status(200);
    let new_browser = Browser::from_response(&response);
    let expected = json!({ "redirect": false, "token": new_browser.token, "user": ada.user });
    assert_eq!(response.header("location"), None);
    assert_eq!(response.ok(), expected);
    assert_ne!(new_browser.token, ada.token);
    assert!(ada.is_signed_in(&app).await);
    let session = new_browser.session(&app).await;
    assert_eq!(session["user"], ada.user);
    assert_eq!(session["session"]["token"], new_browser.token);
}

async fn every_failure_has_its_code_and_message(app: App) {
    sign_up(&app, "ada").await;
    let ada_email = "ada@example.com";
    for (body, expected) in [
        (
            json!({ "email": ada_email, "password": "wrong password" }),
            WRONG_CREDENTIALS,
        ),
        (
            json!({ "email": ada_email, "password": "" }),
            WRONG_CREDENTIALS,
        ),
        (
            json!({ "email": "eve@example.com", "password": PASSWORD }),
            WRONG_CREDENTIALS,
        ),
        (
            json!({ "email": "ada", "password": PASSWORD }),
            (400, "INVALID_EMAIL", "Invalid email"),
        ),
        (
            json!({ "email": ada_email, "password": "x".repeat(129) }),
            (400, "PASSWORD_TOO_LONG", "Password too long"),
        ),
        (
            json!({}),
            (
                400,
                "VALIDATION_ERROR",
                "[body.email] Invalid input: expected string, received undefined; \
                 [body.password] Invalid input: expected string, received undefined",
            ),
        ),
        (
            json!({ "email": ada_email, "password": PASSWORD, "rememberMe": 1 }),
            (
                400,
                "VALIDATION_ERROR",
                "[body.rememberMe] Invalid input: expected boolean, received number",
            ),
        ),
    ] {
        let response = app.anonymous().post(SIGN_IN, body).await;
        assert_error(&response, expected);
        assert!(response.header_values("set-cookie").is_empty());
    }
    let response = app.anonymous().post(SIGN_IN, &b""[..]).await;
    let message = "[body] Invalid input: expected object, received undefined";
    assert_error(&response, (400, "VALIDATION_ERROR", message));
}

async fn a_callback_url_is_returned_in_the_body_and_the_location_header(app: App) {
    sign_up(&app, "ada").await;
    let body =
        json!({ "email": "ada@example.com", "password": PASSWORD, "callbackURL": "/home?a=b" });
    let response = app.anonymous().post(SIGN_IN, body).await;
    assert_eq!(response.header("location"), Some("/home?a=b"));
    let body = response.ok();
    assert_eq!(
        (&body["redirect"], &body["url"]),
        (&json!(true), &json!("/home?a=b"))
    );
}

async fn a_form_body_is_accepted(app: App) {
    sign_up(&app, "ada").await;
    let form_body = format!(
        "email=ada%40example.com&password={}",
        PASSWORD.replace(' ', "+")
    );
    let request = app.anonymous().post(SIGN_IN, form_body.as_bytes());
    let media_type = "application/x-www-form-urlencoded; charset=utf-8";
    let body = request.header("content-type", media_type).await.ok();
    assert_eq!(body["user"]["email"], "ada@example.com");
}

async fn a_remembered_sign_in_clears_the_dont_remember_flag(app: App) {
    sign_up(&app, "ada").await;
    let mut body = json!({ "email": "ada@example.com", "password": PASSWORD, "rememberMe": false });
    let response = app
        .anonymous()
        .post(SIGN_IN, body.clone())
        .await
        .assert_status(200);
    let ada = Browser::from_response(&response);
    body["rememberMe"] = true.into();
    let response = ada.post(&app, SIGN_IN, body).await.assert_status(200);
    let cookies = response.header_values("set-cookie");
    assert_eq!(cookies.len(), 2);
    assert!(cookies[0].contains("; Max-Age=604800;"), "{cookies:?}");
    assert_eq!(cookies[1], CLEARED_COOKIES[2]);
}

async fn after_a_hundred_failures_the_response_is_429_in_the_format_of_better_auth(engine: Engine) {
    let app = App::on(engine).behind_proxy().start();
    sign_up(&app, "ada").await;
    let body = json!({ "email": "ada@example.com", "password": "wrong password" });
    for _ in 0..100 {
        assert_error(
            &app.anonymous().post(SIGN_IN, body.clone()).await,
            WRONG_CREDENTIALS,
        );
    }
    let response = app.anonymous().post(SIGN_IN, body.clone()).await;
    assert_error(
        &response,
        (429, "", "Too many requests. Please try again later."),
    );
    assert_eq!(response.header("retry-after"), None);
    let wait_seconds: u64 = response.header("x-retry-after").unwrap().parse().unwrap();
    app.clock.advance(Duration::from_secs(wait_seconds));
    sign_in(&app, "ada@example.com").await;
}

async fn an_account_without_a_password_fails_like_a_wrong_password(app: App) {
    sign_up(&app, "ada").await;
    app.database()
        .execute("UPDATE users SET password_hash = NULL");
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    assert_error(
        &app.anonymous().post(SIGN_IN, body).await,
        WRONG_CREDENTIALS,
    );
    let _: Value = app.anonymous().get(GET_SESSION).await.ok();
}

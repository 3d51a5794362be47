//! `POST /api/auth/sign-in/email`

use std::time::Duration;

use e2e::{App, Engine, on_both_engines};
use serde_json::{Value, json};

use super::fixtures::*;

on_both_engines! {
    a_sign_in_answers_the_user_and_a_session_of_its_own,
    every_failure_has_its_code_and_message,
    a_callback_url_is_answered_and_named_in_the_header,
    a_form_is_taken_too,
    what_is_to_be_remembered_takes_back_what_was_not,
    after_a_hundred_failures_it_is_429_in_its_own_shape,
    an_account_without_a_password_is_as_wrong_as_any,
}

const WRONG: (u16, &str, &str) = (
    401,
    "INVALID_EMAIL_OR_PASSWORD",
    "Invalid email or password",
);

async fn a_sign_in_answers_the_user_and_a_session_of_its_own(app: App) {
    let ada = sign_up(&app, "ada").await;
    let body = json!({ "email": "ADA@example.com", "password": PASSWORD });
    let answer = app.anonymous().post(SIGN_IN, body).await.is(200);
    let again = Browser::of(&answer);
    let expected = json!({ "redirect": false, "token": again.token, "user": ada.user });
    assert_eq!(answer.header("location"), None);
    assert_eq!(answer.ok(), expected);
    assert_ne!(again.token, ada.token);
    assert!(ada.is_signed_in(&app).await);
    let session = again.session(&app).await;
    assert_eq!(session["user"], ada.user);
    assert_eq!(session["session"]["token"], again.token);
}

async fn every_failure_has_its_code_and_message(app: App) {
    sign_up(&app, "ada").await;
    let ada = "ada@example.com";
    for (body, expected) in [
        (json!({ "email": ada, "password": "wrong password" }), WRONG),
        (json!({ "email": ada, "password": "" }), WRONG),
        (
            json!({ "email": "eve@example.com", "password": PASSWORD }),
            WRONG,
        ),
        (
            json!({ "email": "ada", "password": PASSWORD }),
            (400, "INVALID_EMAIL", "Invalid email"),
        ),
        (
            json!({ "email": ada, "password": "x".repeat(129) }),
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
            json!({ "email": ada, "password": PASSWORD, "rememberMe": 1 }),
            (
                400,
                "VALIDATION_ERROR",
                "[body.rememberMe] Invalid input: expected boolean, received number",
            ),
        ),
    ] {
        let answer = app.anonymous().post(SIGN_IN, body).await;
        says(&answer, expected);
        assert!(answer.all("set-cookie").is_empty());
    }
    let none = app.anonymous().post(SIGN_IN, &b""[..]).await;
    let message = "[body] Invalid input: expected object, received undefined";
    says(&none, (400, "VALIDATION_ERROR", message));
}

async fn a_callback_url_is_answered_and_named_in_the_header(app: App) {
    sign_up(&app, "ada").await;
    let body =
        json!({ "email": "ada@example.com", "password": PASSWORD, "callbackURL": "/home?a=b" });
    let answer = app.anonymous().post(SIGN_IN, body).await;
    assert_eq!(answer.header("location"), Some("/home?a=b"));
    let body = answer.ok();
    assert_eq!(
        (&body["redirect"], &body["url"]),
        (&json!(true), &json!("/home?a=b"))
    );
}

async fn a_form_is_taken_too(app: App) {
    sign_up(&app, "ada").await;
    let form = format!(
        "email=ada%40example.com&password={}",
        PASSWORD.replace(' ', "+")
    );
    let request = app.anonymous().post(SIGN_IN, form.as_bytes());
    let kind = "application/x-www-form-urlencoded; charset=utf-8";
    let body = request.header("content-type", kind).await.ok();
    assert_eq!(body["user"]["email"], "ada@example.com");
}

async fn what_is_to_be_remembered_takes_back_what_was_not(app: App) {
    sign_up(&app, "ada").await;
    let mut body = json!({ "email": "ada@example.com", "password": PASSWORD, "rememberMe": false });
    let answer = app.anonymous().post(SIGN_IN, body.clone()).await.is(200);
    let ada = Browser::of(&answer);
    body["rememberMe"] = true.into();
    let answer = ada.post(&app, SIGN_IN, body).await.is(200);
    let cookies = answer.all("set-cookie");
    assert_eq!(cookies.len(), 2);
    assert!(cookies[0].contains("; Max-Age=604800;"), "{cookies:?}");
    assert_eq!(cookies[1], FORGOTTEN[2]);
}

async fn after_a_hundred_failures_it_is_429_in_its_own_shape(engine: Engine) {
    let app = App::on(engine).behind_proxy().start();
    sign_up(&app, "ada").await;
    let body = json!({ "email": "ada@example.com", "password": "wrong password" });
    for _ in 0..100 {
        says(&app.anonymous().post(SIGN_IN, body.clone()).await, WRONG);
    }
    let answer = app.anonymous().post(SIGN_IN, body.clone()).await;
    says(
        &answer,
        (429, "", "Too many requests. Please try again later."),
    );
    assert_eq!(answer.header("retry-after"), None);
    let wait: u64 = answer.header("x-retry-after").unwrap().parse().unwrap();
    app.clock.advance(Duration::from_secs(wait));
    sign_in(&app, "ada@example.com").await;
}

async fn an_account_without_a_password_is_as_wrong_as_any(app: App) {
    sign_up(&app, "ada").await;
    app.database()
        .execute("UPDATE users SET password_hash = NULL");
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    says(&app.anonymous().post(SIGN_IN, body).await, WRONG);
    let _: Value = app.anonymous().get(GET_SESSION).await.ok();
}

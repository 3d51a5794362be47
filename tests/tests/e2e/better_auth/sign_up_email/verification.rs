//! Tests the verification of email addresses at sign-up and sign-in.

use e2e::{App, Engine, on_both_engines};
use serde_json::{Value, json};

use super::super::fixtures::*;
use crate::auth::email_verification::confirm_with_password;
use crate::mail::{received, until_nothing_waits};
use crate::sessions::fixtures::count;

on_both_engines! {
    a_sign_up_sends_a_mail_and_signs_the_user_in,
    if_verification_is_required_a_sign_up_begins_no_session,
    if_verification_is_required_a_taken_address_gets_an_invented_user,
    if_verification_is_required_a_sign_in_needs_a_verified_address,
    if_verification_is_required_a_sign_up_keeps_the_session_of_the_browser,
}

fn start(engine: Engine, mode: &str) -> App {
    App::on(engine).set("email-verification", mode).start()
}

async fn a_sign_up_sends_a_mail_and_signs_the_user_in(engine: Engine) {
    let app = start(engine, "optional");
    let mut body = sign_up_body("ada");
    body["callbackURL"] = "/welcome".into();
    let response = app.anonymous().post(SIGN_UP, body).await.assert_status(200);
    let ada = Browser::from_response(&response);
    assert!(ada.is_signed_in(&app).await);
    let mails = received(&app, "ada@example.com", 1).await;
    let link = "http://127.0.0.1:8080/verify?callbackURL=%2Fwelcome#";
    assert!(mails[0].link().starts_with(link), "{mails:?}");
    let response = confirm_with_password(&app, mails[0].token(), PASSWORD).await;
    response.ok();
    // Better Auth's session shows the change at once.
    assert_eq!(ada.session(&app).await["user"]["emailVerified"], true);
    // The link of a sign-up must not lead to another site.
    let mut body = sign_up_body("eve");
    body["callbackURL"] = "https://evil.example/".into();
    let response = app.anonymous().post(SIGN_UP, body).await;
    let expected = (403, "INVALID_CALLBACK_URL", "Invalid callbackURL");
    assert_error(&response, expected);
}

/// Signs up, and returns the body. Asserts that no session has begun.
async fn sign_up_without_session(app: &App, body: Value) -> Value {
    let response = app.anonymous().post(SIGN_UP, body).await;
    assert_eq!(response.header_values("set-cookie"), [""; 0]);
    assert_eq!(response.header("set-auth-token"), None);
    let body = response.ok();
    assert_eq!(body["token"], Value::Null);
    body
}

async fn if_verification_is_required_a_sign_up_begins_no_session(engine: Engine) {
    let app = start(engine, "required");
    let mut body = sign_up_body("ada");
    body["callbackURL"] = "/welcome".into();
    let user = sign_up_without_session(&app, body).await["user"].clone();
    assert_eq!(count(&app, "sessions"), 0);
    let stored_id = app.database().value("SELECT id FROM users").unwrap();
    assert_eq!(user["id"], stored_id);
    let mails = received(&app, "ada@example.com", 1).await;
    assert!(mails[0].link().contains("/verify?callbackURL=%2Fwelcome#"));
    let response = confirm_with_password(&app, mails[0].token(), PASSWORD).await;
    assert_eq!(response.ok()["user"]["id"], stored_id);
    let browser = sign_in(&app, "ada@example.com").await;
    assert_eq!(browser.user["emailVerified"], true);
}

async fn if_verification_is_required_a_taken_address_gets_an_invented_user(engine: Engine) {
    let app = start(engine, "required");
    let mut body = sign_up_body("ada");
    sign_up_without_session(&app, body.clone()).await;
    body["name"] = "Another".into();
    body["image"] = "https://example.com/x.png".into();
    body["email"] = "ADA@Example.com".into();
    let taken = sign_up_without_session(&app, body.clone()).await;
    let again = sign_up_without_session(&app, body.clone()).await;
    body["email"] = "NEW@Example.com".into();
    let free = sign_up_without_session(&app, body).await;
    // Each response has another id. All else except the address is the same for a taken and for a free address.
    let ids = [&taken, &again, &free].map(|body| body["user"]["id"].clone());
    assert!(ids[0] != ids[1] && ids[1] != ids[2], "{ids:?}");
    assert!(ids.iter().all(|id| id.as_str().unwrap().len() == 36));
    let without_id = |mut body: Value, email: &str| {
        assert_eq!(body["user"]["email"], email);
        body["user"]["id"] = Value::Null;
        body["user"]["email"] = Value::Null;
        body.to_string()
    };
    let taken_text = without_id(taken, "ada@example.com");
    assert_eq!(taken_text, without_id(again, "ada@example.com"));
    assert_eq!(taken_text, without_id(free, "new@example.com"));
    assert!(taken_text.contains(r#""name":"Another""#), "{taken_text}");
    assert_eq!(count(&app, "users"), 2);
    assert_eq!(count(&app, "users WHERE name = 'Another'"), 1);
    until_nothing_waits(&app).await;
    let mails = app.mails_to("ada@example.com");
    assert_eq!(mails.len(), 2, "{mails:?}");
    assert!(
        mails
            .iter()
            .any(|mail| mail.kind() == "registration_attempt")
    );
}

async fn if_verification_is_required_a_sign_in_needs_a_verified_address(engine: Engine) {
    let app = start(engine, "required");
    sign_up_without_session(&app, sign_up_body("ada")).await;
    let sign_in_with = |password: &str| {
        let body = json!({ "email": "ada@example.com", "password": password });
        app.anonymous().post(SIGN_IN, body)
    };
    let response = sign_in_with("not the password").await;
    let invalid = (
        401,
        "INVALID_EMAIL_OR_PASSWORD",
        "Invalid email or password",
    );
    assert_error(&response, invalid);
    let response = sign_in_with(PASSWORD).await;
    assert_error(&response, (403, "EMAIL_NOT_VERIFIED", "Email not verified"));
    assert_eq!(response.header_values("set-cookie"), [""; 0]);
    // A sign-in sends no further mail.
    assert_eq!(count(&app, "outbox"), 1);
}

async fn if_verification_is_required_a_sign_up_keeps_the_session_of_the_browser(engine: Engine) {
    let app = App::on(engine).start();
    let ada = sign_up(&app, "ada").await;
    let process = app
        .another_process()
        .set("email-verification", "required")
        .start();
    let request = ada.post(&process, SIGN_UP, sign_up_body("eve"));
    let response = request.await;
    assert_eq!(response.header_values("set-cookie"), [""; 0]);
    assert_eq!(response.ok()["token"], Value::Null);
    assert!(ada.is_signed_in(&process).await);
}

//! Tests `POST /api/auth/sign-up/email`.

mod verification;

use e2e::{App, Engine, TestClock, on_both_engines};
use serde_json::{Value, json};

use super::fixtures::*;

on_both_engines! {
    a_sign_up_returns_the_user_and_the_token_and_sets_the_cookie,
    a_browser_over_https_gets_prefixed_secure_cookies,
    invalid_fields_are_rejected_with_the_messages_of_zod,
    a_password_has_at_least_8_characters_and_at_most_128_code_units,
    an_existing_email_address_is_422_in_upper_and_lower_case,
    unsupported_fields_are_ignored,
    a_session_that_is_not_remembered_lasts_a_day,
}

async fn a_sign_up_returns_the_user_and_the_token_and_sets_the_cookie(app: App) {
    let mut body = sign_up_body("Ada");
    body["image"] = "https://example.com/ada.png".into();
    let response = app.anonymous().post(SIGN_UP, body).await.assert_status(200);
    let ada = Browser::from_response(&response);
    let expected = json!({
        "token": ada.token,
        "user": {
            "id": ada.user["id"],
            "name": "Ada",
            "email": "ada@example.com",
            "emailVerified": false,
            "image": "https://example.com/ada.png",
            "createdAt": TestClock::START,
            "updatedAt": TestClock::START,
        },
    });
    assert!(ada.token.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let signed_token = session_tokens(app.secret()).sign_cookie(only_session_id(&app));
    let expected_cookie = format!(
        "{SESSION_COOKIE}={}; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax",
        percent_encode(&signed_token)
    );
    assert_eq!(response.header_values("set-cookie"), [expected_cookie]);
    assert_eq!(
        response.header("set-auth-token"),
        Some(signed_token.as_str())
    );
    let exposed_headers = response.header("access-control-expose-headers");
    assert_eq!(exposed_headers, Some("set-auth-token"));
    assert_eq!(response.ok(), expected);
}

/// Returns the id of the only session, as bytes.
fn only_session_id(app: &App) -> [u8; 16] {
    let session_id = app.database().value("SELECT id FROM sessions").unwrap();
    uuid::Uuid::parse_str(&session_id).unwrap().into_bytes()
}

async fn a_browser_over_https_gets_prefixed_secure_cookies(engine: Engine) {
    let app = App::on(engine)
        .set("public-url", "https://api.example.com")
        .start();
    let mut body = sign_up_body("ada");
    body["rememberMe"] = false.into();
    let response = app.anonymous().post(SIGN_UP, body).await.assert_status(200);
    let cookies = response.header_values("set-cookie");
    assert_eq!(cookies.len(), 2);
    for (cookie, cookie_name) in cookies
        .iter()
        .zip([SESSION_COOKIE, "better-auth.dont_remember"])
    {
        assert!(
            cookie.starts_with(&format!("__Secure-{cookie_name}=")),
            "{cookie}"
        );
        assert!(
            cookie.ends_with("; Path=/; HttpOnly; Secure; SameSite=Lax"),
            "{cookie}"
        );
    }
    let ada = Browser::from_response(&response);
    assert!(ada.is_signed_in(&app).await);
    let unprefixed_cookies = ada.cookies.replace("__Secure-", "");
    let request = app.anonymous().get(GET_SESSION);
    let response = request.header("cookie", &unprefixed_cookies).await;
    assert_eq!(response.ok(), Value::Null);
}

/// Returns the body of a sign-up with this value in this field.
fn body_with(field_name: &str, value: impl Into<Value>) -> Value {
    let mut body = sign_up_body("ada");
    body[field_name] = value.into();
    body
}

/// Asserts that a sign-up with this body fails with this error and creates no user.
async fn assert_rejected(app: &App, body: Value, expected: (u16, &str, &str)) {
    let response = app.anonymous().post(SIGN_UP, body).await;
    assert_error(&response, expected);
    assert!(response.header_values("set-cookie").is_empty());
    let user_count = app.database().value("SELECT count(*) || '' FROM users");
    assert_eq!(user_count.as_deref(), Some("0"));
}

async fn invalid_fields_are_rejected_with_the_messages_of_zod(app: App) {
    const INVALID_EMAIL: &str = "[body.email] Invalid email address";
    let too_long_email = format!("{}@example.com", "a".repeat(250));
    for (body, message) in [
        (
            json!({ "email": "ada", "password": "x" }),
            "[body.email] Invalid email address; \
             [body.name] Invalid input: expected string, received undefined",
        ),
        (
            json!({ "email": "ada@example.com", "name": "", "password": "" }),
            "[body.password] Too small: expected string to have >=1 characters",
        ),
        (
            body_with("email", 1),
            "[body.email] Invalid input: expected string, received number",
        ),
        (body_with("email", " ada@example.com"), INVALID_EMAIL),
        (body_with("email", "ada@localhost"), INVALID_EMAIL),
        (body_with("email", too_long_email), INVALID_EMAIL),
        (
            body_with("name", Value::Null),
            "[body.name] Invalid input: expected string, received null",
        ),
        (
            body_with("name", "n".repeat(201)),
            "[body.name] Too big: expected string to have <=200 characters",
        ),
        (
            body_with("name", "a\0b"),
            "[body.name] Invalid string: must not contain the NUL character",
        ),
        (
            body_with("image", Value::Null),
            "[body.image] Invalid input: expected string, received null",
        ),
        (
            body_with("rememberMe", "no"),
            "[body.rememberMe] Invalid input: expected boolean, received string",
        ),
        (
            json!([]),
            "[body] Invalid input: expected object, received array",
        ),
    ] {
        assert_rejected(&app, body, (400, "VALIDATION_ERROR", message)).await;
    }
}

async fn a_password_has_at_least_8_characters_and_at_most_128_code_units(app: App) {
    let too_short_error = (400, "PASSWORD_TOO_SHORT", "Password too short");
    let too_long_error = (400, "PASSWORD_TOO_LONG", "Password too long");
    for (password, expected) in [
        ("1234567".to_owned(), too_short_error),
        // This password has eight UTF-16 code units, but four characters.
        ("\u{1f600}".repeat(4), too_short_error),
        ("x".repeat(129), too_long_error),
        // This password has 65 characters, but 130 UTF-16 code units.
        ("\u{1f600}".repeat(65), too_long_error),
        // This password has 128 UTF-16 code units, but 2304 characters after NFKC (18 for each character).
        ("\u{fdfa}".repeat(128), too_long_error),
    ] {
        assert_rejected(&app, body_with("password", password), expected).await;
    }
    let body = body_with("password", "\u{1f600}".repeat(8));
    app.anonymous().post(SIGN_UP, body).await.ok();
}

async fn an_existing_email_address_is_422_in_upper_and_lower_case(app: App) {
    app.user("ada").await;
    for email in ["ada@example.com", "ADA@Example.com"] {
        let mut body = sign_up_body("eve");
        body["email"] = email.into();
        let response = app.anonymous().post(SIGN_UP, body).await;
        let code = "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL";
        assert_error(
            &response,
            (422, code, "User already exists. Use another email."),
        );
    }
}

async fn unsupported_fields_are_ignored(app: App) {
    let mut body = sign_up_body("ada");
    for (field_name, value) in [
        ("id", json!("1")),
        ("emailVerified", json!(true)),
        ("role", json!("admin")),
        ("callbackURL", json!("/welcome")),
    ] {
        body[field_name] = value;
    }
    let user = app.anonymous().post(SIGN_UP, body).await.ok()["user"].clone();
    assert_ne!(user["id"], "1");
    assert_eq!(user["emailVerified"], false);
    assert_eq!(user["role"], Value::Null);
}

async fn a_session_that_is_not_remembered_lasts_a_day(app: App) {
    let mut body = sign_up_body("ada");
    body["rememberMe"] = false.into();
    let response = app.anonymous().post(SIGN_UP, body).await.assert_status(200);
    let encoded_flag = percent_encode(&session_tokens(app.secret()).sign_flag());
    let cookies = response.header_values("set-cookie");
    assert!(!cookies[0].contains("Max-Age"), "{cookies:?}");
    let expected_cookie =
        format!("better-auth.dont_remember={encoded_flag}; Path=/; HttpOnly; SameSite=Lax");
    assert_eq!(cookies[1..], [expected_cookie]);
    let ada = Browser::from_response(&response);
    let session = ada.session(&app).await;
    assert_eq!(session["session"]["expiresAt"], "2026-11-21T12:57:51.869Z");
}

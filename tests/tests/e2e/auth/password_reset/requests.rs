//! Tests the request for a mail, and which fields the confirmation accepts.

use std::time::Duration;

use e2e::{App, Engine, on_both_engines};
use serde_json::{Value, json};

use super::{CONFIRM, NEW_PASSWORD, PASSWORD_RESET, confirm_token, requested_mail};
use crate::auth::confirmation::assert_either_token_or_code;
use crate::mail::{received, until_nothing_waits};
use crate::sessions::fixtures::{count, user_with_device};

on_both_engines! {
    an_unknown_address_gets_the_same_response_and_no_mail,
    an_address_is_found_in_any_spelling,
    an_invalid_address_is_rejected,
    the_host_of_a_request_does_not_change_the_link,
    a_mail_has_the_language_of_the_account,
    requests_for_mails_are_limited_per_network,
    a_confirmation_has_either_a_token_or_a_code,
    an_unacceptable_password_does_not_use_up_the_token,
}

async fn an_unknown_address_gets_the_same_response_and_no_mail(app: App) {
    let ada = app.user("ada").await;
    let mut bodies = Vec::new();
    for email in [ada.email(), "nobody@example.com"] {
        let request = app
            .anonymous()
            .post(PASSWORD_RESET, json!({ "email": email }));
        let response = request.await.assert_status(202);
        assert_eq!(response.header("content-type"), Some("application/json"));
        let mut body: Value = serde_json::from_str(&response.text()).unwrap();
        assert_eq!(body["challenge_id"].as_str().unwrap().len(), 36);
        body["challenge_id"] = Value::Null;
        bodies.push(body);
    }
    let expected = json!({ "challenge_id": null, "expires_in": 3600 });
    assert_eq!(bodies, [expected.clone(), expected]);
    received(&app, ada.email(), 1).await;
    until_nothing_waits(&app).await;
    assert_eq!(app.mails().len(), 1);
}

async fn an_address_is_found_in_any_spelling(app: App) {
    let body = json!({ "email": "ada@exämple.de", "password": "correct horse battery staple" });
    let response = app.anonymous().post("/api/auth/register", body).await;
    response.created();
    let body = json!({ "email": "ADA@EXÄMPLE.de" });
    let response = app.anonymous().post(PASSWORD_RESET, body).await;
    let _accepted = response.assert_status(202);
    let mails = received(&app, "ada@xn--exmple-cua.de", 1).await;
    confirm_token(&app, mails[0].token()).await.ok();
}

async fn an_invalid_address_is_rejected(app: App) {
    for email in [
        "ada",
        "ada@",
        "@example.com",
        "ada@example.com\r\nBcc: eve@example.com",
        "ada\r\n@example.com",
        "ada@exa mple.com",
        "ada@example.com\0",
        "\"ada\" <ada@example.com>",
    ] {
        let body = json!({ "email": email });
        let response = app.anonymous().post(PASSWORD_RESET, body).await;
        response.invalid("email", "invalid_email", "must be an email address");
    }
    let long_email = format!("{}@example.com", "a".repeat(250));
    let body = json!({ "email": long_email });
    let response = app.anonymous().post(PASSWORD_RESET, body).await;
    response.invalid("email", "too_long", "must be at most 254 bytes");
    let response = app.anonymous().post(PASSWORD_RESET, json!({})).await;
    response.invalid("email", "required", "is required");
    assert_eq!(count(&app, "outbox"), 0);
}

async fn the_host_of_a_request_does_not_change_the_link(engine: Engine) {
    let app = App::on(engine)
        .set("public-url", "https://login.example")
        .start();
    let ada = app.user("ada").await;
    let mut connection = app.connect().await;
    let body = json!({ "email": ada.email() }).to_string();
    let request = format!(
        "POST {PASSWORD_RESET} HTTP/1.1\r\nhost: evil.example\r\nx-forwarded-host: evil.example\r\n\
         forwarded: host=evil.example\r\norigin: https://evil.example\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.send(request.as_bytes()).await;
    let response = connection.response_to("POST").await.unwrap();
    let _accepted = response.assert_status(202);
    let mails = received(&app, ada.email(), 1).await;
    assert!(mails[0].link().starts_with("https://login.example/reset#"));
    assert!(!mails[0].text.contains("evil"), "{:?}", mails[0]);
}

async fn a_mail_has_the_language_of_the_account(app: App) {
    let register = |email: &str, language: &str| {
        let body = json!({ "email": email, "password": "correct horse battery staple" });
        let request = app.anonymous().post("/api/auth/register", body);
        request.header("accept-language", language)
    };
    let sign_up_body = json!({
        "email": "cleo@example.com",
        "password": "correct horse battery staple",
        "name": "Cleo",
    });
    let sign_up = app
        .anonymous()
        .post("/api/auth/sign-up/email", sign_up_body)
        .header("accept-language", "de");
    register("ada@example.com", "de-AT,en;q=0.5")
        .await
        .created();
    register("bob@example.com", "fr").await.created();
    sign_up.await.ok();
    for (email, request_language, mail_language) in [
        ("ada@example.com", "en", "de"),
        // The language of the request counts only if the account has none.
        ("bob@example.com", "de", "de"),
        ("bob@example.com", "fr", "en"),
        ("cleo@example.com", "en", "de"),
    ] {
        let expected_count = app.mails_to(email).len() + 1;
        let body = json!({ "email": email });
        let request = app.anonymous().post(PASSWORD_RESET, body);
        let response = request.header("accept-language", request_language).await;
        let _accepted = response.assert_status(202);
        let mails = received(&app, email, expected_count).await;
        let has_language = |mail: &e2e::Mail| mail.header("Content-Language") == mail_language;
        assert!(mails.iter().any(has_language), "{email} {mails:?}");
    }
}

async fn requests_for_mails_are_limited_per_network(engine: Engine) {
    let app = App::on(engine)
        .behind_proxy()
        .set("max-mail-requests-per-network", "2")
        .start();
    let request = |ip_address: &str| {
        let body = json!({ "email": "nobody@example.com" });
        let request = app.anonymous().post(PASSWORD_RESET, body);
        request.header("x-forwarded-for", ip_address)
    };
    for _ in 0..2 {
        let _accepted = request("192.0.2.1").await.assert_status(202);
    }
    let response = request("192.0.2.1").await;
    assert_eq!(response.header("retry-after"), Some("3601"));
    response.problem(429, "TOO_MANY_REQUESTS");
    assert_eq!(count(&app, "outbox"), 2);
    let _accepted = request("192.0.2.2").await.assert_status(202);
    app.clock.advance(Duration::from_secs(60 * 60));
    let _accepted = request("192.0.2.1").await.assert_status(202);
}

async fn a_confirmation_has_either_a_token_or_a_code(app: App) {
    assert_either_token_or_code(
        &app.anonymous(),
        CONFIRM,
        json!({ "new_password": NEW_PASSWORD }),
    )
    .await;
}

async fn an_unacceptable_password_does_not_use_up_the_token(app: App) {
    let (ada, _) = user_with_device(&app, "ada").await;
    let (mail, challenge_id) = requested_mail(&app, ada.email()).await;
    for (password, code) in [
        ("", "required"),
        ("seven 7", "unacceptable_password"),
        ("password", "common_password"),
    ] {
        for proof in [
            json!({ "token": mail.token(), "new_password": password }),
            json!({ "challenge_id": challenge_id, "code": mail.code(), "new_password": password }),
            json!({ "challenge_id": challenge_id, "code": "WRNGCDE2", "new_password": password }),
        ] {
            let response = app.anonymous().post(CONFIRM, proof).await;
            let problem = response.problem(422, "VALIDATION_ERROR");
            assert_eq!(problem["errors"][0]["code"], code, "{problem}");
        }
    }
    assert_eq!(count(&app, "outbox WHERE wrong_codes > 0"), 0);
    confirm_token(&app, mail.token()).await.ok();
}

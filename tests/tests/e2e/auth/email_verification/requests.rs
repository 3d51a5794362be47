//! Tests the request for a mail, and which fields the confirmation accepts.

use std::time::Duration;

use e2e::{App, Engine, on_both_engines};
use serde_json::{Value, json};

use super::{CONFIRM, EMAIL_VERIFICATION, challenge_id, confirm, mail_of, requested_mail};
use crate::auth::confirmation::assert_either_token_or_code;
use crate::mail::{received, until_nothing_waits};
use crate::sessions::fixtures::{LOGOUT, SERVER_ORIGIN, count, login};

on_both_engines! {
    unknown_and_verified_addresses_get_the_same_response_and_no_mail,
    a_caller_with_a_token_needs_no_address,
    a_browser_with_cookies_needs_no_address,
    without_an_address_the_token_must_be_valid,
    an_address_in_the_body_is_used_instead_of_the_token,
    an_invalid_address_is_rejected,
    the_mail_has_the_language_of_the_account,
    an_address_gets_at_most_three_mails_an_hour,
    requests_for_mails_are_limited_per_network,
    a_confirmation_has_either_a_token_or_a_code,
}

async fn unknown_and_verified_addresses_get_the_same_response_and_no_mail(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let (mail, _) = requested_mail(&app, eve.email()).await;
    confirm(&eve, mail.token()).await.ok();
    let mut bodies = Vec::new();
    for email in [ada.email(), eve.email(), "nobody@example.com"] {
        let body = json!({ "email": email });
        let request = app.anonymous().post(EMAIL_VERIFICATION, body);
        let response = request.await.assert_status(202);
        assert_eq!(response.header("content-type"), Some("application/json"));
        let mut body: Value = serde_json::from_str(&response.text()).unwrap();
        assert_eq!(body["challenge_id"].as_str().unwrap().len(), 36);
        body["challenge_id"] = Value::Null;
        bodies.push(body);
    }
    let expected = json!({ "challenge_id": null, "expires_in": 86400 });
    assert_eq!(bodies, vec![expected; 3]);
    received(&app, ada.email(), 1).await;
    until_nothing_waits(&app).await;
    assert_eq!(app.mails().len(), 2);
}

async fn a_caller_with_a_token_needs_no_address(app: App) {
    let ada = app.user("ada").await;
    for body in [json!({}), json!({ "email": null })] {
        let response = ada.post(EMAIL_VERIFICATION, body).await;
        let mail = mail_of(&app, &challenge_id(response)).await;
        assert_eq!(mail.header("To"), ada.email());
    }
    let response = ada.request("POST", EMAIL_VERIFICATION).await;
    let mail = mail_of(&app, &challenge_id(response)).await;
    confirm(&ada, mail.token()).await.ok();
    // The address is verified now, which the response does not show.
    let ada = app.login_again(&ada).await;
    challenge_id(ada.post(EMAIL_VERIFICATION, json!({})).await);
    until_nothing_waits(&app).await;
    received(&app, ada.email(), 3).await;
}

async fn a_browser_with_cookies_needs_no_address(app: App) {
    let ada = app.user("ada").await;
    let device = login(&app, &ada).await;
    let request = |origin: &str| {
        let request = app.anonymous().post(EMAIL_VERIFICATION, json!({}));
        let request = request.header("cookie", &device.cookies());
        request.header("origin", origin)
    };
    let response = request("https://evil.example").await;
    response.problem(403, "UNTRUSTED_ORIGIN");
    let mail = mail_of(&app, &challenge_id(request(SERVER_ORIGIN).await)).await;
    assert_eq!(mail.header("To"), ada.email());
}

async fn without_an_address_the_token_must_be_valid(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let response = app.anonymous().post(EMAIL_VERIFICATION, json!({})).await;
    response.invalid("email", "required", "is required without an access token");
    let response = app.bearer("junk").post(EMAIL_VERIFICATION, json!({})).await;
    response.problem(401, "INVALID_TOKEN");
    ada.post(LOGOUT, json!({})).await.ok();
    let response = ada.post(EMAIL_VERIFICATION, json!({})).await;
    response.problem(401, "TOKEN_REVOKED");
    let token = app.token_for("nobody", "nobody@example.com");
    let response = app.bearer(token).post(EMAIL_VERIFICATION, json!({})).await;
    response.problem(401, "INVALID_TOKEN");
    app.clock.advance(Duration::from_secs(60 * 60));
    let response = eve.post(EMAIL_VERIFICATION, json!({})).await;
    response.problem(401, "TOKEN_EXPIRED");
    assert_eq!(count(&app, "outbox"), 0);
}

async fn an_address_in_the_body_is_used_instead_of_the_token(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let body = json!({ "email": ada.email() });
    for caller in [&eve, &app.bearer("junk")] {
        let response = caller.post(EMAIL_VERIFICATION, body.clone()).await;
        let mail = mail_of(&app, &challenge_id(response)).await;
        assert_eq!(mail.header("To"), ada.email());
    }
}

async fn an_invalid_address_is_rejected(app: App) {
    for email in [
        "",
        "ada",
        "@example.com",
        "ada@example.com\r\nBcc: e@e.example",
    ] {
        let body = json!({ "email": email });
        let response = app.anonymous().post(EMAIL_VERIFICATION, body).await;
        let problem = response.problem(422, "VALIDATION_ERROR");
        assert_eq!(problem["errors"][0]["field"], "email");
    }
    assert_eq!(count(&app, "outbox"), 0);
}

async fn the_mail_has_the_language_of_the_account(app: App) {
    let body = json!({ "email": "ada@example.com", "password": "correct horse" });
    let request = app.anonymous().post("/api/auth/register", body);
    request.header("accept-language", "de").await.created();
    let (mail, _) = requested_mail(&app, "ada@example.com").await;
    assert_eq!(mail.header("Content-Language"), "de");
}

async fn an_address_gets_at_most_three_mails_an_hour(app: App) {
    let ada = app.user("ada").await;
    for _ in 0..3 {
        requested_mail(&app, ada.email()).await;
    }
    challenge_id(ada.post(EMAIL_VERIFICATION, json!({})).await);
    until_nothing_waits(&app).await;
    received(&app, ada.email(), 3).await;
    app.clock.advance(Duration::from_secs(60 * 60));
    requested_mail(&app, ada.email()).await;
}

async fn requests_for_mails_are_limited_per_network(engine: Engine) {
    let app = App::on(engine)
        .behind_proxy()
        .set("max-mail-requests-per-network", "2")
        .start();
    let ada = app.user("ada").await;
    let request = |ip_address: &str| {
        let request = ada.post(EMAIL_VERIFICATION, json!({}));
        request.header("x-forwarded-for", ip_address)
    };
    for _ in 0..2 {
        challenge_id(request("192.0.2.1").await);
    }
    request("192.0.2.1").await.problem(429, "TOO_MANY_REQUESTS");
    challenge_id(request("192.0.2.2").await);
}

async fn a_confirmation_has_either_a_token_or_a_code(app: App) {
    let ada = app.user("ada").await;
    assert_either_token_or_code(&ada, CONFIRM, json!({})).await;
    let body = json!({ "token": "x", "password": "" });
    let response = ada.post(CONFIRM, body).await;
    response.invalid("password", "required", "is required");
}

//! Tests what a request for a change of the address reveals, and which bodies are rejected.

use std::time::Duration;

use e2e::{App, Engine, on_both_engines};
use serde_json::{Value, json};

use super::{
    CONFIRM, EMAIL_CHANGE, assert_rejected, challenge_id_of, change, change_body, change_request,
    confirm_code, mails_of_kind, requested_change,
};
use crate::auth::confirmation::assert_either_token_or_code;
use crate::mail::{received, until_nothing_waits};
use crate::sessions::fixtures::count;

on_both_engines! {
    a_taken_address_gets_the_same_response_and_no_mail,
    an_invalid_body_is_rejected,
    the_current_address_is_rejected_in_every_spelling,
    requests_for_mails_are_limited_per_network,
    the_previous_address_gets_at_most_three_notices_an_hour,
    mails_have_the_language_of_the_account,
    a_confirmation_has_either_a_token_or_a_code,
}

const HOUR: Duration = Duration::from_secs(60 * 60);

async fn a_taken_address_gets_the_same_response_and_no_mail(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    change(&app, &eve, eve.email(), "eve@new.example").await;
    until_nothing_waits(&app).await;
    let mail_count = app.mails().len();
    let mut rows = Vec::new();
    // The address of another account, an address that its previous owner can get back, and a free address.
    for new_email in ["eve@new.example", "EVE@example.com", "free@example.com"] {
        let text = change_request(&ada, new_email)
            .await
            .assert_status(202)
            .text();
        let body: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(body["expires_in"], 3600);
        let id = body["challenge_id"].as_str().unwrap();
        let queued = format!(
            "outbox WHERE id = '{id}' AND kind = 'email_change' AND user_id = '{}' AND new_email IS NOT NULL",
            ada.id()
        );
        rows.push(count(&app, &queued));
        until_nothing_waits(&app).await;
        // A wrong code is rejected and counted, whether or not the mail was sent.
        assert_rejected(confirm_code(&app, id, "WRNGCDE2").await);
        let wrong_codes = format!("outbox WHERE id = '{id}' AND wrong_codes = 1");
        assert_eq!(count(&app, &wrong_codes), 1);
    }
    assert_eq!(rows, [1, 1, 1]);
    assert_eq!(app.mails_to("free@example.com").len(), 1);
    // The owner of the account is told each time.
    let notices = mails_of_kind(&app, ada.email(), "email_change_requested", 3).await;
    assert_eq!(app.mails().len(), mail_count + 1 + notices.len());
}

async fn an_invalid_body_is_rejected(app: App) {
    let ada = app.user("ada").await;
    for (new_email, code, message) in [
        ("", "required", "is required"),
        ("ada", "invalid_email", "must be an email address"),
        (
            "a\r\nb@example.com",
            "invalid_email",
            "must be an email address",
        ),
        (
            "\"a b\"@example.com",
            "invalid_email",
            "must be an email address",
        ),
    ] {
        let response = change_request(&ada, new_email).await;
        response.invalid("new_email", code, message);
    }
    let long_email = format!("{}@example.com", "a".repeat(250));
    let response = change_request(&ada, &long_email).await;
    response.invalid("new_email", "too_long", "must be at most 254 bytes");
    let body = json!({ "new_email": "new@example.com" });
    let response = ada.post(EMAIL_CHANGE, body).await;
    response.invalid("password", "required", "is required");
    let problem = ada.post(EMAIL_CHANGE, json!({})).await;
    let problem = problem.problem(422, "VALIDATION_ERROR");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2);
    assert_eq!(count(&app, "outbox"), 0);
}

async fn the_current_address_is_rejected_in_every_spelling(app: App) {
    let ada = app.user("ada").await;
    let message = "is the email address of the account already";
    for spelling in [ada.email(), "ADA@Example.COM"] {
        let response = change_request(&ada, spelling).await;
        response.invalid("new_email", "unchanged", message);
    }
    // Earlier releases stored this spelling.
    app.database()
        .execute("UPDATE users SET email = 'ada@exämple.de'");
    let response = change_request(&ada, "ada@xn--exmple-cua.de").await;
    response.invalid("new_email", "unchanged", message);
    // With a wrong password, the response does not reveal that the address is unchanged.
    let body = change_body("not the password", ada.email());
    let response = ada.post(EMAIL_CHANGE, body).await;
    response.problem(403, "INVALID_PASSWORD");
    assert_eq!(count(&app, "outbox"), 0);
}

async fn requests_for_mails_are_limited_per_network(engine: Engine) {
    let app = App::on(engine)
        .behind_proxy()
        .set("max-mail-requests-per-network", "2")
        .start();
    let ada = app.user("ada").await;
    let request = |new_email: &str, ip_address: &str| {
        let request = change_request(&ada, new_email);
        request.header("x-forwarded-for", ip_address)
    };
    for new_email in ["a@example.com", "b@example.com"] {
        let _accepted = request(new_email, "192.0.2.1").await.assert_status(202);
    }
    let response = request("c@example.com", "192.0.2.1").await;
    response.problem(429, "TOO_MANY_REQUESTS");
    assert_eq!(count(&app, "outbox WHERE kind = 'email_change'"), 2);
    let _accepted = request("c@example.com", "192.0.2.2")
        .await
        .assert_status(202);
}

async fn the_previous_address_gets_at_most_three_notices_an_hour(app: App) {
    let ada = app.user("ada").await;
    for number in 0..5 {
        let new_email = format!("new{number}@example.com");
        requested_change(&app, &ada, &new_email).await;
        until_nothing_waits(&app).await;
    }
    received(&app, ada.email(), 3).await;
    // Notices and other mails have separate quotas.
    crate::auth::password_reset::requested_mail(&app, ada.email()).await;
    app.clock.advance(HOUR);
    let token = super::login(&app, &ada).await.access;
    let caller = app.bearer(token).with_login(ada.email(), ada.password());
    requested_change(&app, &caller, "new5@example.com").await;
    mails_of_kind(&app, ada.email(), "email_change_requested", 4).await;
}

async fn mails_have_the_language_of_the_account(app: App) {
    let ada = app.user("ada").await;
    app.database().execute("UPDATE users SET language = 'de'");
    let (mail, _) = requested_change(&app, &ada, "new@example.com").await;
    assert_eq!(mail.header("Content-Language"), "de");
    until_nothing_waits(&app).await;
    app.database().execute("UPDATE users SET language = NULL");
    let request = change_request(&ada, "newer@example.com").header("accept-language", "de");
    challenge_id_of(request.await);
    let mails = received(&app, "newer@example.com", 1).await;
    assert_eq!(mails[0].header("Content-Language"), "de");
    for notice in received(&app, ada.email(), 2).await {
        assert_eq!(notice.header("Content-Language"), "de");
    }
}

async fn a_confirmation_has_either_a_token_or_a_code(app: App) {
    assert_either_token_or_code(&app.anonymous(), CONFIRM, json!({})).await;
    for body in [json!({}), json!({ "token": "" })] {
        let response = app.anonymous().post(super::UNDO, body).await;
        response.invalid("token", "required", "is required");
    }
}

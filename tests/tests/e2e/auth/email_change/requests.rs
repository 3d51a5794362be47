//! Tests who can request a change of the address, and what a request reveals.

use std::time::Duration;

use e2e::{App, Engine, on_both_engines};
use serde_json::{Value, json};

use super::{
    CONFIRM, EMAIL_CHANGE, assert_rejected, challenge_id_of, change, change_body, change_request,
    confirm_code, mails_of_kind, requested_change,
};
use crate::mail::{received, until_nothing_waits};
use crate::sessions::fixtures::{LOGOUT, count, race_transaction, user_with_device};

on_both_engines! {
    a_taken_address_gets_the_same_response_and_no_mail,
    a_request_needs_a_token_and_the_password,
    wrong_passwords_are_counted_as_failed_logins,
    an_invalid_body_is_rejected,
    the_current_address_is_rejected_in_every_spelling,
    a_session_that_has_ended_cannot_request_a_change,
    a_token_of_another_service_cannot_request_a_change,
    a_request_fails_if_the_password_is_changed_at_the_same_time,
    an_account_without_a_password_cannot_request_a_change,
    requests_for_mails_are_limited_per_network,
    the_previous_address_gets_three_notices_an_hour,
    mails_have_the_language_of_the_account,
    a_confirmation_has_either_a_token_or_a_code,
}

const HOUR: Duration = Duration::from_secs(60 * 60);

async fn a_taken_address_gets_the_same_response_and_no_mail(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    change(&app, &eve, eve.email(), "eve@new.example").await;
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
        // A code for a mail that was not sent is rejected like a wrong code.
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
    // Without the password, nothing is said about the address.
    let body = change_body("not the password", ada.email());
    let response = ada.post(EMAIL_CHANGE, body).await;
    response.problem(403, "INVALID_PASSWORD");
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

async fn the_previous_address_gets_three_notices_an_hour(app: App) {
    let ada = app.user("ada").await;
    for number in 0..5 {
        let new_email = format!("new{number}@example.com");
        requested_change(&app, &ada, &new_email).await;
        until_nothing_waits(&app).await;
    }
    received(&app, ada.email(), 3).await;
    // The notices do not use up the quota of other mails, and the other way round.
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
    let missing = "is required, or challenge_id and code instead";
    let conflict = "must not be sent together with challenge_id or code";
    for (body, field, code, message) in [
        (json!({}), "token", "required", missing),
        (
            json!({ "challenge_id": "x" }),
            "code",
            "required",
            "is required",
        ),
        (
            json!({ "code": "x" }),
            "challenge_id",
            "required",
            "is required",
        ),
        (
            json!({ "token": "x", "code": "x" }),
            "token",
            "conflict",
            conflict,
        ),
    ] {
        let response = app.anonymous().post(CONFIRM, body).await;
        response.invalid(field, code, message);
    }
    for body in [json!({}), json!({ "token": "" })] {
        let response = app.anonymous().post(super::UNDO, body).await;
        response.invalid("token", "required", "is required");
    }
}

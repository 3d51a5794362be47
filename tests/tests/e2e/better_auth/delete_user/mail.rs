//! Tests the deletion of a user with a token from a mail.

use std::time::Duration;

use auth_core::mail_token::MailPurpose;
use e2e::{App, Engine, Mail, on_both_engines};
use futures_util::future::join_all;
use serde_json::json;

use super::{DELETE_USER, start_app, user_count};
use crate::auth::email_change::encode;
use crate::auth::password_reset;
use crate::better_auth::fixtures::*;
use crate::mail::received;
use crate::sessions::fixtures::count;

on_both_engines! {
    an_old_session_without_the_password_gets_a_mail_whose_token_deletes_the_user,
    the_link_leads_to_the_callback_url,
    a_token_works_only_in_a_session_of_its_user_and_is_not_used_up_by_another_user,
    a_token_expires_a_day_after_the_request,
    a_token_is_rejected_after_the_password_was_reset,
    a_wrong_password_is_rejected_even_with_a_token,
    a_token_for_another_purpose_deletes_nothing,
    parallel_deletions_with_one_token_delete_the_user_once,
    the_callback_redirects_to_the_page_and_deletes_nothing,
    requests_for_mails_are_limited_per_network,
    unless_deletion_is_enabled_no_mail_is_sent,
}

const CALLBACK: &str = "/api/auth/delete-user/callback";
const INVALID_TOKEN: (u16, &str, &str) = (404, "INVALID_TOKEN", "Invalid token");

/// Requests the deletion of the user in a session that is a day old, and returns the mail.
async fn requested_deletion(app: &App, browser: &Browser, email: &str) -> Mail {
    let response = browser.post(app, DELETE_USER, json!({})).await;
    assert!(response.header_values("set-cookie").is_empty());
    let expected = json!({ "success": true, "message": "Verification email sent" });
    assert_eq!(response.ok(), expected);
    received(app, email, 1).await.remove(0)
}

/// Signs up with a new browser, advances the clock by a day, and extends the session with a request.
async fn sign_up_a_day_ago(app: &App, name: &str) -> Browser {
    let browser = sign_up(app, name).await;
    app.clock.advance(DAY);
    assert!(browser.is_signed_in(app).await);
    browser
}

async fn an_old_session_without_the_password_gets_a_mail_whose_token_deletes_the_user(
    engine: Engine,
) {
    let app = start_app(engine);
    let ada = sign_up_a_day_ago(&app, "ada").await;
    let mail = requested_deletion(&app, &ada, "ada@example.com").await;
    assert_eq!(mail.kind(), "account_deletion");
    let link_start = "http://127.0.0.1:8080/delete-account#";
    assert!(mail.link().starts_with(link_start), "{mail:?}");
    assert!(ada.is_signed_in(&app).await);
    assert_eq!(user_count(&app), "1");

    let body = json!({ "token": mail.token() });
    let response = ada.post(&app, DELETE_USER, body.clone()).await;
    assert_eq!(response.header_values("set-cookie"), CLEARED_COOKIES);
    let expected = json!({ "success": true, "message": "User deleted" });
    assert_eq!(response.ok(), expected);
    assert!(!ada.is_signed_in(&app).await);
    assert_eq!(user_count(&app), "0");
    assert_eq!(count(&app, "outbox WHERE next_attempt_at IS NOT NULL"), 0);
    assert_error(
        &ada.post(&app, DELETE_USER, body.clone()).await,
        UNAUTHORIZED,
    );
    // Another account with the address has another id.
    let ada = sign_up(&app, "ada").await;
    assert_error(&ada.post(&app, DELETE_USER, body).await, INVALID_TOKEN);
}

async fn the_link_leads_to_the_callback_url(engine: Engine) {
    let app = start_app(engine);
    let ada = sign_up_a_day_ago(&app, "ada").await;
    let body = json!({ "callbackURL": "/goodbye" });
    ada.post(&app, DELETE_USER, body).await.ok();
    let mails = received(&app, "ada@example.com", 1).await;
    let link_start = "http://127.0.0.1:8080/delete-account?callbackURL=%2Fgoodbye#";
    assert!(mails[0].link().starts_with(link_start), "{:?}", mails[0]);
    let body = json!({ "callbackURL": "https://evil.example/" });
    let response = ada.post(&app, DELETE_USER, body).await;
    let (code, message) = ("INVALID_CALLBACK_URL", "Invalid callbackURL");
    assert_error(&response, (403, code, message));
}

async fn a_token_works_only_in_a_session_of_its_user_and_is_not_used_up_by_another_user(
    engine: Engine,
) {
    let app = start_app(engine);
    let ada = sign_up_a_day_ago(&app, "ada").await;
    let eve = sign_up(&app, "eve").await;
    let mail = requested_deletion(&app, &ada, "ada@example.com").await;
    let body = json!({ "token": mail.token() });
    assert_error(
        &eve.post(&app, DELETE_USER, body.clone()).await,
        INVALID_TOKEN,
    );
    let response = app.anonymous().post(DELETE_USER, body.clone()).await;
    assert_error(&response, UNAUTHORIZED);
    assert_eq!(user_count(&app), "2");
    // Ada uses another session, such as that of her phone.
    let phone = sign_in(&app, "ada@example.com").await;
    phone.post(&app, DELETE_USER, body).await.ok();
    assert_eq!(user_count(&app), "1");
    assert!(eve.is_signed_in(&app).await && !ada.is_signed_in(&app).await);
}

async fn a_token_expires_a_day_after_the_request(engine: Engine) {
    let app = start_app(engine);
    let ada = sign_up_a_day_ago(&app, "ada").await;
    let mail = requested_deletion(&app, &ada, "ada@example.com").await;
    let body = json!({ "token": mail.token() });
    // The expiry in the token is rounded down to a whole second; the request was at 51.869123 s.
    app.clock.advance(Duration::from_micros(86_399_130_877));
    for _ in 0..2 {
        let response = ada.post(&app, DELETE_USER, body.clone()).await;
        assert_error(&response, INVALID_TOKEN);
        app.clock.advance(Duration::from_micros(1));
    }
    assert_eq!(user_count(&app), "1");
    let response = ada.post(&app, DELETE_USER, json!({})).await;
    response.ok();
    let mails = received(&app, "ada@example.com", 2).await;
    let second_mail = mails.into_iter().find(|other| *other != mail).unwrap();
    app.clock.advance(Duration::from_micros(86_399_999_997));
    let body = json!({ "token": second_mail.token() });
    ada.post(&app, DELETE_USER, body).await.ok();
}

async fn a_token_is_rejected_after_the_password_was_reset(engine: Engine) {
    let app = start_app(engine);
    let ada = sign_up_a_day_ago(&app, "ada").await;
    let mail = requested_deletion(&app, &ada, "ada@example.com").await;
    let (reset_mail, _) = password_reset::requested_mail(&app, "ada@example.com").await;
    let reset = password_reset::confirm_token(&app, reset_mail.token());
    reset.await.ok();
    let body = json!({ "email": "ada@example.com", "password": password_reset::NEW_PASSWORD });
    let response = app.anonymous().post(SIGN_IN, body).await;
    let ada = Browser::from_response(&response.assert_status(200));
    let body = json!({ "token": mail.token() });
    assert_error(&ada.post(&app, DELETE_USER, body).await, INVALID_TOKEN);
    assert_eq!(user_count(&app), "1");
}

async fn a_wrong_password_is_rejected_even_with_a_token(engine: Engine) {
    let app = start_app(engine);
    let ada = sign_up_a_day_ago(&app, "ada").await;
    let mail = requested_deletion(&app, &ada, "ada@example.com").await;
    let body = json!({ "token": mail.token(), "password": "wrong password" });
    let response = ada.post(&app, DELETE_USER, body).await;
    assert_error(&response, (400, "INVALID_PASSWORD", "Invalid password"));
    // The right password does not make a wrong token valid.
    let body = json!({ "token": "x", "password": PASSWORD });
    assert_error(&ada.post(&app, DELETE_USER, body).await, INVALID_TOKEN);
    let body = json!({ "token": mail.token(), "password": PASSWORD });
    ada.post(&app, DELETE_USER, body).await.ok();
}

async fn a_token_for_another_purpose_deletes_nothing(engine: Engine) {
    let app = start_app(engine);
    let ada = sign_up_a_day_ago(&app, "ada").await;
    requested_deletion(&app, &ada, "ada@example.com").await;
    let key = app.database().value("SELECT mail_key FROM users").unwrap();
    let id = ada.user["id"].as_str().unwrap();
    let token_for = |purpose| encode(&app, (purpose, ""), id, "ada@example.com", &key);
    for purpose in [
        MailPurpose::PasswordReset,
        MailPurpose::EmailVerification,
        MailPurpose::EmailChange,
        MailPurpose::EmailChangeUndo,
    ] {
        let body = json!({ "token": token_for(purpose) });
        assert_error(&ada.post(&app, DELETE_USER, body).await, INVALID_TOKEN);
    }
    let body = json!({ "token": token_for(MailPurpose::AccountDeletion) });
    ada.post(&app, DELETE_USER, body).await.ok();
}

async fn parallel_deletions_with_one_token_delete_the_user_once(engine: Engine) {
    let app = start_app(engine);
    let ada = sign_up_a_day_ago(&app, "ada").await;
    let mail = requested_deletion(&app, &ada, "ada@example.com").await;
    let requests = (0..20).map(|_| {
        let body = json!({ "token": mail.token() });
        ada.post(&app, DELETE_USER, body).into_future()
    });
    let responses = join_all(requests).await;
    let statuses: Vec<_> = responses.iter().map(e2e::Response::status).collect();
    let wins = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(wins, 1, "{statuses:?}");
    // The other requests find no session, or no user.
    let is_expected = |status: &u16| matches!(status, 200 | 401 | 404);
    assert!(statuses.iter().all(is_expected), "{statuses:?}");
    assert_eq!(user_count(&app), "0");
}

async fn the_callback_redirects_to_the_page_and_deletes_nothing(engine: Engine) {
    let app = start_app(engine);
    let ada = sign_up_a_day_ago(&app, "ada").await;
    let mail = requested_deletion(&app, &ada, "ada@example.com").await;
    let token = mail.token();
    for (query, location) in [
        (format!("token={token}"), format!("/delete-account#{token}")),
        (
            format!("token={token}&callbackURL=/goodbye%3Fa=1"),
            format!("/delete-account?callbackURL=%2Fgoodbye%3Fa%3D1#{token}"),
        ),
    ] {
        let path = format!("{CALLBACK}?{query}");
        for request in [ada.get(&app, &path), app.anonymous().get(&path)] {
            let response = request.await.assert_status(302);
            assert_eq!(response.header("location"), Some(location.as_str()));
        }
    }
    assert_eq!(user_count(&app), "1");
    let path = format!("{CALLBACK}?token={token}&callbackURL=https://evil.example");
    let (code, message) = ("INVALID_CALLBACK_URL", "Invalid callbackURL");
    let response = app.anonymous().get(&path).await;
    assert_error(&response, (403, code, message));
    // A token for another purpose is rejected.
    let (reset_mail, _) = password_reset::requested_mail(&app, "ada@example.com").await;
    let path = format!("{CALLBACK}?token={}", reset_mail.token());
    assert_error(&ada.get(&app, &path).await, INVALID_TOKEN);
    let body = json!({ "token": token });
    ada.post(&app, DELETE_USER, body).await.ok();
}

async fn requests_for_mails_are_limited_per_network(engine: Engine) {
    let app = App::on(engine)
        .behind_proxy()
        .set("better-auth-delete-user", "true")
        .set("max-mail-requests-per-network", "1")
        .start();
    let ada = sign_up_a_day_ago(&app, "ada").await;
    let request = || {
        let request = ada.post(&app, DELETE_USER, json!({}));
        request.header("x-forwarded-for", "192.0.2.1")
    };
    request().await.ok();
    let message = "Too many requests. Please try again later.";
    assert_error(&request().await, (429, "", message));
    assert_eq!(count(&app, "outbox"), 1);
}

async fn unless_deletion_is_enabled_no_mail_is_sent(app: App) {
    let ada = sign_up_a_day_ago(&app, "ada").await;
    let response = ada.post(&app, DELETE_USER, json!({})).await;
    assert_404_without_body(&response);
    assert_eq!(count(&app, "outbox"), 0);
}

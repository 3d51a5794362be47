//! Tests `POST /api/auth/email-verification` and `POST /api/auth/email-verification/confirm`.

mod ownership;
mod repetition;
mod requests;
mod tokens;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use e2e::{App, Client, Mail, Request, Response, on_both_engines};
use serde_json::{Value, json};

use crate::sessions::fixtures::{count, get_session, login, refreshed, wait_until};

on_both_engines! {
    an_address_is_verified_with_the_link_of_the_mail,
    an_address_is_verified_with_the_code_of_the_mail,
    a_confirmation_starts_no_session_and_ends_no_session,
    the_next_tokens_say_that_the_address_is_verified,
}

pub(crate) const EMAIL_VERIFICATION: &str = "/api/auth/email-verification";
pub(crate) const CONFIRM: &str = "/api/auth/email-verification/confirm";

/// Returns the challenge id of a response with status 202 to a request for a mail, or to a registration.
#[track_caller]
pub(crate) fn challenge_id(response: Response) -> String {
    let text = response.assert_status(202).text();
    let body: Value = serde_json::from_str(&text).unwrap();
    body["challenge_id"].as_str().unwrap().to_owned()
}

/// Waits for the mail of this challenge.
pub(crate) async fn mail_of(app: &App, challenge_id: &str) -> Mail {
    let find_mail = || {
        let mut mails = app.mails().into_iter();
        mails.find(|mail| mail.name.contains(challenge_id))
    };
    wait_until("the mail is there", async || find_mail().is_some()).await;
    find_mail().unwrap()
}

/// Requests a mail for this address, and waits for it. Returns it with the challenge id.
pub(crate) async fn requested_mail(app: &App, email: &str) -> (Mail, String) {
    let body = json!({ "email": email });
    let response = app.anonymous().post(EMAIL_VERIFICATION, body).await;
    let challenge_id = challenge_id(response);
    (mail_of(app, &challenge_id).await, challenge_id)
}

/// Builds a confirmation from this caller with the token in the link.
pub(crate) fn confirm(caller: &Client, token: &str) -> Request {
    caller.post(CONFIRM, json!({ "token": token }))
}

/// Builds a confirmation with the token in the link and this password, without a session.
pub(crate) fn confirm_with_password(app: &App, token: &str, password: &str) -> Request {
    let body = json!({ "token": token, "password": password });
    app.anonymous().post(CONFIRM, body)
}

pub(crate) fn is_verified(app: &App, email: &str) -> bool {
    let condition = format!("users WHERE email = '{email}' AND email_verified");
    count(app, &condition) == 1
}

async fn an_address_is_verified_with_the_link_of_the_mail(app: App) {
    let ada = app.user("ada").await;
    let (mail, challenge_id) = requested_mail(&app, ada.email()).await;
    assert_eq!(mail.kind(), "email_verification");
    assert_eq!(mail.header("To"), ada.email());
    assert!(mail.link().starts_with("http://127.0.0.1:8080/verify#"));
    let message_id = format!("<{challenge_id}@api.example>");
    assert_eq!(mail.header("Message-ID"), message_id);
    assert!(!is_verified(&app, ada.email()));

    let account = ada.get("/api/auth/account").await.ok();
    let mut expected_user = account.clone();
    expected_user["email_verified"] = true.into();
    let body = confirm(&ada, mail.token()).await.ok();
    assert_eq!(body, json!({ "user": expected_user }));
    let ada = app.login_again(&ada).await;
    assert_eq!(ada.get("/api/auth/account").await.ok(), expected_user);
}

async fn an_address_is_verified_with_the_code_of_the_mail(app: App) {
    let ada = app.user("ada").await;
    let (mail, challenge_id) = requested_mail(&app, ada.email()).await;
    let (first, second) = mail.code().split_at(4);
    let body = json!({
        "challenge_id": challenge_id.to_uppercase(),
        "code": format!("{}-{second}", first.to_lowercase()),
        "password": ada.password(),
    });
    let response = app.anonymous().post(CONFIRM, body).await;
    assert_eq!(response.ok()["user"]["email_verified"], true);
    assert!(is_verified(&app, ada.email()));
}

async fn a_confirmation_starts_no_session_and_ends_no_session(app: App) {
    let ada = app.user("ada").await;
    let devices = [login(&app, &ada).await, login(&app, &ada).await];
    let (mail, _) = requested_mail(&app, ada.email()).await;
    let session_count = count(&app, "sessions");
    let response = confirm_with_password(&app, mail.token(), ada.password()).await;
    assert_eq!(response.header_values("set-cookie"), [""; 0]);
    let body = response.ok();
    let names: Vec<_> = body.as_object().unwrap().keys().collect();
    assert_eq!(names, ["user"]);
    assert_eq!(count(&app, "sessions"), session_count);
    assert_eq!(count(&app, "sessions WHERE revoked_at IS NOT NULL"), 0);
    for device in &devices {
        let new_device = refreshed(&app, device).await;
        let session = get_session(&app, &new_device.access).await.ok();
        assert_eq!(session["session"]["id"], device.session);
    }
}

/// Returns the claim `email_verified` of an access token, without verifying the token.
fn email_verified_claim(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(payload);
    let claims: Value = serde_json::from_slice(&bytes.unwrap()).unwrap();
    claims["email_verified"].clone()
}

async fn the_next_tokens_say_that_the_address_is_verified(app: App) {
    let ada = app.user("ada").await;
    let device = login(&app, &ada).await;
    let first = refreshed(&app, &device).await;
    assert_eq!(email_verified_claim(&first.access), false);
    let (mail, _) = requested_mail(&app, ada.email()).await;
    confirm(&ada, mail.token()).await.ok();
    app.clock.advance(Duration::from_secs(60));
    let second = refreshed(&app, &first).await;
    assert_eq!(email_verified_claim(&second.access), true);
    assert_eq!(email_verified_claim(&login(&app, &ada).await.access), true);
}

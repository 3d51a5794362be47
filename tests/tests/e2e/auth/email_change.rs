//! Tests `POST /api/auth/email-change`, `…/confirm` and `…/undo`.

mod codes;
mod races;
mod request_permission;
mod requests;
mod reserved;
mod taken;
mod tokens;
mod undo;
mod undo_tokens;

use auth_core::mail_token::{MailPurpose, MailToken, MailTokens};
use auth_core::{Keyring, Secret};
use e2e::{App, Client, Mail, Request, Response, on_both_engines};
use serde_json::{Value, json};

use super::login::{LOGIN, credentials};
use crate::better_auth::fixtures as better_auth;
use crate::mail::received;
use crate::sessions::fixtures::{
    ACCOUNT, Device, are_live, count, get_session, login, refreshed, user_with_device, wait_until,
};

on_both_engines! {
    an_address_is_changed_with_the_link_of_the_mail,
    an_address_is_changed_with_the_code_of_the_mail,
    the_previous_address_is_told_of_the_request_and_of_the_change,
    the_new_address_logs_in_and_the_previous_one_does_not,
    other_sessions_live_on_and_get_the_new_address_with_the_next_refresh,
    a_session_of_better_auth_shows_the_new_address_at_once,
    the_new_address_is_stored_in_its_canonical_spelling,
}

pub(crate) const EMAIL_CHANGE: &str = "/api/auth/email-change";
pub(crate) const CONFIRM: &str = "/api/auth/email-change/confirm";
pub(crate) const UNDO: &str = "/api/auth/email-change/undo";

pub(crate) fn change_body(password: &str, new_email: &str) -> Value {
    json!({ "password": password, "new_email": new_email })
}

pub(crate) fn change_request(user: &Client, new_email: &str) -> Request {
    user.post(EMAIL_CHANGE, change_body(user.password(), new_email))
}

#[track_caller]
pub(crate) fn challenge_id_of(response: Response) -> String {
    let text = response.assert_status(202).text();
    let body: Value = serde_json::from_str(&text).unwrap();
    body["challenge_id"].as_str().unwrap().to_owned()
}

/// Waits until this many mails of the kind were sent to the address, and returns them.
pub(crate) async fn mails_of_kind(
    app: &App,
    address: &str,
    kind: &str,
    expected_count: usize,
) -> Vec<Mail> {
    let find_mails = || {
        let mails = app.mails_to(address).into_iter();
        mails.filter(|mail| mail.kind() == kind).collect::<Vec<_>>()
    };
    wait_until("the mail is there", async || {
        find_mails().len() >= expected_count
    })
    .await;
    let mails = find_mails();
    assert_eq!(mails.len(), expected_count, "{mails:?}");
    mails
}

/// Requests a change, and waits for the mail to the new address. Returns the mail with the challenge id.
pub(crate) async fn requested_change(app: &App, user: &Client, new_email: &str) -> (Mail, String) {
    let challenge_id = challenge_id_of(change_request(user, new_email).await);
    let find_mail = || {
        let mut mails = app.mails_to(new_email).into_iter();
        mails.find(|mail| mail.name.contains(&challenge_id))
    };
    wait_until("the mail is there", async || find_mail().is_some()).await;
    (find_mail().unwrap(), challenge_id)
}

pub(crate) fn confirm_token(app: &App, token: &str) -> Request {
    app.anonymous().post(CONFIRM, json!({ "token": token }))
}

pub(crate) fn confirm_code(app: &App, challenge_id: &str, code: &str) -> Request {
    let body = json!({ "challenge_id": challenge_id, "code": code });
    app.anonymous().post(CONFIRM, body)
}

pub(crate) fn undo_request(app: &App, token: &str) -> Request {
    app.anonymous().post(UNDO, json!({ "token": token }))
}

#[track_caller]
pub(crate) fn assert_rejected(response: Response) {
    response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
}

/// Changes the user's address, and returns the mail to the previous address, with the link that undoes the change.
/// Advances the clock afterwards, so that later mails sort after this one.
pub(crate) async fn change(app: &App, user: &Client, old_email: &str, new_email: &str) -> Mail {
    let notices = |mails: Vec<Mail>| {
        mails
            .into_iter()
            .filter(|mail| mail.kind() == "email_changed")
    };
    let earlier_count = notices(app.mails_to(old_email)).count();
    let (mail, _) = requested_change(app, user, new_email).await;
    let response = confirm_token(app, mail.token()).await.ok();
    assert_eq!(response["user"]["email"], new_email);
    let mut mails = mails_of_kind(app, old_email, "email_changed", earlier_count + 1).await;
    app.clock.advance(std::time::Duration::from_secs(1));
    mails.pop().unwrap()
}

pub(crate) fn stored_email(app: &App, user: &Client) -> String {
    let query = format!("SELECT email FROM users WHERE id = '{}'", user.id());
    app.database().value(&query).unwrap()
}

pub(crate) fn mail_key(app: &App, user: &Client) -> String {
    let query = format!("SELECT mail_key FROM users WHERE id = '{}'", user.id());
    app.database().value(&query).unwrap()
}

/// Computes the token of a mail as the server would, with an expiry in the year 2096.
pub(crate) fn encode(
    app: &App,
    (purpose, detail): (MailPurpose, &str),
    user_id: &str,
    email: &str,
    key: &str,
) -> String {
    let tokens = MailTokens::new(&Keyring::new(Secret::new(app.secret()).unwrap()));
    let token = MailToken {
        purpose,
        user_id: user_id.to_owned(),
        expires_at: 4_000_000_000,
        detail: detail.to_owned(),
    };
    tokens.encode(&token, email, key).unwrap()
}

async fn an_address_is_changed_with_the_link_of_the_mail(app: App) {
    let ada = app.user("ada").await;
    let response = change_request(&ada, "ada@new.example").await;
    assert_eq!(response.header("content-type"), Some("application/json"));
    let text = response.assert_status(202).text();
    let body: Value = serde_json::from_str(&text).unwrap();
    let expected = json!({ "challenge_id": body["challenge_id"], "expires_in": 3600 });
    assert_eq!(body, expected);

    let mails = received(&app, "ada@new.example", 1).await;
    assert_eq!(mails[0].kind(), "email_change");
    let link_start = "http://127.0.0.1:8080/change-email#";
    assert!(mails[0].link().starts_with(link_start), "{:?}", mails[0]);
    // Until the change is confirmed, the account has its previous address.
    assert_eq!(ada.get(ACCOUNT).await.ok()["email"], ada.email());
    let token = login(&app, &ada).await.access;
    let session = get_session(&app, &token).await.ok();
    assert_eq!(session["user"]["email"], ada.email());

    app.clock.advance(std::time::Duration::from_secs(60));
    let response = confirm_token(&app, mails[0].token()).await;
    assert!(response.header_values("set-cookie").is_empty());
    let body = response.ok();
    let ada = app.login_at(&ada, "ada@new.example").await;
    let account = ada.get(ACCOUNT).await.ok();
    assert_eq!(body, json!({ "user": account }));
    assert_eq!(account["email"], "ada@new.example");
    assert_eq!(account["email_verified"], true);
    assert_eq!(account["updated_at"], "2026-11-20T12:58:51.869Z");
}

async fn an_address_is_changed_with_the_code_of_the_mail(app: App) {
    let ada = app.user("ada").await;
    let (mail, challenge_id) = requested_change(&app, &ada, "ada@new.example").await;
    let (first, second) = mail.code().split_at(4);
    let typed_code = format!(" {}-{} ", first.to_lowercase(), second);
    let response = confirm_code(&app, &challenge_id.to_uppercase(), &typed_code).await;
    assert_eq!(response.ok()["user"]["email"], "ada@new.example");
    assert_eq!(stored_email(&app, &ada), "ada@new.example");
    // The link of the same mail no longer works.
    assert_rejected(confirm_token(&app, mail.token()).await);
}

async fn the_previous_address_is_told_of_the_request_and_of_the_change(app: App) {
    let ada = app.user("ada").await;
    let (mail, _) = requested_change(&app, &ada, "ada@new.example").await;
    let notices = received(&app, ada.email(), 1).await;
    assert_eq!(notices[0].kind(), "email_change_requested");
    assert!(!notices[0].text.contains("ada@new.example"));
    assert!(!notices[0].text.contains(mail.token()));

    confirm_token(&app, mail.token()).await.ok();
    let undo_mails = mails_of_kind(&app, ada.email(), "email_changed", 1).await;
    let link_start = "http://127.0.0.1:8080/undo-email-change#";
    assert!(undo_mails[0].link().starts_with(link_start));
    let expiry = "23 November 2026, 12:57 UTC";
    assert!(undo_mails[0].text.contains(expiry), "{:?}", undo_mails[0]);
    assert!(!undo_mails[0].text.contains("ada@new.example"));
    assert_eq!(app.mails_to("ada@new.example").len(), 1);
}

async fn the_new_address_logs_in_and_the_previous_one_does_not(app: App) {
    let ada = app.user("ada").await;
    change(&app, &ada, ada.email(), "ada@new.example").await;
    let old_credentials = credentials(ada.email(), ada.password());
    let response = app.anonymous().post(LOGIN, old_credentials).await;
    response.problem(401, "INVALID_EMAIL_OR_PASSWORD");
    let new_credentials = credentials("ada@new.example", ada.password());
    let grant = app.anonymous().post(LOGIN, new_credentials).await.ok();
    assert_eq!(grant["user"]["id"], ada.id());
}

async fn other_sessions_live_on_and_get_the_new_address_with_the_next_refresh(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let caller = app.bearer(device.access.as_str());
    let caller = caller.with_login(ada.email(), ada.password());
    change(&app, &caller, ada.email(), "ada@new.example").await;
    assert_eq!(are_live(&app, [&device]), [true]);
    // The session goes on, but its access token contains the previous address and is rejected.
    let response = get_session(&app, &device.access).await;
    response.problem(401, "TOKEN_STALE");
    let new_device: Device = refreshed(&app, &device).await;
    let session = get_session(&app, &new_device.access).await.ok();
    assert_eq!(session["user"]["email"], "ada@new.example");
    assert_eq!(session["session"]["id"], device.session);
}

async fn a_session_of_better_auth_shows_the_new_address_at_once(app: App) {
    let browser = better_auth::sign_up(&app, "ada").await;
    let caller = login_of(&app, "ada@example.com", better_auth::PASSWORD).await;
    change(&app, &caller, "ada@example.com", "ada@new.example").await;
    let user = browser.session(&app).await["user"].clone();
    assert_eq!(user["email"], "ada@new.example");
    assert_eq!(user["emailVerified"], true);
    let body = browser.get(&app, "/api/auth/token").await.ok();
    let session = get_session(&app, body["token"].as_str().unwrap())
        .await
        .ok();
    assert_eq!(session["user"]["email"], "ada@new.example");
}

/// Logs in, and returns a caller with the new session.
async fn login_of(app: &App, email: &str, password: &str) -> Client {
    let response = app
        .anonymous()
        .post(LOGIN, credentials(email, password))
        .await;
    let grant = response.ok();
    let caller = app.bearer(grant["access_token"].as_str().unwrap());
    let caller = caller.with_id(grant["user"]["id"].as_str().unwrap());
    caller.with_login(email, password)
}

async fn the_new_address_is_stored_in_its_canonical_spelling(app: App) {
    let ada = app.user("ada").await;
    let challenge_id = challenge_id_of(change_request(&ada, "ADA@EXÄMPLE.de").await);
    let mails = received(&app, "ada@xn--exmple-cua.de", 1).await;
    let response = confirm_code(&app, &challenge_id, mails[0].code()).await;
    assert_eq!(response.ok()["user"]["email"], "ada@xn--exmple-cua.de");
    let body = credentials("ada@exämple.de", ada.password());
    app.anonymous().post(LOGIN, body).await.ok();
    assert_eq!(count(&app, "email_undos WHERE length(key) = 43"), 1);
}

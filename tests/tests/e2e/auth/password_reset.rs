//! Tests `POST /api/auth/password-reset` and `POST /api/auth/password-reset/confirm`.

mod codes;
mod requests;
mod squatting;
mod tokens;

use e2e::{App, Mail, Request, log_lines, on_both_engines};
use serde_json::{Value, json};

use super::login::{LOGIN, credentials};
use crate::mail::{received, until_nothing_waits};
use crate::sessions::fixtures::{
    Device, SERVER_ORIGIN, are_live, count, get_session, login, refresh, refreshed,
    user_with_device, wait_until,
};

on_both_engines! {
    a_forgotten_password_is_replaced_with_the_link_of_the_mail,
    a_forgotten_password_is_replaced_with_the_code_of_the_mail,
    a_reset_ends_every_session_and_every_token_of_the_account,
    a_reset_ends_more_sessions_than_one_transaction_does,
    a_reset_verifies_the_address_and_tells_the_owner,
    an_account_without_a_password_gets_one,
    a_browser_that_resets_the_password_gets_new_cookies_and_its_old_session_ends,
    the_sessions_of_other_users_stay,
}

pub(crate) const PASSWORD_RESET: &str = "/api/auth/password-reset";
pub(crate) const CONFIRM: &str = "/api/auth/password-reset/confirm";
pub(crate) const NEW_PASSWORD: &str = "another good password";

/// Requests a mail for this address, and returns the challenge id.
pub(crate) async fn request_reset(app: &App, email: &str) -> String {
    let body = json!({ "email": email });
    let response = app.anonymous().post(PASSWORD_RESET, body).await;
    let text = response.assert_status(202).text();
    let body: Value = serde_json::from_str(&text).unwrap();
    body["challenge_id"].as_str().unwrap().to_owned()
}

/// Requests a mail for this address, and waits for it. Returns it with the challenge id.
pub(crate) async fn requested_mail(app: &App, email: &str) -> (Mail, String) {
    let challenge_id = request_reset(app, email).await;
    let find_mail = || {
        let mut mails = app.mails_to(email).into_iter();
        mails.find(|mail| mail.name.contains(&challenge_id))
    };
    wait_until("the mail is there", async || find_mail().is_some()).await;
    (find_mail().unwrap(), challenge_id)
}

pub(crate) fn confirm_token(app: &App, token: &str) -> Request {
    let body = json!({ "token": token, "new_password": NEW_PASSWORD });
    app.anonymous().post(CONFIRM, body)
}

pub(crate) fn confirm_code(app: &App, challenge_id: &str, code: &str) -> Request {
    let body = json!({ "challenge_id": challenge_id, "code": code, "new_password": NEW_PASSWORD });
    app.anonymous().post(CONFIRM, body)
}

async fn assert_password(app: &App, email: &str, right: &str, wrong: &str) {
    let response = app.anonymous().post(LOGIN, credentials(email, wrong)).await;
    response.problem(401, "INVALID_EMAIL_OR_PASSWORD");
    let response = app.anonymous().post(LOGIN, credentials(email, right)).await;
    response.ok();
}

async fn a_forgotten_password_is_replaced_with_the_link_of_the_mail(app: App) {
    let ada = app.user("ada").await;
    let (mail, challenge_id) = requested_mail(&app, ada.email()).await;
    assert!(mail.link().starts_with("http://127.0.0.1:8080/reset#"));
    assert_eq!(mail.kind(), "password_reset");
    let message_id = format!("<{challenge_id}@api.example>");
    assert_eq!(mail.header("Message-ID"), message_id);
    assert_eq!(mail.header("Date"), "Fri, 20 Nov 2026 12:57:51 +0000");
    // Without `SMTP_URL`, the log has the file and the link of the mail.
    until_nothing_waits(&app).await;
    let lines = log_lines::find(mail.link());
    assert!(lines[0].contains(&mail.name), "{lines:?}");
    assert!(
        mail.text.contains("20 November 2026, 13:57 UTC"),
        "{mail:?}"
    );

    let response = confirm_token(&app, mail.token()).await;
    assert_eq!(response.header_values("set-cookie").len(), 2);
    let grant = response.ok();
    let device = Device::from_response(&grant);
    let expected = json!({
        "user": app.bearer(device.access.as_str()).get("/api/auth/account").await.ok(),
        "access_token": grant["access_token"],
        "token_type": "Bearer",
        "expires_in": 900,
        "refresh_token": grant["refresh_token"],
        "session_id": grant["session_id"],
    });
    assert_eq!(grant, expected);
    refreshed(&app, &device).await;
    assert_password(&app, ada.email(), NEW_PASSWORD, ada.password()).await;
}

async fn a_forgotten_password_is_replaced_with_the_code_of_the_mail(app: App) {
    let ada = app.user("ada").await;
    let (mail, challenge_id) = requested_mail(&app, ada.email()).await;
    // People type codes in lower case and in groups, and apps may send the challenge id in capitals.
    let (first, second) = mail.code().split_at(4);
    let typed_code = format!(" {}-{} ", first.to_lowercase(), second);
    let response = confirm_code(&app, &challenge_id.to_uppercase(), &typed_code).await;
    get_session(&app, &Device::from_response(&response.ok()).access)
        .await
        .ok();
    assert_password(&app, ada.email(), NEW_PASSWORD, ada.password()).await;
    // The link of the same mail no longer works.
    let response = confirm_token(&app, mail.token()).await;
    response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
}

async fn a_reset_ends_every_session_and_every_token_of_the_account(app: App) {
    let (ada, first_device) = user_with_device(&app, "ada").await;
    let second_device = login(&app, &ada).await;
    let (mail, _) = requested_mail(&app, ada.email()).await;
    let new_device = Device::from_response(&confirm_token(&app, mail.token()).await.ok());
    for device in [&first_device, &second_device] {
        get_session(&app, &device.access)
            .await
            .problem(401, "TOKEN_REVOKED");
        let response = refresh(&app, &device.refresh).await;
        response.problem(401, "SESSION_EXPIRED");
    }
    assert_eq!(
        are_live(&app, [&first_device, &second_device, &new_device]),
        [false, false, true]
    );
    // Other services learn of the ended session from the table `revocations`.
    let revocations = format!("revocations WHERE session_id = '{}'", first_device.session);
    assert_eq!(count(&app, &revocations), 1);
}

async fn a_reset_ends_more_sessions_than_one_transaction_does(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    crate::sessions::fixtures::clone_sessions(&app, &device.session, 450);
    let (mail, _) = requested_mail(&app, ada.email()).await;
    confirm_token(&app, mail.token()).await.ok();
    assert_eq!(count(&app, "sessions WHERE revoked_at IS NULL"), 1);
}

async fn a_reset_verifies_the_address_and_tells_the_owner(app: App) {
    let ada = app.user("ada").await;
    let account = ada.get("/api/auth/account").await.ok();
    assert_eq!(account["email_verified"], false);
    let (mail, _) = requested_mail(&app, ada.email()).await;
    let grant = confirm_token(&app, mail.token()).await.ok();
    assert_eq!(grant["user"]["email_verified"], true);
    let mails = received(&app, ada.email(), 2).await;
    let kinds: Vec<_> = mails.iter().map(Mail::kind).collect();
    assert!(kinds.contains(&"password_changed"), "{kinds:?}");
}

async fn an_account_without_a_password_gets_one(app: App) {
    let ada = app.user("ada").await;
    app.database()
        .execute("UPDATE users SET password_hash = NULL");
    let (mail, _) = requested_mail(&app, ada.email()).await;
    confirm_token(&app, mail.token()).await.ok();
    assert_password(&app, ada.email(), NEW_PASSWORD, ada.password()).await;
}

async fn a_browser_that_resets_the_password_gets_new_cookies_and_its_old_session_ends(app: App) {
    let (_, eve_device) = user_with_device(&app, "eve").await;
    let ada = app.user("ada").await;
    let (mail, _) = requested_mail(&app, ada.email()).await;
    let request = confirm_token(&app, mail.token())
        .header("cookie", &eve_device.cookies())
        .header("origin", SERVER_ORIGIN);
    let response = request.await;
    let cookies = crate::http::cookies::cookies_after(&response);
    let session_id = response.ok()["session_id"].clone();
    let session_request = app.anonymous().get("/api/auth/session");
    let session = session_request
        .header("cookie", &cookies)
        .header("origin", SERVER_ORIGIN);
    assert_eq!(session.await.ok()["session"]["id"], session_id);
    // In the browser, the new cookies have replaced those of Eve's session, so the reset has ended Eve's session.
    assert_eq!(are_live(&app, [&eve_device]), [false]);
}

async fn the_sessions_of_other_users_stay(app: App) {
    let (_, eve_device) = user_with_device(&app, "eve").await;
    let ada = app.user("ada").await;
    let (mail, _) = requested_mail(&app, ada.email()).await;
    confirm_token(&app, mail.token()).await.ok();
    assert_eq!(are_live(&app, [&eve_device]), [true]);
    get_session(&app, &eve_device.access).await.ok();
}

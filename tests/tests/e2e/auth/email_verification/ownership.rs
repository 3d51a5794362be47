//! Tests that a mail alone does not verify an address: a session of the account or its password is required as well.

use std::time::Duration;

use e2e::{App, Engine, on_both_engines};
use futures_util::future::join_all;
use serde_json::json;

use super::{CONFIRM, confirm, confirm_with_password, is_verified, requested_mail};
use crate::better_auth::fixtures::{PASSWORD, sign_up};
use crate::sessions::fixtures::{LOGOUT, SERVER_ORIGIN, login};

on_both_engines! {
    without_a_session_the_password_is_required,
    a_wrong_password_does_not_use_up_the_mail,
    the_session_of_another_user_does_not_suffice,
    the_password_suffices_in_the_session_of_another_user,
    an_account_without_a_password_is_verified_by_its_session,
    a_session_that_has_ended_does_not_suffice,
    an_expired_token_is_reported_unless_the_password_is_right,
    cookies_suffice_only_from_a_trusted_origin,
    a_session_of_better_auth_suffices_from_a_trusted_origin,
    an_invalid_proof_is_reported_before_a_missing_password,
    wrong_passwords_are_limited_like_those_of_a_login,
    the_link_alone_verifies_no_address_that_another_person_registered,
}

async fn without_a_session_the_password_is_required(app: App) {
    let ada = app.user("ada").await;
    let (mail, challenge_id) = requested_mail(&app, ada.email()).await;
    let code = json!({ "challenge_id": challenge_id, "code": mail.code() });
    for body in [json!({ "token": mail.token() }), code] {
        // The refusals use up neither the token nor the five tries of the code.
        for _ in 0..6 {
            let response = app.anonymous().post(CONFIRM, body.clone()).await;
            response.problem(403, "PASSWORD_REQUIRED");
        }
    }
    assert!(!is_verified(&app, ada.email()));
    let response = confirm_with_password(&app, mail.token(), ada.password()).await;
    response.ok();
    assert!(is_verified(&app, ada.email()));
}

async fn a_wrong_password_does_not_use_up_the_mail(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let (mail, _) = requested_mail(&app, ada.email()).await;
    for password in ["not the password", eve.password()] {
        let response = confirm_with_password(&app, mail.token(), password).await;
        let problem = response.problem(403, "PASSWORD_REQUIRED");
        let detail = "The password is wrong; enter the password of the account";
        assert_eq!(problem["detail"], detail);
    }
    assert!(!is_verified(&app, ada.email()));
    confirm(&ada, mail.token()).await.ok();
}

async fn the_session_of_another_user_does_not_suffice(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let (mail, _) = requested_mail(&app, ada.email()).await;
    let response = confirm(&eve, mail.token()).await;
    response.problem(403, "PASSWORD_REQUIRED");
    assert!(!is_verified(&app, ada.email()));
    assert!(!is_verified(&app, eve.email()));
    confirm(&ada, mail.token()).await.ok();
}

async fn the_password_suffices_in_the_session_of_another_user(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let (mail, _) = requested_mail(&app, ada.email()).await;
    let body = json!({ "token": mail.token(), "password": ada.password() });
    let verified = eve.post(CONFIRM, body).await.ok();
    assert_eq!(verified["user"]["id"], ada.id());
    assert!(!is_verified(&app, eve.email()));
    eve.get("/api/auth/session").await.ok();
}

async fn an_account_without_a_password_is_verified_by_its_session(app: App) {
    let ada = app.user("ada").await;
    app.database()
        .execute("UPDATE users SET password_hash = NULL");
    let (mail, _) = requested_mail(&app, ada.email()).await;
    let response = confirm_with_password(&app, mail.token(), ada.password()).await;
    response.problem(403, "PASSWORD_REQUIRED");
    confirm(&ada, mail.token()).await.ok();
}

async fn a_session_that_has_ended_does_not_suffice(app: App) {
    let ada = app.user("ada").await;
    let (mail, _) = requested_mail(&app, ada.email()).await;
    ada.post(LOGOUT, json!({})).await.ok();
    let response = confirm(&ada, mail.token()).await;
    response.problem(401, "TOKEN_REVOKED");
    let response = confirm(&app.bearer("junk"), mail.token()).await;
    response.problem(401, "INVALID_TOKEN");
    assert!(!is_verified(&app, ada.email()));
}

async fn an_expired_token_is_reported_unless_the_password_is_right(app: App) {
    let ada = app.user("ada").await;
    let (mail, _) = requested_mail(&app, ada.email()).await;
    app.clock.advance(Duration::from_secs(60 * 60));
    // A client would now refresh the token, and send the request again.
    let response = confirm(&ada, mail.token()).await;
    response.problem(401, "TOKEN_EXPIRED");
    let wrong = json!({ "token": mail.token(), "password": "not the password" });
    let response = ada.post(CONFIRM, wrong).await;
    response.problem(403, "PASSWORD_REQUIRED");
    let right = json!({ "token": mail.token(), "password": ada.password() });
    ada.post(CONFIRM, right).await.ok();
}

async fn cookies_suffice_only_from_a_trusted_origin(app: App) {
    let ada = app.user("ada").await;
    let device = login(&app, &ada).await;
    let (mail, _) = requested_mail(&app, ada.email()).await;
    let request = |origin: &str| {
        let request = confirm(&app.anonymous(), mail.token());
        let request = request.header("cookie", &device.cookies());
        request.header("origin", origin)
    };
    let response = request("https://evil.example").await;
    response.problem(403, "UNTRUSTED_ORIGIN");
    assert!(!is_verified(&app, ada.email()));
    request(SERVER_ORIGIN).await.ok();
}

async fn a_session_of_better_auth_suffices_from_a_trusted_origin(app: App) {
    let browser = sign_up(&app, "ada").await;
    let eve_browser = sign_up(&app, "eve").await;
    let (mail, _) = requested_mail(&app, "ada@example.com").await;
    let request = |cookies: &str, origin: &str| {
        let request = confirm(&app.anonymous(), mail.token());
        request.header("cookie", cookies).header("origin", origin)
    };
    for (cookies, origin) in [
        (browser.cookies.as_str(), "https://evil.example"),
        (eve_browser.cookies.as_str(), SERVER_ORIGIN),
        ("better-auth.session_token=junk", SERVER_ORIGIN),
    ] {
        let response = request(cookies, origin).await;
        response.problem(403, "PASSWORD_REQUIRED");
    }
    let verified = request(&browser.cookies, SERVER_ORIGIN).await.ok();
    assert_eq!(verified["user"]["email_verified"], true);
    let session = browser.session(&app).await;
    assert_eq!(session["user"]["emailVerified"], true);
}

async fn an_invalid_proof_is_reported_before_a_missing_password(app: App) {
    let ada = app.user("ada").await;
    let (mail, challenge_id) = requested_mail(&app, ada.email()).await;
    let invalid_token = json!({ "token": format!("{}A", mail.token()) });
    let wrong_code = json!({ "challenge_id": challenge_id, "code": "WRNGCDE2" });
    for mut body in [invalid_token, wrong_code] {
        let response = app.anonymous().post(CONFIRM, body.clone()).await;
        response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
        body["password"] = ada.password().into();
        let response = app.anonymous().post(CONFIRM, body).await;
        response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
    }
}

async fn wrong_passwords_are_limited_like_those_of_a_login(engine: Engine) {
    let app = App::on(engine)
        .behind_proxy()
        .set("max-failed-logins-per-network", "2")
        .start();
    let ada = app.user("ada").await;
    let (mail, _) = requested_mail(&app, ada.email()).await;
    let request = |password: &str| {
        let request = confirm_with_password(&app, mail.token(), password);
        request.header("x-forwarded-for", "192.0.2.1").into_future()
    };
    let responses = join_all((0..5).map(|_| request("not the password"))).await;
    let mut statuses: Vec<_> = responses.iter().map(e2e::Response::status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [403, 403, 429, 429, 429]);
    let response = request(ada.password()).await;
    response.problem(429, "TOO_MANY_REQUESTS");
    // With a session, no password is needed.
    confirm(&ada, mail.token()).await.ok();
}

/// Eve has registered Ada's address. Ada follows the link of the mail.
async fn the_link_alone_verifies_no_address_that_another_person_registered(engine: Engine) {
    let app = App::on(engine)
        .set("email-verification", "optional")
        .start();
    let body = json!({ "email": "ada@example.com", "password": PASSWORD, "name": "Eve" });
    let response = app.anonymous().post("/api/auth/register", body).await;
    let token_of_eve = response.created()["access_token"].clone();
    let mails = crate::mail::received(&app, "ada@example.com", 1).await;
    for password in ["", "a password that Ada likes"] {
        let response = match password {
            "" => confirm(&app.anonymous(), mails[0].token()).await,
            _ => confirm_with_password(&app, mails[0].token(), password).await,
        };
        response.problem(403, "PASSWORD_REQUIRED");
    }
    assert!(!is_verified(&app, "ada@example.com"));
    // Eve has a session of the account, but not the mail.
    let eve = app.bearer(token_of_eve.as_str().unwrap());
    let account = eve.get("/api/auth/account").await.ok();
    assert_eq!(account["email_verified"], false);
}

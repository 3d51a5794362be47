//! Tests that the owner of an address takes back an account that another person registered with this address.

use e2e::{App, Client, on_both_engines};
use serde_json::json;

use super::{NEW_PASSWORD, PASSWORD_RESET, assert_password, confirm_token, requested_mail};
use crate::auth::email_verification;
use crate::better_auth::fixtures::{Browser, GET_SESSION};
use crate::sessions::fixtures::{Device, LOGOUT, login, refresh, until_rejected};

on_both_engines! {
    the_squatter_keeps_neither_password_nor_sessions_nor_access_to_the_tasks,
    the_mails_that_the_squatter_requested_are_void,
    another_process_rejects_the_tokens_of_the_squatter_too,
}

/// Eve registers Ada's address. Returns Eve, with her token.
async fn squatter(app: &App) -> Client {
    let body = json!({ "email": "ada@example.com", "password": "Eve's password" });
    let response = app.anonymous().post("/api/auth/register", body).await;
    let grant = response.created();
    app.bearer(grant["access_token"].as_str().unwrap())
        .with_id(grant["user"]["id"].as_str().unwrap())
        .with_login("ada@example.com", "Eve's password")
}

/// Ada resets the password of the account. Returns Ada's new session.
async fn take_back(app: &App) -> Device {
    let (mail, _) = requested_mail(app, "ada@example.com").await;
    Device::from_response(&confirm_token(app, mail.token()).await.ok())
}

async fn the_squatter_keeps_neither_password_nor_sessions_nor_access_to_the_tasks(app: App) {
    let eve = squatter(&app).await;
    let task = eve.new_task("Eve's task").await;
    let device = login(&app, &eve).await;
    let service_token_body = json!({ "audience": "reports" });
    let browser_body = json!({ "email": eve.email(), "password": eve.password() });
    let sign_in_response = app
        .anonymous()
        .post("/api/auth/sign-in/email", browser_body)
        .await;
    let browser = Browser::from_response(&sign_in_response);
    let ada_device = take_back(&app).await;

    assert_password(&app, "ada@example.com", NEW_PASSWORD, "Eve's password").await;
    let eve_elsewhere = app.bearer(device.access.as_str()).with_id(eve.id());
    for caller in [&eve, &eve_elsewhere] {
        for path in [eve.tasks(), eve.task(&task["id"]), "/api/tasks".to_owned()] {
            let response = caller.get(&path).await;
            response.problem(401, "TOKEN_REVOKED");
        }
        let response = caller.post(&eve.tasks(), json!({ "title": "x" })).await;
        response.problem(401, "TOKEN_REVOKED");
        let response = caller
            .post("/api/auth/token", service_token_body.clone())
            .await;
        response.problem(401, "TOKEN_REVOKED");
    }
    let response = refresh(&app, &device.refresh).await;
    response.problem(401, "SESSION_EXPIRED");
    assert!(browser.get(&app, GET_SESSION).await.ok().is_null());

    // The tasks stay, because the owner may have written them before the address was verified.
    let ada = app.bearer(ada_device.access).with_id(eve.id());
    let tasks = ada.all_tasks().await;
    assert_eq!(tasks[0]["title"], "Eve's task");
    ada.new_task("Ada's task").await;
    assert_eq!(ada.all_tasks().await.as_array().unwrap().len(), 2);
}

async fn the_mails_that_the_squatter_requested_are_void(app: App) {
    let eve = squatter(&app).await;
    let (verification_mail, challenge_id) =
        email_verification::requested_mail(&app, eve.email()).await;
    let response = eve
        .post(PASSWORD_RESET, json!({ "email": eve.email() }))
        .await;
    let _accepted = response.assert_status(202);
    let ada_device = take_back(&app).await;
    let ada = app.bearer(ada_device.access);
    let code = json!({ "challenge_id": challenge_id, "code": verification_mail.code() });
    for response in [
        email_verification::confirm(&eve, verification_mail.token()).await,
        eve.post(email_verification::CONFIRM, code.clone()).await,
    ] {
        response.problem(401, "TOKEN_REVOKED");
    }
    let response = ada.post(email_verification::CONFIRM, code).await;
    response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
    // Eve's password does not help, because the reset has made the token of the mail invalid.
    let token = verification_mail.token();
    let request = email_verification::confirm_with_password(&app, token, "Eve's password");
    request.await.problem(400, "INVALID_OR_EXPIRED_TOKEN");
}

async fn another_process_rejects_the_tokens_of_the_squatter_too(app: App) {
    let eve = squatter(&app).await;
    let other_process = app.another_process().start();
    let eve_elsewhere = other_process.bearer(eve.token()).with_id(eve.id());
    eve_elsewhere.get(&eve.tasks()).await.ok();
    take_back(&app).await;
    until_rejected(&other_process, eve.token(), "TOKEN_REVOKED").await;
    let response = eve_elsewhere.get(&eve.tasks()).await;
    response.problem(401, "TOKEN_REVOKED");
    let response = eve_elsewhere.post(LOGOUT, json!({})).await;
    response.ok();
}

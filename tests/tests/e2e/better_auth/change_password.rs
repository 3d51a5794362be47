//! Tests `POST /api/auth/change-password` in Better Auth's format, and which of the two APIs handles a request.

use std::time::Duration;

use e2e::{App, Response, on_both_engines};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::fixtures::*;
use crate::sessions::fixtures::MAX_REVOCATION_DELAY;

on_both_engines! {
    every_session_is_revoked_and_the_cookie_has_a_new_session,
    with_revoke_other_sessions_the_body_has_the_new_token,
    the_new_session_is_not_remembered_if_the_old_session_is_not_remembered,
    a_bearer_client_gets_the_new_token_in_a_header,
    no_process_accepts_earlier_tokens_after_the_change,
    of_two_parallel_changes_one_succeeds,
    every_failure_has_its_code_and_message,
    the_body_selects_the_api,
    an_account_without_a_password_cannot_change_the_password,
}

const NEW_PASSWORD: &str = "another good password";

async fn can_ada_sign_in_with(app: &App, password: &str) -> bool {
    let body = json!({ "email": "ada@example.com", "password": password });
    app.anonymous().post(SIGN_IN, body).await.status() == 200
}

/// Returns the browser with the new token and cookies from the response to a change of password.
fn browser_after_change(response: &Response, old_browser: &Browser) -> Browser {
    let token_header = response.header("set-auth-token").unwrap();
    let set_cookies = response.header_values("set-cookie").into_iter();
    let kept_cookies = set_cookies.filter(|cookie| !cookie.contains("Max-Age=0"));
    let cookie_pairs = kept_cookies.map(|cookie| cookie.split(';').next().unwrap());
    let cookies = cookie_pairs.collect::<Vec<_>>().join("; ");
    assert_eq!(signed_token(&cookies), token_header);
    Browser {
        token: token_header.split('.').next().unwrap().to_owned(),
        cookies,
        user: old_browser.user.clone(),
    }
}

async fn every_session_is_revoked_and_the_cookie_has_a_new_session(app: App) {
    let mut ada = sign_up(&app, "ada").await;
    for body in [
        json!({ "currentPassword": PASSWORD, "newPassword": NEW_PASSWORD }),
        json!({ "currentPassword": NEW_PASSWORD, "newPassword": PASSWORD, "revokeOtherSessions": false }),
    ] {
        let sign_in_body =
            json!({ "email": "ada@example.com", "password": body["currentPassword"] });
        let phone = Browser::from_response(
            &app.anonymous()
                .post(SIGN_IN, sign_in_body)
                .await
                .assert_status(200),
        );
        let access_token = ada.get(&app, "/api/auth/token").await.ok()["token"].clone();
        let response = ada.post(&app, CHANGE_PASSWORD, body).await;
        let new_browser = browser_after_change(&response, &ada);
        assert_eq!(response.ok(), json!({ "token": null, "user": ada.user }));
        assert_ne!(new_browser.token, ada.token);
        assert_eq!(
            new_browser.session(&app).await["session"]["token"],
            new_browser.token
        );
        assert!(!ada.is_signed_in(&app).await && !phone.is_signed_in(&app).await);
        let thief_with_session_token = app.bearer(ada.token.as_str());
        assert_eq!(
            thief_with_session_token.get(GET_SESSION).await.ok(),
            Value::Null
        );
        let thief_with_access_token = app.bearer(access_token.as_str().unwrap());
        let response = thief_with_access_token.get("/api/auth/session").await;
        response.problem(401, "TOKEN_REVOKED");
        ada = new_browser;
    }
    assert!(
        can_ada_sign_in_with(&app, PASSWORD).await
            && !can_ada_sign_in_with(&app, NEW_PASSWORD).await
    );
}

async fn with_revoke_other_sessions_the_body_has_the_new_token(app: App) {
    let ada = sign_up(&app, "ada").await;
    let body = json!({
        "currentPassword": PASSWORD, "newPassword": NEW_PASSWORD, "revokeOtherSessions": true,
    });
    let response = ada
        .post(&app, CHANGE_PASSWORD, body)
        .await
        .assert_status(200);
    let new_browser = Browser::from_response(&response);
    assert_eq!(
        new_browser.token,
        browser_after_change(&response, &ada).token
    );
    assert_eq!(new_browser.user, ada.user);
    assert!(new_browser.is_signed_in(&app).await && !ada.is_signed_in(&app).await);
}

async fn the_new_session_is_not_remembered_if_the_old_session_is_not_remembered(app: App) {
    sign_up(&app, "ada").await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD, "rememberMe": false });
    let ada = Browser::from_response(&app.anonymous().post(SIGN_IN, body).await.assert_status(200));
    let body = json!({ "currentPassword": PASSWORD, "newPassword": NEW_PASSWORD });
    let response = ada
        .post(&app, CHANGE_PASSWORD, body)
        .await
        .assert_status(200);
    let cookies = response.header_values("set-cookie");
    assert!(cookies.iter().all(|cookie| !cookie.contains("Max-Age")));
    let new_browser = browser_after_change(&response, &ada);
    assert!(new_browser.cookies.contains("better-auth.dont_remember="));
    app.clock.advance(Duration::from_secs(86_399));
    assert!(new_browser.is_signed_in(&app).await);
    app.clock.advance(Duration::from_secs(1));
    assert!(!new_browser.is_signed_in(&app).await);
}

async fn a_bearer_client_gets_the_new_token_in_a_header(app: App) {
    let ada = sign_up(&app, "ada").await;
    let body = json!({ "currentPassword": PASSWORD, "newPassword": NEW_PASSWORD });
    let old_client = app.bearer(ada.token.as_str());
    let response = old_client.post(CHANGE_PASSWORD, body).await;
    let exposed_headers = response.header("access-control-expose-headers");
    assert_eq!(exposed_headers, Some("set-auth-token"));
    let new_client = app.bearer(response.header("set-auth-token").unwrap());
    assert_eq!(response.ok()["token"], Value::Null);
    assert_eq!(new_client.get(GET_SESSION).await.ok()["user"], ada.user);
    assert_error(&old_client.get(LIST_SESSIONS).await, UNAUTHORIZED);
}

async fn no_process_accepts_earlier_tokens_after_the_change(app: App) {
    let other_process = app.another_process().start();
    let ada = sign_up(&app, "ada").await;
    let access_token = ada.get(&other_process, "/api/auth/token").await.ok()["token"].clone();
    let thief = other_process.bearer(access_token.as_str().unwrap());
    thief.get("/api/auth/session").await.ok();
    let body = json!({ "currentPassword": PASSWORD, "newPassword": NEW_PASSWORD });
    let response = ada.post(&app, CHANGE_PASSWORD, body).await;
    assert!(
        browser_after_change(&response, &ada)
            .is_signed_in(&other_process)
            .await
    );
    // A process looks up the session of a cookie in the database, so it rejects the old cookie immediately. It rejects
    // the old access token only after it has read the revocation.
    assert!(!ada.is_signed_in(&other_process).await);
    let started = Instant::now();
    while thief.get("/api/auth/session").await.code() != "TOKEN_REVOKED" {
        assert!(started.elapsed() < MAX_REVOCATION_DELAY);
        sleep(Duration::from_millis(10)).await;
    }
}

async fn of_two_parallel_changes_one_succeeds(app: App) {
    let (ada, phone) = (
        sign_up(&app, "ada").await,
        sign_in(&app, "ada@example.com").await,
    );
    let build_body =
        |new_password: &str| json!({ "currentPassword": PASSWORD, "newPassword": new_password });
    let (ada_response, phone_response) = tokio::join!(
        ada.post(&app, CHANGE_PASSWORD, build_body(NEW_PASSWORD))
            .into_future(),
        phone
            .post(&app, CHANGE_PASSWORD, build_body("yet another password"))
            .into_future(),
    );
    let has_succeeded = [ada_response.status() == 200, phone_response.status() == 200];
    assert!(
        has_succeeded == [true, false] || has_succeeded == [false, true],
        "{has_succeeded:?}"
    );
    assert_eq!(
        can_ada_sign_in_with(&app, NEW_PASSWORD).await,
        has_succeeded[0]
    );
    let (successful_response, failed_response) = if has_succeeded[0] {
        (ada_response, phone_response)
    } else {
        (phone_response, ada_response)
    };
    assert!(
        matches!(failed_response.status(), 400 | 401),
        "{}",
        failed_response.text()
    );
    assert!(
        browser_after_change(&successful_response, &ada)
            .is_signed_in(&app)
            .await
    );
    assert!(!ada.is_signed_in(&app).await && !phone.is_signed_in(&app).await);
}

async fn every_failure_has_its_code_and_message(app: App) {
    let ada = sign_up(&app, "ada").await;
    for (current_password, new_password, expected) in [
        (
            "wrong password",
            NEW_PASSWORD,
            (400, "INVALID_PASSWORD", "Invalid password"),
        ),
        (
            "",
            NEW_PASSWORD,
            (400, "INVALID_PASSWORD", "Invalid password"),
        ),
        (
            PASSWORD,
            "1234567",
            (400, "PASSWORD_TOO_SHORT", "Password too short"),
        ),
        (
            PASSWORD,
            &"x".repeat(129),
            (400, "PASSWORD_TOO_LONG", "Password too long"),
        ),
        (
            &"x".repeat(129),
            NEW_PASSWORD,
            (400, "PASSWORD_TOO_LONG", "Password too long"),
        ),
    ] {
        let body = json!({ "currentPassword": current_password, "newPassword": new_password });
        assert_error(&ada.post(&app, CHANGE_PASSWORD, body).await, expected);
    }
    let body = json!({ "currentPassword": PASSWORD, "newPassword": NEW_PASSWORD, "revokeOtherSessions": 1 });
    let response = ada.post(&app, CHANGE_PASSWORD, body).await;
    let message = "[body.revokeOtherSessions] Invalid input: expected boolean, received number";
    assert_error(&response, (400, "VALIDATION_ERROR", message));
    assert!(can_ada_sign_in_with(&app, PASSWORD).await);
}

async fn the_body_selects_the_api(app: App) {
    let (ada, eve) = (sign_up(&app, "ada").await, app.user("eve").await);
    // If the body has no field of either API, the credentials of the caller select the API.
    assert_error(
        &ada.post(&app, CHANGE_PASSWORD, json!({})).await,
        (
            400,
            "VALIDATION_ERROR",
            "[body.newPassword] Invalid input: expected string, received undefined; \
             [body.currentPassword] Invalid input: expected string, received undefined",
        ),
    );
    let response = eve.post(CHANGE_PASSWORD, json!({})).await;
    response.problem(422, "VALIDATION_ERROR");
    let anonymous_caller = app.anonymous();
    let response = anonymous_caller.post(CHANGE_PASSWORD, json!({})).await;
    response.problem(401, "UNAUTHORIZED");
    let response = anonymous_caller.post(CHANGE_PASSWORD, "no JSON").await;
    response.problem(401, "UNAUTHORIZED");
    let better_auth_body = json!({ "currentPassword": PASSWORD, "newPassword": NEW_PASSWORD });
    let response = anonymous_caller
        .post(CHANGE_PASSWORD, better_auth_body.clone())
        .await;
    assert_error(&response, UNAUTHORIZED);
    assert_error(
        &eve.post(CHANGE_PASSWORD, better_auth_body).await,
        UNAUTHORIZED,
    );
    let ada_snake_case_body = json!({ "current_password": PASSWORD, "new_password": NEW_PASSWORD });
    let response = ada.post(&app, CHANGE_PASSWORD, ada_snake_case_body).await;
    response.problem(401, "UNAUTHORIZED");
    let eve_snake_case_body =
        json!({ "current_password": eve.password(), "new_password": NEW_PASSWORD });
    let token_response: Value = eve.post(CHANGE_PASSWORD, eve_snake_case_body).await.ok();
    assert!(token_response["access_token"].is_string());
}

async fn an_account_without_a_password_cannot_change_the_password(app: App) {
    let ada = sign_up(&app, "ada").await;
    app.database()
        .execute("UPDATE users SET password_hash = NULL");
    let body = json!({ "currentPassword": PASSWORD, "newPassword": NEW_PASSWORD });
    let response = ada.post(&app, CHANGE_PASSWORD, body).await;
    let code = "CREDENTIAL_ACCOUNT_NOT_FOUND";
    assert_error(&response, (400, code, "Credential account not found"));
}

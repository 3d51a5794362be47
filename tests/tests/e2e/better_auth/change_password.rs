//! `POST /api/auth/change-password` in Better Auth's format, and which API a request means

use std::time::Duration;

use e2e::{App, Response, on_both_engines};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::fixtures::*;

on_both_engines! {
    every_session_is_revoked_and_the_cookie_has_a_new_one,
    the_body_has_the_new_token_if_other_sessions_were_revoked,
    the_successor_of_a_session_that_is_not_remembered_is_not_remembered,
    a_bearer_client_continues_with_the_token_in_the_header,
    no_process_accepts_earlier_tokens_after_the_change,
    of_two_changes_at_once_one_wins,
    every_failure_has_its_code_and_message,
    the_body_selects_the_api,
    an_account_without_a_password_cannot_change_it,
}

const NEW: &str = "another good password";

async fn is_current_password(app: &App, password: &str) -> bool {
    let body = json!({ "email": "ada@example.com", "password": password });
    app.anonymous().post(SIGN_IN, body).await.status() == 200
}

/// Takes the new credentials from the response to a change of password.
fn successor(response: &Response, before: &Browser) -> Browser {
    let header = response.header("set-auth-token").unwrap();
    let cookies = response.all("set-cookie").into_iter();
    let cookies = cookies.filter(|cookie| !cookie.contains("Max-Age=0"));
    let pairs = cookies.map(|cookie| cookie.split(';').next().unwrap());
    let cookies = pairs.collect::<Vec<_>>().join("; ");
    assert_eq!(signed_token(&cookies), header);
    Browser {
        token: header.split('.').next().unwrap().to_owned(),
        cookies,
        user: before.user.clone(),
    }
}

async fn every_session_is_revoked_and_the_cookie_has_a_new_one(app: App) {
    let mut ada = sign_up(&app, "ada").await;
    for body in [
        json!({ "currentPassword": PASSWORD, "newPassword": NEW }),
        json!({ "currentPassword": NEW, "newPassword": PASSWORD, "revokeOtherSessions": false }),
    ] {
        let sign_in = json!({ "email": "ada@example.com", "password": body["currentPassword"] });
        let phone = Browser::of(&app.anonymous().post(SIGN_IN, sign_in).await.is(200));
        let access = ada.get(&app, "/api/auth/token").await.ok()["token"].clone();
        let response = ada.post(&app, CHANGE_PASSWORD, body).await;
        let fresh = successor(&response, &ada);
        assert_eq!(response.ok(), json!({ "token": null, "user": ada.user }));
        assert_ne!(fresh.token, ada.token);
        assert_eq!(fresh.session(&app).await["session"]["token"], fresh.token);
        assert!(!ada.is_signed_in(&app).await && !phone.is_signed_in(&app).await);
        let stolen = app.bearer(ada.token.as_str());
        assert_eq!(stolen.get(GET_SESSION).await.ok(), Value::Null);
        let stolen = app.bearer(access.as_str().unwrap());
        let response = stolen.get("/api/auth/session").await;
        response.problem(401, "TOKEN_REVOKED");
        ada = fresh;
    }
    assert!(is_current_password(&app, PASSWORD).await && !is_current_password(&app, NEW).await);
}

async fn the_body_has_the_new_token_if_other_sessions_were_revoked(app: App) {
    let ada = sign_up(&app, "ada").await;
    let body = json!({
        "currentPassword": PASSWORD, "newPassword": NEW, "revokeOtherSessions": true,
    });
    let response = ada.post(&app, CHANGE_PASSWORD, body).await.is(200);
    let fresh = Browser::of(&response);
    assert_eq!(fresh.token, successor(&response, &ada).token);
    assert_eq!(fresh.user, ada.user);
    assert!(fresh.is_signed_in(&app).await && !ada.is_signed_in(&app).await);
}

async fn the_successor_of_a_session_that_is_not_remembered_is_not_remembered(app: App) {
    sign_up(&app, "ada").await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD, "rememberMe": false });
    let ada = Browser::of(&app.anonymous().post(SIGN_IN, body).await.is(200));
    let body = json!({ "currentPassword": PASSWORD, "newPassword": NEW });
    let response = ada.post(&app, CHANGE_PASSWORD, body).await.is(200);
    let cookies = response.all("set-cookie");
    assert!(cookies.iter().all(|cookie| !cookie.contains("Max-Age")));
    let fresh = successor(&response, &ada);
    assert!(fresh.cookies.contains("better-auth.dont_remember="));
    app.clock.advance(Duration::from_secs(86_399));
    assert!(fresh.is_signed_in(&app).await);
    app.clock.advance(Duration::from_secs(1));
    assert!(!fresh.is_signed_in(&app).await);
}

async fn a_bearer_client_continues_with_the_token_in_the_header(app: App) {
    let ada = sign_up(&app, "ada").await;
    let body = json!({ "currentPassword": PASSWORD, "newPassword": NEW });
    let phone = app.bearer(ada.token.as_str());
    let response = phone.post(CHANGE_PASSWORD, body).await;
    let exposed = response.header("access-control-expose-headers");
    assert_eq!(exposed, Some("set-auth-token"));
    let fresh = app.bearer(response.header("set-auth-token").unwrap());
    assert_eq!(response.ok()["token"], Value::Null);
    assert_eq!(fresh.get(GET_SESSION).await.ok()["user"], ada.user);
    assert_error(&phone.get(LIST_SESSIONS).await, UNAUTHORIZED);
}

async fn no_process_accepts_earlier_tokens_after_the_change(app: App) {
    let other_process = app.another_process().start();
    let ada = sign_up(&app, "ada").await;
    let access = ada.get(&other_process, "/api/auth/token").await.ok()["token"].clone();
    let thief = other_process.bearer(access.as_str().unwrap());
    thief.get("/api/auth/session").await.ok();
    let body = json!({ "currentPassword": PASSWORD, "newPassword": NEW });
    let response = ada.post(&app, CHANGE_PASSWORD, body).await;
    assert!(
        successor(&response, &ada)
            .is_signed_in(&other_process)
            .await
    );
    // Every process reads sessions from the database, but learns of revoked access tokens from the feed.
    assert!(!ada.is_signed_in(&other_process).await);
    let started = Instant::now();
    while thief.get("/api/auth/session").await.code() != "TOKEN_REVOKED" {
        assert!(started.elapsed() < Duration::from_secs(2));
        sleep(Duration::from_millis(10)).await;
    }
}

async fn of_two_changes_at_once_one_wins(app: App) {
    let (ada, phone) = (
        sign_up(&app, "ada").await,
        sign_in(&app, "ada@example.com").await,
    );
    let body = |new: &str| json!({ "currentPassword": PASSWORD, "newPassword": new });
    let (one, other) = tokio::join!(
        ada.post(&app, CHANGE_PASSWORD, body(NEW)).into_future(),
        phone
            .post(&app, CHANGE_PASSWORD, body("yet another password"))
            .into_future(),
    );
    let won = [one.status() == 200, other.status() == 200];
    assert!(won == [true, false] || won == [false, true], "{won:?}");
    assert_eq!(is_current_password(&app, NEW).await, won[0]);
    let (winner, loser) = if won[0] { (one, other) } else { (other, one) };
    assert!(matches!(loser.status(), 400 | 401), "{}", loser.text());
    assert!(successor(&winner, &ada).is_signed_in(&app).await);
    assert!(!ada.is_signed_in(&app).await && !phone.is_signed_in(&app).await);
}

async fn every_failure_has_its_code_and_message(app: App) {
    let ada = sign_up(&app, "ada").await;
    for (current, new, expected) in [
        (
            "wrong password",
            NEW,
            (400, "INVALID_PASSWORD", "Invalid password"),
        ),
        ("", NEW, (400, "INVALID_PASSWORD", "Invalid password")),
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
            NEW,
            (400, "PASSWORD_TOO_LONG", "Password too long"),
        ),
    ] {
        let body = json!({ "currentPassword": current, "newPassword": new });
        assert_error(&ada.post(&app, CHANGE_PASSWORD, body).await, expected);
    }
    let body = json!({ "currentPassword": PASSWORD, "newPassword": NEW, "revokeOtherSessions": 1 });
    let response = ada.post(&app, CHANGE_PASSWORD, body).await;
    let message = "[body.revokeOtherSessions] Invalid input: expected boolean, received number";
    assert_error(&response, (400, "VALIDATION_ERROR", message));
    assert!(is_current_password(&app, PASSWORD).await);
}

async fn the_body_selects_the_api(app: App) {
    let (ada, eve) = (sign_up(&app, "ada").await, app.user("eve").await);
    // If the body has no field of either API, the kind of the token selects the API.
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
    let anonymous = app.anonymous();
    let response = anonymous.post(CHANGE_PASSWORD, json!({})).await;
    response.problem(401, "UNAUTHORIZED");
    let response = anonymous.post(CHANGE_PASSWORD, "no JSON").await;
    response.problem(401, "UNAUTHORIZED");
    let better_auth_body = json!({ "currentPassword": PASSWORD, "newPassword": NEW });
    let response = anonymous
        .post(CHANGE_PASSWORD, better_auth_body.clone())
        .await;
    assert_error(&response, UNAUTHORIZED);
    assert_error(
        &eve.post(CHANGE_PASSWORD, better_auth_body).await,
        UNAUTHORIZED,
    );
    let snake_case_body = json!({ "current_password": PASSWORD, "new_password": NEW });
    let response = ada.post(&app, CHANGE_PASSWORD, snake_case_body).await;
    response.problem(401, "UNAUTHORIZED");
    let snake_case_body = json!({ "current_password": eve.password(), "new_password": NEW });
    let token_response: Value = eve.post(CHANGE_PASSWORD, snake_case_body).await.ok();
    assert!(token_response["access_token"].is_string());
}

async fn an_account_without_a_password_cannot_change_it(app: App) {
    let ada = sign_up(&app, "ada").await;
    app.database()
        .execute("UPDATE users SET password_hash = NULL");
    let body = json!({ "currentPassword": PASSWORD, "newPassword": NEW });
    let response = ada.post(&app, CHANGE_PASSWORD, body).await;
    let code = "CREDENTIAL_ACCOUNT_NOT_FOUND";
    assert_error(&response, (400, code, "Credential account not found"));
}

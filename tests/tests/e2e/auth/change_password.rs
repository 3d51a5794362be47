//! `POST /api/auth/change-password`

use std::time::Duration;

use e2e::{App, Client, Engine, Request, on_both_engines};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::login::{LOGIN, credentials};
use crate::http::cookies::cookies_after;
use crate::sessions::fixtures::{
    CHANGE_PASSWORD, Device, MAX_REVOCATION_DELAY, OWN_ORIGIN, REFRESH, SESSION, are_live, column,
    counter, get_session, login, refresh, refreshed, until_rejected, user_with_device,
};

on_both_engines! {
    a_change_revokes_every_session_and_starts_a_new_one,
    the_new_password_logs_in_and_the_old_one_does_not,
    no_earlier_token_is_accepted_by_any_process_after_the_change,
    a_refresh_during_the_change_does_not_survive_it,
    a_browser_that_changes_the_password_continues_with_new_cookies,
    a_wrong_current_password_is_403_and_changes_nothing,
    wrong_current_passwords_are_counted_as_failed_logins,
    the_new_password_has_the_limits_of_a_registration,
    a_revoked_or_expired_session_changes_nothing,
    a_token_of_another_service_changes_nothing,
}

const NEW: &str = "another good password";

pub(crate) fn passwords(current: &str, new: &str) -> Value {
    json!({ "current_password": current, "new_password": new })
}

async fn change(app: &App, device: &Device, user: &Client) -> Device {
    let bearer = app.bearer(device.access.as_str());
    let body = passwords(user.password(), NEW);
    Device::from_response(&bearer.post(CHANGE_PASSWORD, body).await.ok())
}

async fn a_change_revokes_every_session_and_starts_a_new_one(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let others = [login(&app, &ada).await, login(&app, &ada).await];
    let (_, eve_device) = user_with_device(&app, "eve").await;
    app.clock.advance(Duration::from_secs(60));
    let bearer = app.bearer(device.access.as_str());
    let response = bearer
        .post(CHANGE_PASSWORD, passwords(ada.password(), NEW))
        .await;
    assert_eq!(response.all("set-cookie").len(), 2);
    let token_response = response.ok();
    let next = Device::from_response(&token_response);
    let expected = json!({
        "user": app.bearer(next.access.as_str()).get("/api/auth/account").await.ok(),
        "access_token": token_response["access_token"],
        "token_type": "Bearer",
        "expires_in": 900,
        "refresh_token": token_response["refresh_token"],
        "session_id": token_response["session_id"],
    });
    assert_eq!(token_response, expected);
    assert_eq!(
        token_response["user"]["updated_at"],
        "2026-11-20T12:58:51.869Z"
    );
    assert_ne!(next.session, device.session);
    assert_eq!(counter(&app, &next.session), 0);
    let expires_at = column(&app, &next.session, "expires_at");
    assert!(expires_at.unwrap().contains("2026-11-27 12:58:51.869"));
    for other in others.iter().chain([&device]) {
        get_session(&app, &other.access)
            .await
            .problem(401, "TOKEN_REVOKED");
        let refused = refresh(&app, &other.refresh).await;
        refused.problem(401, "SESSION_EXPIRED");
    }
    assert_eq!(
        are_live(&app, [&device, &next, &eve_device]),
        [false, true, true]
    );
    get_session(&app, &next.access).await.ok();
    refreshed(&app, &next).await;
}

async fn the_new_password_logs_in_and_the_old_one_does_not(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let next = change(&app, &device, &ada).await;
    let old = credentials(ada.email(), ada.password());
    let old = app.anonymous().post(LOGIN, old).await;
    old.problem(401, "INVALID_EMAIL_OR_PASSWORD");
    let new = app.anonymous().post(LOGIN, credentials(ada.email(), NEW));
    new.await.ok();
    // A change to the same password also replaces the session.
    let bearer = app.bearer(next.access.as_str());
    let response = bearer.post(CHANGE_PASSWORD, passwords(NEW, NEW)).await;
    assert_ne!(response.ok()["session_id"], next.session);
    get_session(&app, &next.access)
        .await
        .problem(401, "TOKEN_REVOKED");
}

/// Every copy of an earlier token is rejected, such as one that a thief made.
async fn no_earlier_token_is_accepted_by_any_process_after_the_change(engine: Engine) {
    let app = App::on(engine).set("token-audiences", "reports").start();
    let other_process = app
        .another_process()
        .set("token-audiences", "reports")
        .start();
    let (ada, before) = user_with_device(&app, "ada").await;
    let current = refreshed(&app, &before).await;
    let exchange = json!({ "audience": "reports" });
    let stolen = app.bearer(current.access.as_str());
    stolen.post("/api/auth/token", exchange.clone()).await.ok();
    get_session(&other_process, &current.access).await.ok();

    let next = change(&app, &current, &ada).await;

    for token in [&before.access, &current.access] {
        get_session(&app, token).await.problem(401, "TOKEN_REVOKED");
        let waited = until_rejected(&other_process, token, "TOKEN_REVOKED").await;
        assert!(waited < MAX_REVOCATION_DELAY, "{waited:?}");
    }
    for process in [&app, &other_process] {
        for token in [&before.refresh, &current.refresh] {
            let refused = refresh(process, token).await;
            refused.problem(401, "SESSION_EXPIRED");
        }
        let stolen = process.bearer(current.access.as_str());
        let refused = stolen.post("/api/auth/token", exchange.clone()).await;
        refused.problem(401, "TOKEN_REVOKED");
        let refused = stolen.post(CHANGE_PASSWORD, passwords(NEW, NEW)).await;
        refused.problem(401, "TOKEN_REVOKED");
        get_session(process, &next.access).await.ok();
    }
    // The feed lists the session, so other services reject its tokens.
    let query = format!(
        "SELECT COUNT(*) FROM revocations WHERE session_id = '{}'",
        current.session
    );
    assert_eq!(app.database().value(&query).unwrap(), "1");
    assert_eq!(are_live(&app, [&next]), [true]);
    refreshed(&other_process, &next).await;
}

async fn a_refresh_during_the_change_does_not_survive_it(app: App) {
    for round in 0..5 {
        let (ada, device) = user_with_device(&app, &format!("ada{round}")).await;
        let bearer = app.bearer(device.access.as_str());
        let change = bearer.post(CHANGE_PASSWORD, passwords(ada.password(), NEW));
        let refreshes = (0..8).map(|_| refresh(&app, &device.refresh).into_future());
        let (early, change, late) = tokio::join!(
            join_all(refreshes.clone()),
            change.into_future(),
            join_all(refreshes),
        );
        let next = Device::from_response(&change.ok());
        for response in early.into_iter().chain(late) {
            if response.status() == 401 {
                response.problem(401, "SESSION_EXPIRED");
                continue;
            }
            let old = Device::from_response(&response.ok());
            assert_eq!(old.session, device.session);
            get_session(&app, &old.access)
                .await
                .problem(401, "TOKEN_REVOKED");
            let refused = refresh(&app, &old.refresh).await;
            refused.problem(401, "SESSION_EXPIRED");
        }
        refreshed(&app, &next).await;
    }
}

async fn a_browser_that_changes_the_password_continues_with_new_cookies(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let by_cookies = |request: Request, cookies: &str| {
        let request = request.header("cookie", cookies);
        request.header("origin", OWN_ORIGIN)
    };
    let change = passwords(ada.password(), NEW);
    let change = app.anonymous().post(CHANGE_PASSWORD, change);
    let response = by_cookies(change, &device.cookies()).await;
    let cookies = cookies_after(&response);
    let token_response = response.ok();
    assert_eq!(
        (
            &token_response["access_token"],
            &token_response["refresh_token"]
        ),
        (&Value::Null, &Value::Null)
    );
    let session = app.anonymous().get(SESSION);
    let current = by_cookies(session.clone(), &cookies).await.ok();
    assert_eq!(current["session"]["id"], token_response["session_id"]);
    let refresh = app.anonymous().request("POST", REFRESH);
    by_cookies(refresh.clone(), &cookies).await.ok();
    let refused = by_cookies(session, &device.cookies()).await;
    refused.problem(401, "TOKEN_REVOKED");
    let refused = by_cookies(refresh, &device.cookies()).await;
    refused.problem(401, "SESSION_EXPIRED");
}

async fn a_wrong_current_password_is_403_and_changes_nothing(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let other = login(&app, &ada).await;
    let bearer = app.bearer(device.access.as_str());
    for wrong in ["not the password", "x", &ada.password().to_uppercase(), NEW] {
        let refused = bearer.post(CHANGE_PASSWORD, passwords(wrong, NEW)).await;
        assert!(refused.all("set-cookie").is_empty());
        let problem = refused.problem(403, "INVALID_PASSWORD");
        assert_eq!(problem["detail"], "The current password is wrong");
    }
    assert_eq!(counter(&app, &device.session), 0);
    assert_eq!(are_live(&app, [&device, &other]), [true, true]);
    login(&app, &ada).await;
}

async fn wrong_current_passwords_are_counted_as_failed_logins(engine: Engine) {
    let app = App::on(engine).behind_proxy().start();
    let (ada, device) = user_with_device(&app, "ada").await;
    let bearer = app.bearer(device.access.as_str());
    let wrong = passwords("not the password", NEW);
    for _ in 0..100 {
        let refused = bearer.post(CHANGE_PASSWORD, wrong.clone()).await;
        refused.problem(403, "INVALID_PASSWORD");
    }
    let right = passwords(ada.password(), NEW);
    let refused = bearer.post(CHANGE_PASSWORD, right.clone()).await;
    refused.problem(429, "TOO_MANY_REQUESTS");
    let login = credentials(ada.email(), ada.password());
    let refused = app.anonymous().post(LOGIN, login).await;
    refused.problem(429, "TOO_MANY_REQUESTS");
    app.clock.advance(Duration::from_secs(15 * 60 - 1));
    let token = refreshed(&app, &device).await.access;
    app.clock.advance(Duration::from_secs(1));
    app.bearer(token).post(CHANGE_PASSWORD, right).await.ok();
}

async fn the_new_password_has_the_limits_of_a_registration(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let bearer = app.bearer(device.access.as_str());
    let too_long = "p".repeat(129);
    for (current, new, field, code, message) in [
        (
            ada.password(),
            "",
            "new_password",
            "required",
            "is required",
        ),
        (
            ada.password(),
            "seven 7",
            "new_password",
            "unacceptable_password",
            "must be at least 8 characters",
        ),
        (
            ada.password(),
            &too_long,
            "new_password",
            "unacceptable_password",
            "must be at most 128 characters",
        ),
        ("", NEW, "current_password", "required", "is required"),
        (
            &too_long,
            NEW,
            "current_password",
            "unacceptable_password",
            "must be at most 128 characters",
        ),
    ] {
        let refused = bearer.post(CHANGE_PASSWORD, passwords(current, new)).await;
        refused.invalid(field, code, message);
    }
    for missing in [json!({ "current_password": ada.password() }), json!({})] {
        let refused = bearer.post(CHANGE_PASSWORD, missing).await;
        refused.problem(422, "VALIDATION_ERROR");
    }
    login(&app, &ada).await;
    for valid in ["p".repeat(128), "😀".repeat(40), " eight 8".to_owned()] {
        let current = ada.password();
        let bearer = app.bearer(login(&app, &ada).await.access);
        bearer
            .post(CHANGE_PASSWORD, passwords(current, &valid))
            .await
            .ok();
        let login = credentials(ada.email(), &valid);
        let bearer = app
            .bearer(Device::from_response(&app.anonymous().post(LOGIN, login).await.ok()).access);
        let change_back = passwords(&valid, current);
        bearer.post(CHANGE_PASSWORD, change_back).await.ok();
    }
}

async fn a_revoked_or_expired_session_changes_nothing(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let body = passwords(ada.password(), NEW);
    let bearer = app.bearer(device.access.as_str());
    // Another process has just revoked the session, and this process has not been notified yet.
    app.database()
        .execute("UPDATE sessions SET revoked_at = created_at");
    let refused = bearer.post(CHANGE_PASSWORD, body.clone()).await;
    refused.problem(401, "TOKEN_REVOKED");
    app.database()
        .execute("UPDATE sessions SET revoked_at = NULL, expires_at = created_at");
    let refused = bearer.post(CHANGE_PASSWORD, body).await;
    refused.problem(401, "TOKEN_REVOKED");
    login(&app, &ada).await;
}

async fn a_token_of_another_service_changes_nothing(app: App) {
    let ada = app.user("ada").await;
    let bearer = app.bearer(app.token_for(ada.id(), ada.email()));
    let body = passwords(ada.password(), NEW);
    let refused = bearer.post(CHANGE_PASSWORD, body).await;
    refused.problem(401, "TOKEN_REVOKED");
    login(&app, &ada).await;
}

//! Tests `POST /api/auth/change-password`.

mod notice;

use std::time::Duration;

use e2e::{App, Client, Engine, Request, on_both_engines};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::login::{LOGIN, credentials};
use crate::http::cookies::cookies_after;
use crate::sessions::fixtures::{
    CHANGE_PASSWORD, Device, MAX_REVOCATION_DELAY, REFRESH, SERVER_ORIGIN, SESSION, are_live,
    column, counter, get_session, login, refresh, refreshed, until_rejected, user_with_device,
};

on_both_engines! {
    a_password_change_revokes_every_session_and_starts_a_new_session,
    the_new_password_logs_in_and_the_old_password_does_not,
    after_a_password_change_no_process_accepts_an_earlier_token,
    a_session_that_is_refreshed_during_a_password_change_is_revoked,
    a_browser_that_changes_the_password_gets_new_cookies,
    a_wrong_current_password_is_403_and_changes_nothing,
    wrong_current_passwords_are_counted_as_failed_logins,
    a_new_password_has_the_length_limits_of_a_registration,
    a_revoked_or_expired_session_cannot_change_the_password,
    a_token_of_another_service_cannot_change_the_password,
}

const NEW_PASSWORD: &str = "another good password";

/// Returns the body of a request that changes the password.
pub(crate) fn passwords_body(current: &str, new: &str) -> Value {
    json!({ "current_password": current, "new_password": new })
}

async fn change_password(app: &App, device: &Device, user: &Client) -> Device {
    let bearer = app.bearer(device.access.as_str());
    let body = passwords_body(user.password(), NEW_PASSWORD);
    Device::from_response(&bearer.post(CHANGE_PASSWORD, body).await.ok())
}

async fn a_password_change_revokes_every_session_and_starts_a_new_session(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let other_devices = [login(&app, &ada).await, login(&app, &ada).await];
    let (_, eve_device) = user_with_device(&app, "eve").await;
    app.clock.advance(Duration::from_secs(60));
    let bearer = app.bearer(device.access.as_str());
    let response = bearer
        .post(
            CHANGE_PASSWORD,
            passwords_body(ada.password(), NEW_PASSWORD),
        )
        .await;
    assert_eq!(response.header_values("set-cookie").len(), 2);
    let token_response = response.ok();
    let new_device = Device::from_response(&token_response);
    let expected = json!({
        "user": app.bearer(new_device.access.as_str()).get("/api/auth/account").await.ok(),
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
    assert_ne!(new_device.session, device.session);
    assert_eq!(counter(&app, &new_device.session), 0);
    let expires_at = column(&app, &new_device.session, "expires_at");
    assert!(expires_at.unwrap().contains("2026-11-27 12:58:51.869"));
    for revoked_device in other_devices.iter().chain([&device]) {
        get_session(&app, &revoked_device.access)
            .await
            .problem(401, "TOKEN_REVOKED");
        let response = refresh(&app, &revoked_device.refresh).await;
        response.problem(401, "SESSION_EXPIRED");
    }
    assert_eq!(
        are_live(&app, [&device, &new_device, &eve_device]),
        [false, true, true]
    );
    get_session(&app, &new_device.access).await.ok();
    refreshed(&app, &new_device).await;
}

async fn the_new_password_logs_in_and_the_old_password_does_not(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let new_device = change_password(&app, &device, &ada).await;
    let old_credentials = credentials(ada.email(), ada.password());
    let response = app.anonymous().post(LOGIN, old_credentials).await;
    response.problem(401, "INVALID_EMAIL_OR_PASSWORD");
    let new_credentials = credentials(ada.email(), NEW_PASSWORD);
    app.anonymous().post(LOGIN, new_credentials).await.ok();
    // A change to the same password also replaces the session.
    let bearer = app.bearer(new_device.access.as_str());
    let response = bearer
        .post(CHANGE_PASSWORD, passwords_body(NEW_PASSWORD, NEW_PASSWORD))
        .await;
    assert_ne!(response.ok()["session_id"], new_device.session);
    get_session(&app, &new_device.access)
        .await
        .problem(401, "TOKEN_REVOKED");
}

/// Uses the earlier tokens as a thief who has copied them would.
async fn after_a_password_change_no_process_accepts_an_earlier_token(engine: Engine) {
    let app = App::on(engine).set("token-audiences", "reports").start();
    let other_process = app
        .another_process()
        .set("token-audiences", "reports")
        .start();
    let (ada, old_device) = user_with_device(&app, "ada").await;
    let stolen_device = refreshed(&app, &old_device).await;
    let exchange_body = json!({ "audience": "reports" });
    let thief = app.bearer(stolen_device.access.as_str());
    thief
        .post("/api/auth/token", exchange_body.clone())
        .await
        .ok();
    get_session(&other_process, &stolen_device.access)
        .await
        .ok();

    let new_device = change_password(&app, &stolen_device, &ada).await;

    for token in [&old_device.access, &stolen_device.access] {
        get_session(&app, token).await.problem(401, "TOKEN_REVOKED");
        let delay = until_rejected(&other_process, token, "TOKEN_REVOKED").await;
        assert!(delay < MAX_REVOCATION_DELAY, "{delay:?}");
    }
    for process in [&app, &other_process] {
        for token in [&old_device.refresh, &stolen_device.refresh] {
            let response = refresh(process, token).await;
            response.problem(401, "SESSION_EXPIRED");
        }
        let thief_on_process = process.bearer(stolen_device.access.as_str());
        let response = thief_on_process
            .post("/api/auth/token", exchange_body.clone())
            .await;
        response.problem(401, "TOKEN_REVOKED");
        let response = thief_on_process
            .post(CHANGE_PASSWORD, passwords_body(NEW_PASSWORD, NEW_PASSWORD))
            .await;
        response.problem(401, "TOKEN_REVOKED");
        get_session(process, &new_device.access).await.ok();
    }
    // The revoked session is in the table `revocations`, from which other services learn that it is revoked.
    let query = format!(
        "SELECT COUNT(*) FROM revocations WHERE session_id = '{}'",
        stolen_device.session
    );
    assert_eq!(app.database().value(&query).unwrap(), "1");
    assert_eq!(are_live(&app, [&new_device]), [true]);
    refreshed(&other_process, &new_device).await;
}

async fn a_session_that_is_refreshed_during_a_password_change_is_revoked(app: App) {
    for round in 0..5 {
        let (ada, device) = user_with_device(&app, &format!("ada{round}")).await;
        let bearer = app.bearer(device.access.as_str());
        let change_request = bearer.post(
            CHANGE_PASSWORD,
            passwords_body(ada.password(), NEW_PASSWORD),
        );
        let refreshes = (0..8).map(|_| refresh(&app, &device.refresh).into_future());
        let (early_responses, change_response, late_responses) = tokio::join!(
            join_all(refreshes.clone()),
            change_request.into_future(),
            join_all(refreshes),
        );
        let new_device = Device::from_response(&change_response.ok());
        for response in early_responses.into_iter().chain(late_responses) {
            if response.status() == 401 {
                response.problem(401, "SESSION_EXPIRED");
                continue;
            }
            let refreshed_device = Device::from_response(&response.ok());
            assert_eq!(refreshed_device.session, device.session);
            get_session(&app, &refreshed_device.access)
                .await
                .problem(401, "TOKEN_REVOKED");
            let response = refresh(&app, &refreshed_device.refresh).await;
            response.problem(401, "SESSION_EXPIRED");
        }
        refreshed(&app, &new_device).await;
    }
}

async fn a_browser_that_changes_the_password_gets_new_cookies(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let send_with_cookies = |request: Request, cookies: &str| {
        let request = request.header("cookie", cookies);
        request.header("origin", SERVER_ORIGIN)
    };
    let body = passwords_body(ada.password(), NEW_PASSWORD);
    let request = app.anonymous().post(CHANGE_PASSWORD, body);
    let response = send_with_cookies(request, &device.cookies()).await;
    let new_cookies = cookies_after(&response);
    let token_response = response.ok();
    assert_eq!(
        (
            &token_response["access_token"],
            &token_response["refresh_token"]
        ),
        (&Value::Null, &Value::Null)
    );
    let session_request = app.anonymous().get(SESSION);
    let session = send_with_cookies(session_request.clone(), &new_cookies)
        .await
        .ok();
    assert_eq!(session["session"]["id"], token_response["session_id"]);
    let refresh_request = app.anonymous().request("POST", REFRESH);
    send_with_cookies(refresh_request.clone(), &new_cookies)
        .await
        .ok();
    let response = send_with_cookies(session_request, &device.cookies()).await;
    response.problem(401, "TOKEN_REVOKED");
    let response = send_with_cookies(refresh_request, &device.cookies()).await;
    response.problem(401, "SESSION_EXPIRED");
}

async fn a_wrong_current_password_is_403_and_changes_nothing(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let other_device = login(&app, &ada).await;
    let bearer = app.bearer(device.access.as_str());
    for wrong_password in [
        "not the password",
        "x",
        &ada.password().to_uppercase(),
        NEW_PASSWORD,
    ] {
        let response = bearer
            .post(
                CHANGE_PASSWORD,
                passwords_body(wrong_password, NEW_PASSWORD),
            )
            .await;
        assert!(response.header_values("set-cookie").is_empty());
        let problem = response.problem(403, "INVALID_PASSWORD");
        assert_eq!(problem["detail"], "The current password is wrong");
    }
    assert_eq!(counter(&app, &device.session), 0);
    assert_eq!(are_live(&app, [&device, &other_device]), [true, true]);
    login(&app, &ada).await;
}

async fn wrong_current_passwords_are_counted_as_failed_logins(engine: Engine) {
    let app = App::on(engine).behind_proxy().start();
    let (ada, device) = user_with_device(&app, "ada").await;
    let bearer = app.bearer(device.access.as_str());
    let wrong_body = passwords_body("not the password", NEW_PASSWORD);
    for _ in 0..100 {
        let response = bearer.post(CHANGE_PASSWORD, wrong_body.clone()).await;
        response.problem(403, "INVALID_PASSWORD");
    }
    let right_body = passwords_body(ada.password(), NEW_PASSWORD);
    let response = bearer.post(CHANGE_PASSWORD, right_body.clone()).await;
    response.problem(429, "TOO_MANY_REQUESTS");
    let login_body = credentials(ada.email(), ada.password());
    let response = app.anonymous().post(LOGIN, login_body).await;
    response.problem(429, "TOO_MANY_REQUESTS");
    app.clock.advance(Duration::from_secs(15 * 60 - 1));
    let new_access_token = refreshed(&app, &device).await.access;
    app.clock.advance(Duration::from_secs(1));
    app.bearer(new_access_token)
        .post(CHANGE_PASSWORD, right_body)
        .await
        .ok();
}

async fn a_new_password_has_the_length_limits_of_a_registration(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let bearer = app.bearer(device.access.as_str());
    let too_long_password = "p".repeat(129);
    for (new_password, code, message) in [
        ("", "required", "is required"),
        (
            "seven 7",
            "unacceptable_password",
            "must be at least 8 characters",
        ),
        (
            &too_long_password,
            "unacceptable_password",
            "must be at most 128 characters",
        ),
    ] {
        let body = passwords_body(ada.password(), new_password);
        let response = bearer.post(CHANGE_PASSWORD, body).await;
        response.invalid("new_password", code, message);
    }
    for (current_password, code, message) in [
        ("", "required", "is required"),
        (
            &too_long_password,
            "unacceptable_password",
            "must be at most 128 characters",
        ),
    ] {
        let body = passwords_body(current_password, NEW_PASSWORD);
        let response = bearer.post(CHANGE_PASSWORD, body).await;
        response.invalid("current_password", code, message);
    }
    for incomplete_body in [json!({ "current_password": ada.password() }), json!({})] {
        let response = bearer.post(CHANGE_PASSWORD, incomplete_body).await;
        response.problem(422, "VALIDATION_ERROR");
    }
    login(&app, &ada).await;
    for valid_password in ["p".repeat(128), "😀".repeat(40), " eight 8".to_owned()] {
        let bearer_before_change = app.bearer(login(&app, &ada).await.access);
        let body = passwords_body(ada.password(), &valid_password);
        bearer_before_change.post(CHANGE_PASSWORD, body).await.ok();
        let login_body = credentials(ada.email(), &valid_password);
        let token_response = app.anonymous().post(LOGIN, login_body).await.ok();
        let bearer_after_change = app.bearer(Device::from_response(&token_response).access);
        let body = passwords_body(&valid_password, ada.password());
        bearer_after_change.post(CHANGE_PASSWORD, body).await.ok();
    }
}

async fn a_revoked_or_expired_session_cannot_change_the_password(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let body = passwords_body(ada.password(), NEW_PASSWORD);
    let bearer = app.bearer(device.access.as_str());
    // The statement acts as another process that has just revoked the session. The server has not read the revocation.
    app.database()
        .execute("UPDATE sessions SET revoked_at = created_at");
    let response = bearer.post(CHANGE_PASSWORD, body.clone()).await;
    response.problem(401, "TOKEN_REVOKED");
    app.database()
        .execute("UPDATE sessions SET revoked_at = NULL, expires_at = created_at");
    let response = bearer.post(CHANGE_PASSWORD, body).await;
    response.problem(401, "TOKEN_REVOKED");
    login(&app, &ada).await;
}

async fn a_token_of_another_service_cannot_change_the_password(app: App) {
    let ada = app.user("ada").await;
    let bearer = app.bearer(app.token_for(ada.id(), ada.email()));
    let body = passwords_body(ada.password(), NEW_PASSWORD);
    let response = bearer.post(CHANGE_PASSWORD, body).await;
    response.problem(401, "TOKEN_REVOKED");
    login(&app, &ada).await;
}

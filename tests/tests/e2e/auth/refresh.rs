//! Tests which tokens `POST /api/auth/refresh` accepts, and which tokens the response contains.

mod forged;
mod rotation;

use std::time::Duration;

use auth_core::refresh::{RefreshToken, RefreshTokens};
use auth_core::{Keyring, Secret};
use e2e::{App, Request, Response, on_both_engines};
use futures_util::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use super::login::{LOGIN, credentials};
use crate::sessions::fixtures::{
    ALMOST_SESSION_TTL, CHANGE_PASSWORD, Device, LOGOUT, REFRESH, SESSION_TTL, column, counter,
    encode_refresh_token, get_session, login, refresh, refreshed, user_with_device,
};

on_both_engines! {
    a_refresh_returns_two_new_tokens_of_the_same_session,
    the_first_refresh_token_has_counter_0_and_the_second_has_counter_1,
    every_refresh_extends_the_lifetime_of_the_session,
    twenty_parallel_refreshes_get_equal_responses_and_advance_the_counter_once,
    parallel_refreshes_of_many_sessions_do_not_mix_tokens,
    an_expired_access_token_does_not_prevent_a_refresh,
    a_refresh_after_a_logout_is_401,
    a_refresh_after_the_account_was_deleted_is_401,
    a_refresh_after_another_session_changed_the_password_is_401,
    a_token_of_a_previous_secret_is_replaced_by_a_token_of_the_current_secret,
    a_missing_token_is_401_and_an_invalid_body_is_rejected,
    a_session_expires_exactly_at_the_end_of_its_lifetime,
}

async fn a_refresh_returns_two_new_tokens_of_the_same_session(app: App) {
    let ada = app.user("ada").await;
    let body = credentials(ada.email(), ada.password());
    let login_response = app.anonymous().post(LOGIN, body).await.ok();
    app.clock.advance(Duration::from_secs(60));
    let refresh_token = login_response["refresh_token"].as_str().unwrap();
    let response = refresh(&app, refresh_token).await;
    let cookies = response.header_values("set-cookie").join("\n");
    let refresh_response = response.ok();

    let new_access_token = refresh_response["access_token"].as_str().unwrap();
    let new_refresh_token = refresh_response["refresh_token"].as_str().unwrap();
    let expected = json!({
        "user": ada.get("/api/auth/account").await.ok(),
        "access_token": new_access_token,
        "token_type": "Bearer",
        "expires_in": 900,
        "refresh_token": new_refresh_token,
        "session_id": login_response["session_id"],
    });
    assert_eq!(refresh_response, expected);
    assert_ne!(
        refresh_response["access_token"],
        login_response["access_token"]
    );
    assert_ne!(
        refresh_response["refresh_token"],
        login_response["refresh_token"]
    );
    let attributes = "Max-Age=604800; HttpOnly; SameSite=Lax";
    assert_eq!(
        cookies,
        format!(
            "access_token={new_access_token}; Path=/; {attributes}\n\
             refresh_token={new_refresh_token}; Path=/api/auth; {attributes}"
        )
    );
    // The access token expires in 15 minutes, rounded down to a whole second.
    let session = get_session(&app, new_access_token).await.ok();
    assert_eq!(session["session"]["expiresAt"], "2026-11-20T13:13:51.000Z");
    assert_eq!(session["session"]["id"], login_response["session_id"]);
    // The old access token is still accepted, because it has not expired.
    get_session(&app, login_response["access_token"].as_str().unwrap())
        .await
        .ok();
}

async fn the_first_refresh_token_has_counter_0_and_the_second_has_counter_1(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    assert_eq!(
        device.refresh,
        encode_refresh_token(app.secret(), &device.session, 0)
    );
    let refreshed_device = refreshed(&app, &device).await;
    assert_eq!(
        refreshed_device.refresh,
        encode_refresh_token(app.secret(), &device.session, 1)
    );
    assert_eq!(counter(&app, &device.session), 1);
}

async fn every_refresh_extends_the_lifetime_of_the_session(app: App) {
    let (_, mut device) = user_with_device(&app, "ada").await;
    for expected_expires_at in [
        "2026-12-04 12:57:51.869122",
        "2026-12-11 12:57:51.869121",
        "2026-12-18 12:57:51.86912",
    ] {
        // Each refresh is in the last microsecond of the session's lifetime.
        app.clock.advance(ALMOST_SESSION_TTL);
        device = refreshed(&app, &device).await;
        let stored_expires_at = column(&app, &device.session, "expires_at").unwrap();
        assert_eq!(stored_expires_at.trim_end_matches('0'), expected_expires_at);
        get_session(&app, &device.access).await.ok();
    }
    app.clock.advance(SESSION_TTL);
    let response = refresh(&app, &device.refresh).await;
    response.problem(401, "SESSION_EXPIRED");
}

async fn twenty_parallel_refreshes_get_equal_responses_and_advance_the_counter_once(app: App) {
    let (_, mut device) = user_with_device(&app, "ada").await;
    for expected_counter in 1..=5 {
        app.clock.advance(Duration::from_millis(1500));
        let requests = (0..20).map(|_| refresh(&app, &device.refresh).into_future());
        let responses = join_all(requests).await;
        let read_comparable_parts = |response: &Response| {
            let cookies = response.header_values("set-cookie").join("\n");
            (response.status(), cookies, response.text())
        };
        let first_parts = read_comparable_parts(&responses[0]);
        assert!(
            responses
                .iter()
                .all(|response| read_comparable_parts(response) == first_parts)
        );
        assert_eq!(counter(&app, &device.session), expected_counter);
        device = Device::from_response(&responses[0].clone().ok());
    }
    refreshed(&app, &device).await;
}

async fn parallel_refreshes_of_many_sessions_do_not_mix_tokens(app: App) {
    let ada = app.user("ada").await;
    let mut devices = Vec::new();
    for _ in 0..10 {
        devices.push(login(&app, &ada).await);
    }
    for expected_counter in 1..=3 {
        let devices_twice = devices.iter().chain(&devices);
        let refreshed_devices = join_all(devices_twice.map(|device| refreshed(&app, device))).await;
        assert_eq!(refreshed_devices[..10], refreshed_devices[10..]);
        for (device, refreshed_device) in devices.iter_mut().zip(refreshed_devices) {
            assert_eq!(
                refreshed_device.refresh,
                encode_refresh_token(app.secret(), &device.session, expected_counter)
            );
            *device = refreshed_device;
        }
    }
}

async fn an_expired_access_token_does_not_prevent_a_refresh(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    app.clock.advance(Duration::from_secs(3600));
    let bearer = app.bearer(device.access.as_str());
    let body = json!({ "refresh_token": device.refresh });
    bearer.post(REFRESH, body).await.ok();
}

async fn a_refresh_after_a_logout_is_401(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let refreshed_device = refreshed(&app, &device).await;
    let body = json!({ "refresh_token": refreshed_device.refresh });
    app.anonymous().post(LOGOUT, body).await.ok();
    // The current refresh token and its predecessor are both rejected.
    for token in [&refreshed_device.refresh, &device.refresh] {
        let problem = refresh(&app, token).await.problem(401, "SESSION_EXPIRED");
        assert_eq!(problem["detail"], "The session is over; log in again");
    }
    assert_eq!(counter(&app, &device.session), 1);
}

async fn a_refresh_after_the_account_was_deleted_is_401(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let body = json!({ "password": ada.password() });
    let bearer = app.bearer(device.access.as_str());
    let deletion_response = bearer.delete("/api/auth/account").body(body).await.ok();
    assert_eq!(deletion_response, json!({ "success": true }));
    let response = refresh(&app, &device.refresh).await;
    response.problem(401, "SESSION_EXPIRED");
}

async fn a_refresh_after_another_session_changed_the_password_is_401(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let other_device = login(&app, &ada).await;
    let body =
        json!({ "current_password": ada.password(), "new_password": "another good password" });
    let bearer = app.bearer(other_device.access.as_str());
    bearer.post(CHANGE_PASSWORD, body).await.ok();
    let response = refresh(&app, &device.refresh).await;
    response.problem(401, "SESSION_EXPIRED");
}

async fn a_token_of_a_previous_secret_is_replaced_by_a_token_of_the_current_secret(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let new_secret = "the secret that signs from today on, 32 bytes";
    let rotated_app = app
        .another_process()
        .set("auth-secret", new_secret)
        .set("auth-secrets-previous", app.secret())
        .start();
    let refreshed_device = refreshed(&rotated_app, &device).await;
    assert_eq!(
        refreshed_device.refresh,
        encode_refresh_token(new_secret, &device.session, 1)
    );
    let refresh_tokens = RefreshTokens::new(&Keyring::new(Secret::new(new_secret).unwrap()));
    let expected = RefreshToken {
        session_id: Uuid::parse_str(&device.session).unwrap().into_bytes(),
        counter: 1,
    };
    assert_eq!(
        refresh_tokens.decode(&refreshed_device.refresh),
        Ok(expected)
    );
    // A client that lost the response sends the old token again.
    assert_eq!(refreshed(&rotated_app, &device).await, refreshed_device);
    // A server with the old secret alone rejects the new token as forged, and does not revoke the session.
    let response = refresh(&app, &refreshed_device.refresh).await;
    response.problem(401, "INVALID_TOKEN");
    refreshed(&rotated_app, &refreshed_device).await;
}

async fn a_missing_token_is_401_and_an_invalid_body_is_rejected(app: App) {
    let caller = app.anonymous();
    let assert_unauthorized = |request: Request| async {
        let response = request.await;
        let challenge = r#"Bearer realm="api""#;
        assert_eq!(response.header("www-authenticate"), Some(challenge));
        response.problem(401, "UNAUTHORIZED");
    };
    assert_unauthorized(caller.request("POST", REFRESH)).await;
    assert_unauthorized(caller.post(REFRESH, json!({}))).await;
    assert_unauthorized(caller.post(REFRESH, json!({ "refreshToken": "rt_" }))).await;
    assert_unauthorized(caller.request("POST", REFRESH).header("cookie", "a=b")).await;

    for body in ["null", "[]", "\"rt_\"", "7"] {
        let response = caller.post(REFRESH, body).await;
        response.problem(400, "INVALID_REQUEST");
    }
    for body in ["{", "{\"refresh_token\":", "refresh_token=rt_"] {
        let response = caller.post(REFRESH, body).await;
        response.problem(400, "INVALID_JSON");
    }
    for invalid_value in [Value::Null, json!(7), json!([]), json!({}), json!(true)] {
        let request = caller.post(REFRESH, json!({ "refresh_token": invalid_value }));
        let message = "must be a string";
        request
            .await
            .invalid("refresh_token", "invalid_type", message);
    }
    let request = caller.post(REFRESH, "refresh_token=rt_".as_bytes());
    request.await.problem(415, "UNSUPPORTED_MEDIA_TYPE");
}

async fn a_session_expires_exactly_at_the_end_of_its_lifetime(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    app.clock.advance(ALMOST_SESSION_TTL);
    let other_device = login(&app, &ada).await;
    let refreshed_device = refreshed(&app, &device).await;
    app.clock.advance(SESSION_TTL);
    for token in [
        &device.refresh,
        &refreshed_device.refresh,
        &other_device.refresh,
    ] {
        let response = refresh(&app, token).await;
        response.problem(401, "SESSION_EXPIRED");
    }
    // The session has expired without a revocation.
    assert_eq!(column(&app, &device.session, "revoked_at"), None);
}

//! Tests how long sessions and their tokens are valid, with and without the setting `SESSION_MAX_TTL`.

use std::time::Duration;

use e2e::{App, Engine, Response, on_both_engines};
use serde_json::{Value, json};

use super::fixtures::{
    ACCESS_TTL, CHANGE_PASSWORD, Device, MAX_REVOCATION_DELAY, MICROSECOND, SESSION_TTL, SESSIONS,
    column, count, get_session, is_revoked, login, refresh, refreshed, until_rejected,
    user_with_device,
};
use crate::auth::logout::{assert_logged_out, by_access};
use crate::better_auth::fixtures::{Browser, DAY, SIGN_UP, sign_up_body};

on_both_engines! {
    a_session_expires_at_its_maximum_lifetime_despite_refreshes,
    less_than_a_second_before_the_end_of_a_session_no_token_is_issued,
    the_tokens_and_cookies_expire_with_the_session,
    a_repeated_refresh_returns_the_same_shortened_token,
    a_recovered_refresh_token_does_not_outlive_its_session,
    session_max_ttl_limits_sessions_from_before_the_setting,
    a_better_auth_session_is_not_extended_beyond_the_maximum,
    a_change_of_password_starts_a_new_lifetime,
    the_token_of_a_short_better_auth_session_expires_with_the_session,
    a_service_token_expires_with_its_session,
    a_logout_of_a_session_that_just_expired_revokes_its_tokens,
    a_logout_of_several_sessions_also_revokes_sessions_that_just_expired,
    an_expired_session_stays_as_long_as_its_tokens_could_live,
}

const SECOND: Duration = Duration::from_secs(1);
/// The value of `SESSION_MAX_TTL` in the tests that set it.
const MAX_TTL: Duration = Duration::from_secs(10 * 24 * 60 * 60);

fn app_with_max_ttl(engine: Engine) -> App {
    App::on(engine).set("session-max-ttl", "10d").start()
}

fn claims(token: &str) -> Value {
    use base64::Engine as _;
    let payload = token.split('.').nth(1).unwrap();
    let decoded_payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload);
    serde_json::from_slice(&decoded_payload.unwrap()).unwrap()
}

/// Returns the time between the issue and the expiry of a token, in seconds.
fn lifetime_seconds(token: &str) -> i64 {
    let payload = claims(token);
    payload["exp"].as_i64().unwrap() - payload["iat"].as_i64().unwrap()
}

/// Returns the `Max-Age` of each cookie that the response sets, in seconds.
fn max_ages(response: &Response) -> Vec<String> {
    let cookies = response.header_values("set-cookie").into_iter();
    let ages = cookies.filter_map(|cookie| {
        cookie
            .split("; ")
            .find_map(|attribute| attribute.strip_prefix("Max-Age="))
    });
    ages.map(ToOwned::to_owned).collect()
}

/// Logs in a device, and advances the clock by this duration. Refreshes the tokens after each day, but not at the end.
async fn device_used_for(app: &App, name: &str, duration: Duration) -> Device {
    let (_, mut device) = user_with_device(app, name).await;
    let mut remaining = duration;
    while remaining > DAY {
        app.clock.advance(DAY);
        remaining -= DAY;
        device = refreshed(app, &device).await;
    }
    app.clock.advance(remaining);
    device
}

async fn a_session_expires_at_its_maximum_lifetime_despite_refreshes(engine: Engine) {
    let app = app_with_max_ttl(engine);
    let device = device_used_for(&app, "ada", MAX_TTL.saturating_sub(SECOND)).await;
    let response = refresh(&app, &device.refresh).await;
    assert_eq!(max_ages(&response), ["1", "1"]);
    let refreshed_device = Device::from_response(&response.ok());
    let sessions = app
        .bearer(refreshed_device.access.as_str())
        .get(SESSIONS)
        .await
        .ok();
    assert_eq!(sessions[0]["expires_at"], "2026-11-30T12:57:51.869Z");
    app.clock.advance(SECOND);
    let refused = refresh(&app, &refreshed_device.refresh).await;
    refused.problem(401, "SESSION_EXPIRED");
    for wait in [SECOND, DAY] {
        app.clock.advance(wait);
        let refused = refresh(&app, &refreshed_device.refresh).await;
        refused.problem(401, "SESSION_EXPIRED");
    }
    get_session(&app, &refreshed_device.access)
        .await
        .problem(401, "TOKEN_EXPIRED");
}

async fn less_than_a_second_before_the_end_of_a_session_no_token_is_issued(engine: Engine) {
    let app = app_with_max_ttl(engine);
    let device = device_used_for(&app, "ada", MAX_TTL.saturating_sub(MICROSECOND)).await;
    let refused = refresh(&app, &device.refresh).await;
    assert!(refused.header_values("set-cookie").is_empty());
    refused.problem(401, "SESSION_EXPIRED");
}

async fn the_tokens_and_cookies_expire_with_the_session(engine: Engine) {
    let app = app_with_max_ttl(engine);
    for (name, remaining_lifetime, token_seconds, cookie_seconds) in [
        ("ada", SESSION_TTL, 900, 604_800),
        ("eve", ACCESS_TTL + SECOND, 900, 901),
        ("bob", ACCESS_TTL, 900, 900),
        ("joe", ACCESS_TTL.saturating_sub(SECOND), 899, 899),
    ] {
        let device = device_used_for(&app, name, MAX_TTL.saturating_sub(remaining_lifetime)).await;
        let response = refresh(&app, &device.refresh).await;
        assert_eq!(
            max_ages(&response),
            [cookie_seconds.to_string(), cookie_seconds.to_string()]
        );
        let token_response = response.ok();
        assert_eq!(token_response["expires_in"], token_seconds, "{name}");
        assert_eq!(
            lifetime_seconds(token_response["access_token"].as_str().unwrap()),
            token_seconds
        );
    }
}

async fn a_repeated_refresh_returns_the_same_shortened_token(engine: Engine) {
    let app = app_with_max_ttl(engine);
    let device = device_used_for(&app, "ada", MAX_TTL.saturating_sub(ACCESS_TTL / 2)).await;
    let first_response = refresh(&app, &device.refresh).await.ok();
    app.clock.advance(SECOND * 9);
    let second_response = refresh(&app, &device.refresh).await.ok();
    assert_eq!(first_response, second_response);
    assert_eq!(first_response["expires_in"], 450);
}

/// A device that lost the response to its refresh recovers with the old refresh token. The recovery extends the session
/// to its full lifetime, but a retry of the recovery does not extend the session again.
async fn a_recovered_refresh_token_does_not_outlive_its_session(engine: Engine) {
    let app = App::on(engine).set("access-token-ttl", "7d").start();
    let (_, device) = user_with_device(&app, "ada").await;
    refreshed(&app, &device).await;
    app.clock.advance(DAY);
    let recovery_response = refresh(&app, &device.refresh).await.ok();
    assert_eq!(recovery_response["expires_in"], 7 * 86_400);
    app.clock.advance(DAY * 2);
    let retry_response = refresh(&app, &device.refresh).await.ok();
    assert_eq!(retry_response["expires_in"], 5 * 86_400);
    let token = retry_response["access_token"].as_str().unwrap();
    assert_eq!(
        claims(token)["exp"],
        claims(recovery_response["access_token"].as_str().unwrap())["exp"]
    );
}

async fn session_max_ttl_limits_sessions_from_before_the_setting(app: App) {
    let device = device_used_for(&app, "ada", MAX_TTL.saturating_sub(SECOND)).await;
    let limited_process = app.another_process().set("session-max-ttl", "10d").start();
    let response = refresh(&limited_process, &device.refresh).await;
    assert_eq!(response.ok()["expires_in"], 1);
    // The process without the setting extends the session beyond the limit.
    let refreshed_device = refreshed(&app, &device).await;
    let newest_device = refreshed(&app, &refreshed_device).await;
    app.clock.advance(SECOND);
    let refused = refresh(&limited_process, &newest_device.refresh).await;
    refused.problem(401, "SESSION_EXPIRED");
    let list_response = limited_process
        .bearer(newest_device.access.as_str())
        .get(SESSIONS)
        .await;
    assert_eq!(list_response.ok(), json!([]));
    let body = json!({ "current_password": "ada: correct horse battery staple", "new_password": "another good one" });
    let refused = limited_process
        .bearer(newest_device.access.as_str())
        .post(CHANGE_PASSWORD, body)
        .await;
    refused.problem(401, "TOKEN_REVOKED");
    // The access token would be valid for some minutes more, so the logout revokes it.
    assert_logged_out(
        by_access(&limited_process, &newest_device, json!({})).await,
        0,
    );
    get_session(&limited_process, &newest_device.access)
        .await
        .problem(401, "TOKEN_REVOKED");
}

async fn a_better_auth_session_is_not_extended_beyond_the_maximum(engine: Engine) {
    let app = app_with_max_ttl(engine);
    let sign_up_response = app.anonymous().post(SIGN_UP, sign_up_body("ada")).await;
    assert_eq!(max_ages(&sign_up_response), ["604800"]);
    let ada = Browser::from_response(&sign_up_response);
    app.clock.advance(DAY * 5);
    let extending_response = ada.get(&app, "/api/auth/get-session").await;
    assert_eq!(max_ages(&extending_response), ["432000"]);
    assert_eq!(
        extending_response.ok()["session"]["expiresAt"],
        "2026-11-30T12:57:51.869Z"
    );
    app.clock.advance((DAY * 5).saturating_sub(SECOND));
    let late_response = ada.get(&app, "/api/auth/get-session").await;
    // The session already has the latest allowed expiry, so the server neither writes the row nor sends the cookie.
    assert!(late_response.header_values("set-cookie").is_empty());
    assert_eq!(
        late_response.ok()["session"]["updatedAt"],
        "2026-11-25T12:57:51.869Z"
    );
    let token_response = ada.get(&app, "/api/auth/token").await.ok();
    let token = token_response["token"].as_str().unwrap();
    assert_eq!(lifetime_seconds(token), 1);
    app.clock.advance(SECOND.saturating_sub(MICROSECOND));
    assert!(ada.is_signed_in(&app).await);
    let refused = ada.get(&app, "/api/auth/token").await;
    assert_eq!(refused.status(), 401);
    app.clock.advance(MICROSECOND);
    assert!(!ada.is_signed_in(&app).await);
}

async fn a_change_of_password_starts_a_new_lifetime(engine: Engine) {
    let app = app_with_max_ttl(engine);
    let device = device_used_for(&app, "ada", MAX_TTL.saturating_sub(SECOND * 60)).await;
    let refreshed_device = refreshed(&app, &device).await;
    let body = json!({ "current_password": "ada: correct horse battery staple", "new_password": "another good one" });
    let bearer = app.bearer(refreshed_device.access.as_str());
    let new_device = Device::from_response(&bearer.post(CHANGE_PASSWORD, body).await.ok());
    app.clock.advance(SECOND * 61);
    let response = refresh(&app, &new_device.refresh).await;
    assert_eq!(response.ok()["expires_in"], 900);
}

async fn the_token_of_a_short_better_auth_session_expires_with_the_session(engine: Engine) {
    let app = App::on(engine).set("access-token-ttl", "7d").start();
    let mut body = sign_up_body("ada");
    body["rememberMe"] = false.into();
    let ada = Browser::from_response(&app.anonymous().post(SIGN_UP, body).await.assert_status(200));
    for (wait, remaining_seconds) in [(Duration::ZERO, 86_400), (DAY.saturating_sub(SECOND), 1)] {
        app.clock.advance(wait);
        let token_response = ada.get(&app, "/api/auth/token").await.ok();
        assert_eq!(
            lifetime_seconds(token_response["token"].as_str().unwrap()),
            remaining_seconds
        );
    }
}

async fn a_service_token_expires_with_its_session(engine: Engine) {
    let app = App::on(engine)
        .set("session-max-ttl", "10d")
        .set("token-audiences", "reports")
        .start();
    let device = device_used_for(&app, "ada", MAX_TTL.saturating_sub(SECOND * 60)).await;
    let refreshed_device = refreshed(&app, &device).await;
    let body = json!({ "audience": "reports" });
    let response = app
        .bearer(refreshed_device.access.as_str())
        .post("/api/auth/token", body)
        .await;
    assert_eq!(response.ok()["expires_in"], 60);
}

/// A process with a slow clock, or a service with a large leeway, still accepts the access token of an expired session,
/// so a logout must revoke this token.
async fn a_logout_of_a_session_that_just_expired_revokes_its_tokens(engine: Engine) {
    let app = App::on(engine).set("session-ttl", "15m").start();
    let slow_process = app
        .another_process()
        .clock(e2e::TestClock::default())
        .start();
    let (_, device) = user_with_device(&app, "ada").await;
    app.clock.advance(ACCESS_TTL);
    get_session(&slow_process, &device.access).await.ok();
    assert_logged_out(by_access(&app, &device, json!({})).await, 0);
    let delay = until_rejected(&slow_process, &device.access, "TOKEN_REVOKED").await;
    assert!(delay < MAX_REVOCATION_DELAY, "{delay:?}");
}

/// After its expiry, a session can still be revoked within the lifetime of an access token plus ten minutes (the
/// largest tolerated clock skew).
async fn a_logout_of_several_sessions_also_revokes_sessions_that_just_expired(engine: Engine) {
    let app = App::on(engine).set("session-ttl", "15m").start();
    let revocable_for = ACCESS_TTL + Duration::from_secs(10 * 60);
    for (name, since_expiry, is_revocable) in [
        ("ada", Duration::ZERO, true),
        ("eve", revocable_for.saturating_sub(MICROSECOND), true),
        ("bob", revocable_for, false),
    ] {
        for scope in ["others", "all"] {
            let (user, expired_device) = user_with_device(&app, &format!("{name}{scope}")).await;
            app.clock.advance(ACCESS_TTL + since_expiry);
            let device = login(&app, &user).await;
            let revoked_count = usize::from(scope == "all");
            let response = by_access(&app, &device, json!({ "scope": scope })).await;
            assert_eq!(response.ok()["revoked"], revoked_count);
            assert_eq!(
                is_revoked(&app, &expired_device.session),
                is_revocable,
                "{name}"
            );
        }
    }
}

async fn an_expired_session_stays_as_long_as_its_tokens_could_live(engine: Engine) {
    let app = App::on(engine).set("access-token-ttl", "3d").start();
    let (_, device) = user_with_device(&app, "ada").await;
    let session_count = count(&app, "sessions");
    app.clock.advance(SESSION_TTL + DAY * 3);
    super::fixtures::insert_expired_revocation(&app);
    let first_process = app.another_process().set("access-token-ttl", "3d").start();
    super::fixtures::wait_until("the purge is complete", async || {
        count(&first_process, "revocations WHERE session_id = 'expired'") == 0
    })
    .await;
    assert_eq!(count(&app, "sessions"), session_count);
    assert!(column(&app, &device.session, "id").is_some());
    app.clock
        .advance(Duration::from_secs(10 * 60) + MICROSECOND);
    let second_process = app.another_process().set("access-token-ttl", "3d").start();
    super::fixtures::wait_until("all sessions are deleted", async || {
        count(&second_process, "sessions") == 0
    })
    .await;
}

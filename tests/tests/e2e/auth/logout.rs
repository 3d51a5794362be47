//! Tests `POST /api/auth/logout` with every credential and scope, repeated logouts, and requests that revoke nothing.

mod cookies;
mod credentials;
mod scopes;

use std::time::Duration;

use e2e::{App, Request, Response, on_both_engines};
use serde_json::{Value, json};

use crate::operations::protected;
use crate::sessions::fixtures::{
    Device, LOGOUT, SERVER_ORIGIN, SESSION, are_live, get_session, login, refresh, refreshed,
    refreshed_times, user_with_device,
};

on_both_engines! {
    a_logout_needs_no_credentials,
    a_second_logout_is_no_error,
    an_access_token_revokes_the_sessions_in_scope,
    an_expired_access_token_revokes_at_most_its_own_session,
    a_refresh_token_revokes_the_sessions_in_scope,
    cookies_revoke_the_sessions_in_scope,
    an_old_refresh_token_still_logs_out,
    the_header_has_priority_over_the_body_and_the_body_over_the_cookies,
    an_invalid_body_revokes_nothing,
    a_token_of_a_revoked_session_is_rejected_by_every_route_at_once,
    a_caller_that_disconnects_is_still_logged_out,
}

/// Builds a logout request with this body and with a credential of this device.
type BuildLogout = fn(&App, &Device, Value) -> Request;

/// Builds a logout whose credential is the access token of the device, in the header `Authorization`.
pub(crate) fn by_access(app: &App, device: &Device, body: Value) -> Request {
    app.bearer(device.access.as_str()).post(LOGOUT, body)
}

/// Builds a logout whose credential is the refresh token of the device, in the body.
pub(crate) fn by_body(app: &App, device: &Device, mut body: Value) -> Request {
    body["refresh_token"] = json!(device.refresh);
    app.anonymous().post(LOGOUT, body)
}

/// Builds a logout whose credentials are the cookies of the device.
pub(crate) fn by_cookies(app: &App, device: &Device, body: Value) -> Request {
    logout_with_cookies(app, &device.cookies(), body)
}

/// Builds a logout with this `Cookie` header, from the server's own origin.
pub(crate) fn logout_with_cookies(app: &App, cookies: &str, body: Value) -> Request {
    let request = app.anonymous().post(LOGOUT, body);
    request
        .header("cookie", cookies)
        .header("origin", SERVER_ORIGIN)
}

/// Asserts the number of revoked sessions, and that the response clears no cookies.
#[track_caller]
pub(crate) fn assert_others_logged_out(response: Response, revoked_count: usize) {
    assert!(
        response.header_values("set-cookie").is_empty(),
        "{response:?}"
    );
    let body = response.ok();
    assert_eq!(body, json!({ "success": true, "revoked": revoked_count }));
}

/// Asserts the number of revoked sessions, and that the response clears the cookies.
#[track_caller]
pub(crate) fn assert_logged_out(response: Response, revoked_count: usize) {
    let cleared_cookies = [
        "access_token=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
        "refresh_token=; Path=/api/auth; Max-Age=0; HttpOnly; SameSite=Lax",
    ];
    assert_eq!(
        response.header_values("set-cookie"),
        cleared_cookies,
        "{response:?}"
    );
    let body = response.ok();
    assert_eq!(body, json!({ "success": true, "revoked": revoked_count }));
}

/// Request bodies, each with the expected number of revoked sessions and whether each of three devices stays logged in.
type ScopeResults = [(&'static str, usize, [bool; 3]); 4];

/// The expected results if the first of three devices logs out with a valid credential.
const RESULTS_IF_VALID: ScopeResults = [
    ("{}", 1, [false, true, true]),
    (r#"{"scope":"current"}"#, 1, [false, true, true]),
    (r#"{"scope":"others"}"#, 2, [true, false, false]),
    (r#"{"scope":"all"}"#, 3, [false, false, false]),
];

/// The expected results if the credential is an expired access token, which revokes at most its own session.
const RESULTS_IF_EXPIRED: ScopeResults = [
    ("{}", 1, [false, true, true]),
    (r#"{"scope":"current"}"#, 1, [false, true, true]),
    (r#"{"scope":"others"}"#, 0, [true, true, true]),
    (r#"{"scope":"all"}"#, 1, [false, true, true]),
];

/// For each request body: logs in three devices, advances the clock by `wait`, sends the logout from the first device
/// twice, and asserts the results.
async fn assert_each_scope(
    app: App,
    build_logout: BuildLogout,
    wait: Duration,
    results: ScopeResults,
) {
    let (_, eve_device) = user_with_device(&app, "eve").await;
    for (body_text, first_revoked_count, live_flags) in results {
        let (ada, first_device) = user_with_device(&app, &format!("ada{}", body_text.len())).await;
        let devices = [
            first_device,
            login(&app, &ada).await,
            login(&app, &ada).await,
        ];
        app.clock.advance(wait);
        let body: Value = serde_json::from_str(body_text).unwrap();
        for revoked_count in [first_revoked_count, 0] {
            let response = build_logout(&app, &devices[0], body.clone()).await;
            if body["scope"] == "others" {
                assert_others_logged_out(response, revoked_count);
            } else {
                assert_logged_out(response, revoked_count);
            }
            assert_eq!(are_live(&app, &devices), live_flags, "{body_text}");
        }
        for (device, is_live) in devices.iter().zip(live_flags) {
            let response = refresh(&app, &device.refresh).await;
            if is_live {
                let refreshed_device = Device::from_response(&response.ok());
                get_session(&app, &refreshed_device.access).await.ok();
            } else {
                response.problem(401, "SESSION_EXPIRED");
            }
            if !is_live && wait.is_zero() {
                get_session(&app, &device.access)
                    .await
                    .problem(401, "TOKEN_REVOKED");
            }
        }
    }
    refreshed(&app, &eve_device).await;
}

async fn an_access_token_revokes_the_sessions_in_scope(app: App) {
    assert_each_scope(app, by_access, Duration::ZERO, RESULTS_IF_VALID).await;
}

async fn an_expired_access_token_revokes_at_most_its_own_session(app: App) {
    assert_each_scope(
        app,
        by_access,
        Duration::from_secs(24 * 60 * 60),
        RESULTS_IF_EXPIRED,
    )
    .await;
}

async fn a_refresh_token_revokes_the_sessions_in_scope(app: App) {
    assert_each_scope(app, by_body, Duration::ZERO, RESULTS_IF_VALID).await;
}

async fn cookies_revoke_the_sessions_in_scope(app: App) {
    assert_each_scope(app, by_cookies, Duration::ZERO, RESULTS_IF_VALID).await;
}

async fn an_old_refresh_token_still_logs_out(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let other_device = login(&app, &ada).await;
    let newest_device = refreshed_times(&app, &device, 3).await;
    assert_logged_out(by_body(&app, &device, json!({})).await, 1);
    assert_eq!(are_live(&app, [&device, &other_device]), [false, true]);
    get_session(&app, &newest_device.access)
        .await
        .problem(401, "TOKEN_REVOKED");
}

async fn the_header_has_priority_over_the_body_and_the_body_over_the_cookies(app: App) {
    let (ada, header_device) = user_with_device(&app, "ada").await;
    let (body_device, cookie_device) = (login(&app, &ada).await, login(&app, &ada).await);
    let devices = [&header_device, &body_device, &cookie_device];
    let add_cookies = |request: Request| {
        let request = request.header("cookie", &cookie_device.cookies());
        request.header("sec-fetch-site", "same-origin")
    };
    let authorization = format!("Bearer {}", header_device.access);
    let request = by_body(&app, &body_device, json!({})).header("authorization", &authorization);
    assert_logged_out(add_cookies(request).await, 1);
    assert_eq!(are_live(&app, devices), [false, true, true]);
    assert_logged_out(add_cookies(by_body(&app, &body_device, json!({}))).await, 1);
    assert_eq!(are_live(&app, devices), [false, false, true]);
    assert_logged_out(
        add_cookies(app.anonymous().request("POST", LOGOUT)).await,
        1,
    );
    assert_eq!(are_live(&app, devices), [false, false, false]);
}

async fn an_invalid_body_revokes_nothing(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let bearer = app.bearer(device.access.as_str());
    let (scope_message, type_message) = (
        "must be one of `current`, `others`, `all`",
        "must be a string",
    );
    for (scope, message) in [
        (json!("everything"), scope_message),
        (json!(""), scope_message),
        (json!("ALL"), scope_message),
        (json!(null), type_message),
        (json!(7), type_message),
        (json!(["all"]), type_message),
        (json!({ "all": null }), type_message),
    ] {
        let response = bearer.post(LOGOUT, json!({ "scope": scope })).await;
        assert!(response.header_values("set-cookie").is_empty());
        response.invalid("scope", "invalid_type", message);
    }
    for invalid_token in [json!(null), json!(7), json!({})] {
        let response = bearer
            .post(LOGOUT, json!({ "refresh_token": invalid_token }))
            .await;
        response.invalid("refresh_token", "invalid_type", type_message);
    }
    for body in ["{", "scope=all", "{\"scope\":\"all\"}}"] {
        bearer.post(LOGOUT, body).await.problem(400, "INVALID_JSON");
    }
    for body in ["null", "[]", "\"all\""] {
        let response = bearer.post(LOGOUT, body).await;
        response.problem(400, "INVALID_REQUEST");
    }
    let response = bearer.post(LOGOUT, "scope=all".as_bytes()).await;
    response.problem(415, "UNSUPPORTED_MEDIA_TYPE");
    let response = bearer.post(LOGOUT, " ".repeat(70_000)).await;
    response.problem(413, "BODY_TOO_LARGE");
    assert_eq!(are_live(&app, [&device]), [true]);
    refreshed(&app, &device).await;
}

async fn a_token_of_a_revoked_session_is_rejected_by_every_route_at_once(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    assert_logged_out(by_access(&app, &device, json!({})).await, 1);
    let caller = app.bearer(device.access.as_str());
    for operation in protected(&app).await {
        let response = operation.request(&caller, ada.id()).await;
        response.problem(401, "TOKEN_REVOKED");
    }
    let request = app.anonymous().get(SESSION);
    let response = request.header("cookie", &device.cookies()).await;
    response.problem(401, "TOKEN_REVOKED");
}

async fn a_logout_needs_no_credentials(app: App) {
    for caller in [app.anonymous(), app.bearer("junk")] {
        let body = caller.request("POST", LOGOUT).await.ok();
        assert_eq!(body, json!({ "success": true, "revoked": 0 }));
    }
}

async fn a_second_logout_is_no_error(app: App) {
    let ada = app.user("ada").await;
    for revoked_count in [1, 0] {
        let body = ada.post(LOGOUT, json!({})).await.ok();
        assert_eq!(body, json!({ "success": true, "revoked": revoked_count }));
    }
}

async fn a_caller_that_disconnects_is_still_logged_out(app: App) {
    let ada = app.user("ada").await;
    let mut connection = app.connect().await;
    let request = format!(
        "POST /api/auth/logout HTTP/1.1\r\nhost: e2e\r\nauthorization: Bearer {}\r\n\
         content-length: 0\r\n\r\n",
        ada.token()
    );
    connection.send(request.as_bytes()).await;
    drop(connection);
    while ada.get("/api/auth/session").await.status() == 200 {}
    let response = ada.get("/api/auth/session").await;
    response.problem(401, "TOKEN_REVOKED");
}

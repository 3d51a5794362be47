//! Tests which sessions `POST /api/auth/logout` revokes if the credentials are cookies.

use std::time::Duration;

use e2e::{App, on_both_engines};
use serde_json::json;

use super::{assert_logged_out, assert_others_logged_out, by_cookies, logout_with_cookies};
use crate::sessions::fixtures::{
    Device, LOGOUT, are_live, get_session, login, refresh, user_with_device,
};

on_both_engines! {
    either_cookie_alone_logs_out,
    cookies_of_two_sessions_revoke_both_sessions,
    duplicate_cookies_revoke_the_session_of_each_cookie,
    duplicate_cookies_revoke_nothing_in_the_scopes_others_and_all,
    invalid_cookies_do_not_hide_a_valid_cookie_and_at_most_eight_sessions_are_revoked,
    cookies_without_a_trusted_origin_revoke_nothing,
}

async fn either_cookie_alone_logs_out(app: App) {
    let (ada, first_device) = user_with_device(&app, "ada").await;
    let access_cookie = format!("access_token={}", first_device.access);
    let second_device = login(&app, &ada).await;
    let refresh_cookie = format!("refresh_token={}", second_device.refresh);
    // After a day the access token in the cookie has expired. The server still reads the session id from the token.
    app.clock.advance(Duration::from_secs(24 * 60 * 60));
    for cookie in [access_cookie, refresh_cookie] {
        for revoked_count in [1, 0] {
            assert_logged_out(
                logout_with_cookies(&app, &cookie, json!({})).await,
                revoked_count,
            );
        }
    }
    assert_eq!(
        are_live(&app, [&first_device, &second_device]),
        [false, false]
    );
}

async fn cookies_of_two_sessions_revoke_both_sessions(app: App) {
    let (ada, ada_device) = user_with_device(&app, "ada").await;
    let (_, eve_device) = user_with_device(&app, "eve").await;
    let phone = login(&app, &ada).await;
    let mixed_device = Device {
        refresh: eve_device.refresh.clone(),
        ..ada_device.clone()
    };
    for revoked_count in [2, 0] {
        assert_logged_out(
            by_cookies(&app, &mixed_device, json!({})).await,
            revoked_count,
        );
    }
    assert_eq!(
        are_live(&app, [&ada_device, &eve_device, &phone]),
        [false, false, true]
    );
    let response = refresh(&app, &eve_device.refresh).await;
    response.problem(401, "SESSION_EXPIRED");
    get_session(&app, &ada_device.access)
        .await
        .problem(401, "TOKEN_REVOKED");
}

/// Over plain HTTP the names of the cookies lack the prefix `__Host-`, so another host of the same domain can add a
/// second cookie of the same name.
async fn duplicate_cookies_revoke_the_session_of_each_cookie(app: App) {
    let (ada, phone) = user_with_device(&app, "ada").await;
    let (_, eve_device) = user_with_device(&app, "eve").await;
    let (first_device, second_device) = (login(&app, &ada).await, login(&app, &ada).await);
    let request = app.anonymous().post(LOGOUT, json!({}));
    let cookies_of_two_devices = format!("{}; {}", eve_device.cookies(), first_device.cookies());
    let request = request.header("cookie", &cookies_of_two_devices);
    let cross_site_request = request.header("origin", "https://evil.example");
    assert_eq!(cross_site_request.await.status(), 403);
    assert_eq!(are_live(&app, [&first_device, &eve_device]), [true, true]);
    assert_logged_out(
        logout_with_cookies(&app, &cookies_of_two_devices, json!({})).await,
        2,
    );
    assert_eq!(
        are_live(&app, [&first_device, &eve_device, &phone]),
        [false, false, true]
    );
    let duplicate_cookies = format!("{0}; {0}", second_device.cookies());
    let scope_current = json!({ "scope": "current" });
    assert_logged_out(
        logout_with_cookies(&app, &duplicate_cookies, scope_current).await,
        1,
    );
    assert_eq!(are_live(&app, [&second_device, &phone]), [false, true]);
}

async fn duplicate_cookies_revoke_nothing_in_the_scopes_others_and_all(app: App) {
    let (ada, ada_device) = user_with_device(&app, "ada").await;
    let (_, eve_device) = user_with_device(&app, "eve").await;
    let phone = login(&app, &ada).await;
    for cookies in [
        format!("{0}; {0}", ada_device.cookies()),
        format!("{}; {}", ada_device.cookies(), eve_device.cookies()),
    ] {
        let logout_of_others = logout_with_cookies(&app, &cookies, json!({ "scope": "others" }));
        assert_others_logged_out(logout_of_others.await, 0);
        let logout_of_all = logout_with_cookies(&app, &cookies, json!({ "scope": "all" }));
        assert_logged_out(logout_of_all.await, 0);
        assert_eq!(
            are_live(&app, [&ada_device, &eve_device, &phone]),
            [true; 3]
        );
    }
}

async fn invalid_cookies_do_not_hide_a_valid_cookie_and_at_most_eight_sessions_are_revoked(
    app: App,
) {
    let (ada, other_device) = user_with_device(&app, "ada").await;
    for name in ["access_token", "refresh_token"] {
        let invalid_cookies = format!("{name}=x; {name}=; ").repeat(20);
        let device = login(&app, &ada).await;
        let cookies = format!("{invalid_cookies}{}; {invalid_cookies}", device.cookies());
        assert_logged_out(logout_with_cookies(&app, &cookies, json!({})).await, 1);
        assert_eq!(are_live(&app, [&device, &other_device]), [false, true]);
    }
    for (session_count, revoked_count) in [(7, 7), (8, 8), (9, 8)] {
        let mut session_cookies = Vec::new();
        for _ in 0..session_count {
            session_cookies.push(login(&app, &ada).await.cookies());
        }
        let request = logout_with_cookies(&app, &session_cookies.join("; "), json!({}));
        assert_logged_out(request.await, revoked_count);
    }
}

async fn cookies_without_a_trusted_origin_revoke_nothing(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let access_cookie = format!("access_token={}", device.access);
    let refresh_cookie = format!("refresh_token={}", device.refresh);
    for cookie in [device.cookies(), access_cookie, refresh_cookie] {
        for origin in [None, Some("null"), Some("https://evil.example")] {
            let mut request = app.anonymous().post(LOGOUT, json!({ "scope": "all" }));
            request = request.header("cookie", &cookie);
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            let response = request.await;
            // A rejection must not clear the browser's cookies.
            assert!(response.header_values("set-cookie").is_empty());
            response.problem(403, "UNTRUSTED_ORIGIN");
        }
    }
    assert_eq!(are_live(&app, [&device]), [true]);
    get_session(&app, &device.access).await.ok();
}

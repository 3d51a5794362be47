//! `POST /api/auth/logout` with cookies: which sessions it revokes, and which stay live.

use std::time::Duration;

use e2e::{App, on_both_engines};
use serde_json::json;

use super::{assert_logged_out, assert_others_logged_out, by_cookies, with_cookie};
use crate::sessions::fixtures::{
    Device, LOGOUT, are_live, get_session, login, refresh, user_with_device,
};

on_both_engines! {
    either_cookie_alone_logs_out,
    cookies_that_name_different_sessions_revoke_both,
    doubled_cookies_revoke_every_session_that_they_name,
    doubled_cookies_revoke_no_other_session,
    invalid_cookies_do_not_hide_a_valid_one_and_at_most_eight_sessions_are_revoked,
    cookies_from_another_origin_revoke_nothing,
}

async fn either_cookie_alone_logs_out(app: App) {
    let (ada, first) = user_with_device(&app, "ada").await;
    let access = format!("access_token={}", first.access);
    let second = login(&app, &ada).await;
    let refresh = format!("refresh_token={}", second.refresh);
    // A day later the access token in the cookie has expired, but still names its session.
    app.clock.advance(Duration::from_secs(24 * 60 * 60));
    for cookie in [access, refresh] {
        for revoked in [1, 0] {
            assert_logged_out(with_cookie(&app, &cookie, json!({})).await, revoked);
        }
    }
    assert_eq!(are_live(&app, [&first, &second]), [false, false]);
}

async fn cookies_that_name_different_sessions_revoke_both(app: App) {
    let (ada, first) = user_with_device(&app, "ada").await;
    let (_, eve_device) = user_with_device(&app, "eve").await;
    let phone = login(&app, &ada).await;
    let mixed = Device {
        refresh: eve_device.refresh.clone(),
        ..first.clone()
    };
    for revoked in [2, 0] {
        assert_logged_out(by_cookies(&app, &mixed, json!({})).await, revoked);
    }
    assert_eq!(
        are_live(&app, [&first, &eve_device, &phone]),
        [false, false, true]
    );
    let refused = refresh(&app, &eve_device.refresh).await;
    refused.problem(401, "SESSION_EXPIRED");
    get_session(&app, &first.access)
        .await
        .problem(401, "TOKEN_REVOKED");
}

/// Over plain HTTP, another host of the site can add a cookie of the same name.
async fn doubled_cookies_revoke_every_session_that_they_name(app: App) {
    let (ada, phone) = user_with_device(&app, "ada").await;
    let (_, eve_device) = user_with_device(&app, "eve").await;
    let (first, second) = (login(&app, &ada).await, login(&app, &ada).await);
    let cross_site = app.anonymous().post(LOGOUT, json!({}));
    let both_cookies = format!("{}; {}", eve_device.cookies(), first.cookies());
    let cross_site = cross_site.header("cookie", &both_cookies);
    let cross_site = cross_site.header("origin", "https://evil.example");
    assert_eq!(cross_site.await.status(), 403);
    assert_eq!(are_live(&app, [&first, &eve_device]), [true, true]);
    assert_logged_out(with_cookie(&app, &both_cookies, json!({})).await, 2);
    assert_eq!(
        are_live(&app, [&first, &eve_device, &phone]),
        [false, false, true]
    );
    let doubled = format!("{0}; {0}", second.cookies());
    let current = json!({ "scope": "current" });
    assert_logged_out(with_cookie(&app, &doubled, current).await, 1);
    assert_eq!(are_live(&app, [&second, &phone]), [false, true]);
}

async fn doubled_cookies_revoke_no_other_session(app: App) {
    let (ada, own) = user_with_device(&app, "ada").await;
    let (_, eve_device) = user_with_device(&app, "eve").await;
    let phone = login(&app, &ada).await;
    for cookies in [
        format!("{0}; {0}", own.cookies()),
        format!("{}; {}", own.cookies(), eve_device.cookies()),
    ] {
        let others = with_cookie(&app, &cookies, json!({ "scope": "others" }));
        assert_others_logged_out(others.await, 0);
        let all = with_cookie(&app, &cookies, json!({ "scope": "all" }));
        assert_logged_out(all.await, 0);
        assert_eq!(are_live(&app, [&own, &eve_device, &phone]), [true; 3]);
    }
}

async fn invalid_cookies_do_not_hide_a_valid_one_and_at_most_eight_sessions_are_revoked(app: App) {
    let (ada, first) = user_with_device(&app, "ada").await;
    for name in ["access_token", "refresh_token"] {
        let junk = format!("{name}=x; {name}=; ").repeat(20);
        let device = login(&app, &ada).await;
        let cookies = format!("{junk}{}; {junk}", device.cookies());
        assert_logged_out(with_cookie(&app, &cookies, json!({})).await, 1);
        assert_eq!(are_live(&app, [&device, &first]), [false, true]);
    }
    for (count, revoked) in [(7, 7), (8, 8), (9, 8)] {
        let mut cookies = Vec::new();
        for _ in 0..count {
            cookies.push(login(&app, &ada).await.cookies());
        }
        let request = with_cookie(&app, &cookies.join("; "), json!({}));
        assert_logged_out(request.await, revoked);
    }
}

async fn cookies_from_another_origin_revoke_nothing(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let access = format!("access_token={}", device.access);
    let refresh = format!("refresh_token={}", device.refresh);
    for cookie in [device.cookies(), access, refresh] {
        for origin in [None, Some("null"), Some("https://evil.example")] {
            let mut request = app.anonymous().post(LOGOUT, json!({ "scope": "all" }));
            request = request.header("cookie", &cookie);
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            let refused = request.await;
            // The response does not clear the browser's cookies either.
            assert!(refused.all("set-cookie").is_empty());
            refused.problem(403, "UNTRUSTED_ORIGIN");
        }
    }
    assert_eq!(are_live(&app, [&device]), [true]);
    get_session(&app, &device.access).await.ok();
}

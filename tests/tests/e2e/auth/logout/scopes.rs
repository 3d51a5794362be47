//! Tests with which credentials `POST /api/auth/logout` in the scopes `others` and `all` revokes other sessions.

use std::time::Duration;

use e2e::{App, on_both_engines};
use serde_json::json;

use super::{assert_logged_out, by_access, by_body, by_cookies, logout_with_cookies};
use crate::sessions::fixtures::{
    ACCESS_TTL, Device, OVERLAP, are_live, encode_refresh_token, get_session, is_revoked, login,
    refreshed, refreshed_times, user_with_device,
};

on_both_engines! {
    an_access_token_revokes_other_sessions_until_it_expires,
    an_expired_access_token_revokes_at_most_its_own_session,
    the_current_refresh_token_and_its_predecessor_revoke_other_sessions,
    an_older_refresh_token_revokes_at_most_its_own_session,
    a_refresh_token_with_a_counter_ahead_of_its_session_revokes_at_most_that_session,
    one_valid_credential_among_several_revokes_other_sessions,
    with_an_authorization_header_the_cookies_are_ignored,
    an_access_token_of_a_revoked_session_revokes_no_other_session,
}

const SCOPES: [&str; 2] = ["others", "all"];
/// The time after `exp` for which the server still accepts an access token.
const LEEWAY: Duration = Duration::from_secs(5);
const SECOND: Duration = Duration::from_secs(1);

async fn login_two_devices(app: &App, name: &str) -> (Device, Device) {
    let (user, first_device) = user_with_device(app, name).await;
    (first_device, login(app, &user).await)
}

/// Asserts that a logout in the scope `all` revoked only the session of the first device, or that a logout in the scope
/// `others` revoked neither session.
#[track_caller]
fn assert_at_most_first_device_revoked(
    app: &App,
    scope: &str,
    [first_device, other_device]: [&Device; 2],
) {
    assert_eq!(
        are_live(app, [first_device, other_device]),
        [scope == "others", true],
        "{scope}"
    );
}

async fn an_access_token_revokes_other_sessions_until_it_expires(app: App) {
    for scope in SCOPES {
        let (device, other_device) = login_two_devices(&app, scope).await;
        // `exp` is rounded down to a whole second, so after the full 905 seconds the server would already reject the
        // token. One second earlier, the server still accepts it.
        app.clock
            .advance((ACCESS_TTL + LEEWAY).saturating_sub(SECOND));
        by_access(&app, &device, json!({ "scope": scope }))
            .await
            .ok();
        assert_eq!(
            are_live(&app, [&device, &other_device]),
            [scope == "others", false]
        );
    }
}

async fn an_expired_access_token_revokes_at_most_its_own_session(app: App) {
    for (number, wait) in [ACCESS_TTL + LEEWAY, ACCESS_TTL * 90]
        .into_iter()
        .enumerate()
    {
        for scope in SCOPES {
            let (device, other_device) = login_two_devices(&app, &format!("{scope}{number}")).await;
            app.clock.advance(wait);
            let revoked_count = usize::from(scope == "all");
            let response = by_access(&app, &device, json!({ "scope": scope })).await;
            assert_eq!(response.ok()["revoked"], revoked_count);
            assert_at_most_first_device_revoked(&app, scope, [&device, &other_device]);
            let access_cookie = format!("access_token={}", device.access);
            let request = logout_with_cookies(&app, &access_cookie, json!({ "scope": scope }));
            assert_eq!(request.await.ok()["revoked"], 0);
            assert_at_most_first_device_revoked(&app, scope, [&device, &other_device]);
        }
    }
}

async fn the_current_refresh_token_and_its_predecessor_revoke_other_sessions(app: App) {
    for scope in SCOPES {
        for refresh_count in [0, 1] {
            let (device, other_device) =
                login_two_devices(&app, &format!("{scope}{refresh_count}")).await;
            let newest_device = refreshed_times(&app, &device, refresh_count).await;
            app.clock.advance(OVERLAP * 2);
            let revoked_count = if scope == "all" { 2 } else { 1 };
            let response = by_body(&app, &device, json!({ "scope": scope })).await;
            assert_eq!(
                response.ok()["revoked"],
                revoked_count,
                "{scope} {refresh_count}"
            );
            assert_eq!(
                are_live(&app, [&newest_device, &other_device]),
                [scope == "others", false]
            );
        }
    }
}

async fn an_older_refresh_token_revokes_at_most_its_own_session(app: App) {
    for scope in SCOPES {
        for refresh_count in [2, 5] {
            let (device, other_device) =
                login_two_devices(&app, &format!("{scope}{refresh_count}")).await;
            refreshed_times(&app, &device, refresh_count).await;
            let revoked_count = usize::from(scope == "all");
            let response = by_body(&app, &device, json!({ "scope": scope })).await;
            assert_eq!(
                response.ok()["revoked"],
                revoked_count,
                "{scope} {refresh_count}"
            );
            assert_at_most_first_device_revoked(&app, scope, [&device, &other_device]);
            let refresh_cookie = format!("refresh_token={}", device.refresh);
            let request = logout_with_cookies(&app, &refresh_cookie, json!({ "scope": scope }));
            assert_eq!(request.await.ok()["revoked"], 0);
            assert_at_most_first_device_revoked(&app, scope, [&device, &other_device]);
        }
    }
}

/// After the restore of a backup, a refresh token can have a higher counter than the row of its session.
async fn a_refresh_token_with_a_counter_ahead_of_its_session_revokes_at_most_that_session(
    app: App,
) {
    for scope in SCOPES {
        for counter in [1, u32::MAX] {
            let (mut device, other_device) =
                login_two_devices(&app, &format!("{scope}{counter}")).await;
            device.refresh = encode_refresh_token(app.secret(), &device.session, counter);
            by_body(&app, &device, json!({ "scope": scope })).await.ok();
            assert_at_most_first_device_revoked(&app, scope, [&device, &other_device]);
        }
    }
}

async fn one_valid_credential_among_several_revokes_other_sessions(app: App) {
    let (device, other_device) = login_two_devices(&app, "ada").await;
    app.clock.advance(ACCESS_TTL * 2);
    // The access token in the cookie has expired. The refresh token is current.
    let response = by_cookies(&app, &device, json!({ "scope": "others" })).await;
    assert_eq!(response.ok()["revoked"], 1);
    assert_eq!(are_live(&app, [&device, &other_device]), [true, false]);

    let (eve_device, other_eve_device) = login_two_devices(&app, "eve").await;
    app.clock.advance(ACCESS_TTL * 2);
    let authorization = format!("Bearer {}", eve_device.access);
    let request = by_body(&app, &eve_device, json!({ "scope": "others" }))
        .header("authorization", &authorization);
    assert_eq!(request.await.ok()["revoked"], 1);
    assert_eq!(
        are_live(&app, [&eve_device, &other_eve_device]),
        [true, false]
    );

    // The refresh token is old. The access token is valid.
    let (bob_device, other_bob_device) = login_two_devices(&app, "bob").await;
    let newest_device = refreshed_times(&app, &bob_device, 3).await;
    let mixed_device = Device {
        refresh: bob_device.refresh,
        ..newest_device.clone()
    };
    let response = by_cookies(&app, &mixed_device, json!({ "scope": "others" })).await;
    assert_eq!(response.ok()["revoked"], 1);
    assert_eq!(
        are_live(&app, [&newest_device, &other_bob_device]),
        [true, false]
    );
}

async fn with_an_authorization_header_the_cookies_are_ignored(app: App) {
    let (device, other_device) = login_two_devices(&app, "ada").await;
    app.clock.advance(ACCESS_TTL * 2);
    let newest_device = refreshed(&app, &device).await;
    let authorization = format!("Bearer {}", device.access);
    let request = by_cookies(&app, &newest_device, json!({ "scope": "others" }));
    let response = request.header("authorization", &authorization).await;
    assert_eq!(response.ok()["revoked"], 0);
    assert_eq!(are_live(&app, [&device, &other_device]), [true, true]);
}

/// Another process has just revoked the session, and this process has not read the revocation yet.
async fn an_access_token_of_a_revoked_session_revokes_no_other_session(app: App) {
    for scope in SCOPES {
        let (device, other_device) = login_two_devices(&app, scope).await;
        app.database().execute(&format!(
            "UPDATE sessions SET revoked_at = created_at WHERE id = '{}'",
            device.session
        ));
        get_session(&app, &device.access).await.ok();
        let response = by_access(&app, &device, json!({ "scope": scope })).await;
        assert_eq!(response.ok()["revoked"], 0);
        assert!(is_revoked(&app, &device.session));
        assert_logged_out(by_access(&app, &other_device, json!({})).await, 1);
    }
}

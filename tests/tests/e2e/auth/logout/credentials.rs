//! Tests `POST /api/auth/logout` with credentials that revoke no session.

use std::time::Duration;

use e2e::{App, Issuer, Request, on_both_engines};
use serde_json::{Value, json};

use super::{
    assert_logged_out, assert_others_logged_out, by_access, by_body, by_cookies,
    logout_with_cookies,
};
use crate::sessions::fixtures::{
    Device, LOGOUT, SESSION_TTL, are_live, encode_refresh_token, get_session, login, refreshed,
    user_with_device,
};

on_both_engines! {
    without_credentials_nothing_is_revoked,
    malformed_or_misused_tokens_revoke_nothing,
    with_an_invalid_authorization_header_the_cookies_are_ignored,
    a_forged_token_revokes_nothing,
    an_unknown_session_is_not_revoked,
    the_credentials_of_a_revoked_session_revoke_nothing,
    the_credentials_of_an_expired_session_revoke_nothing,
}

fn scope_all() -> Value {
    json!({ "scope": "all" })
}

async fn without_credentials_nothing_is_revoked(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    for request in [
        app.anonymous().request("POST", LOGOUT),
        app.anonymous().post(LOGOUT, json!({})),
        app.anonymous().post(LOGOUT, scope_all()),
    ] {
        assert_logged_out(request.clone().await, 0);
        // With a logout from another site, a browser sends no cookies (`SameSite=Lax`). If the response cleared the
        // cookies, the other site could log the user out.
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
        ] {
            let response = request.clone().header(name, value).await;
            assert!(response.header_values("set-cookie").is_empty());
            assert_eq!(response.ok(), json!({ "success": true, "revoked": 0 }));
        }
    }
    get_session(&app, &device.access).await.ok();
}

/// Builds logouts with tokens of the device. Each token is truncated, sent twice, sent without the scheme `Bearer`, or
/// sent where the server does not expect it.
fn requests_with_misused_tokens(app: &App, device: &Device) -> Vec<Request> {
    let (access_token, refresh_token) = (&device.access, &device.refresh);
    vec![
        app.bearer(refresh_token.as_str()).post(LOGOUT, scope_all()),
        app.bearer(access_token[..access_token.len() - 1].to_owned())
            .post(LOGOUT, scope_all()),
        app.anonymous()
            .post(LOGOUT, scope_all())
            .header("authorization", access_token),
        app.anonymous()
            .post(LOGOUT, scope_all())
            .header("authorization", &format!("Basic {access_token}")),
        app.bearer(access_token.as_str())
            .post(LOGOUT, scope_all())
            .header("authorization", &format!("Bearer {access_token}")),
        app.anonymous().post(
            LOGOUT,
            json!({ "scope": "all", "refresh_token": access_token }),
        ),
        app.anonymous().post(
            &format!("{LOGOUT}?refresh_token={refresh_token}"),
            scope_all(),
        ),
        logout_with_cookies(app, &format!("access_token={refresh_token}"), scope_all()),
        logout_with_cookies(app, &format!("refresh_token={access_token}"), scope_all()),
        logout_with_cookies(
            app,
            &format!("access_token={access_token}; access_token={access_token}"),
            scope_all(),
        ),
        logout_with_cookies(
            app,
            &format!("refresh_token={refresh_token}; refresh_token={refresh_token}"),
            scope_all(),
        ),
        logout_with_cookies(
            app,
            &format!("__Host-access_token={access_token}"),
            scope_all(),
        ),
    ]
}

async fn malformed_or_misused_tokens_revoke_nothing(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    for invalid_token in ["junk", "", "rt_", "a.b.c"] {
        assert_logged_out(app.bearer(invalid_token).post(LOGOUT, scope_all()).await, 0);
        let mut body = scope_all();
        body["refresh_token"] = json!(invalid_token);
        assert_logged_out(app.anonymous().post(LOGOUT, body).await, 0);
        for name in ["access_token", "refresh_token"] {
            assert_logged_out(
                logout_with_cookies(&app, &format!("{name}={invalid_token}"), scope_all()).await,
                0,
            );
        }
    }
    for request in requests_with_misused_tokens(&app, &device) {
        assert_logged_out(request.await, 0);
    }
    assert_eq!(are_live(&app, [&device]), [true]);
    refreshed(&app, &device).await;
}

async fn with_an_invalid_authorization_header_the_cookies_are_ignored(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    for header_value in ["", "junk", "Bearer junk", "Basic YTpi"] {
        let request = by_cookies(&app, &device, scope_all());
        assert_logged_out(request.header("authorization", header_value).await, 0);
    }
    assert_eq!(are_live(&app, [&device]), [true]);
}

/// Each token has one changed byte, or a MAC that was computed with another secret.
async fn a_forged_token_revokes_nothing(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let other_secret = "the secret of another server, long enough";
    let (signed_part, _) = device.access.rsplit_once('.').unwrap();
    let other_issuer = Issuer {
        secret: other_secret.to_owned(),
        ..Issuer::of(&app)
    };
    let other_issuer_token = other_issuer.issue("eve", "eve@example.com");
    let (_, mac) = other_issuer_token.rsplit_once('.').unwrap();
    let forged_device = Device {
        session: device.session.clone(),
        access: format!("{signed_part}.{mac}"),
        refresh: encode_refresh_token(other_secret, &device.session, 0),
    };
    let mut altered_device = forged_device.clone();
    altered_device.refresh = device.refresh.replace("rt_A", "rt_B");
    assert_ne!(altered_device.refresh, device.refresh);
    for wait_seconds in [0, 3600] {
        app.clock.advance(Duration::from_secs(wait_seconds));
        for invalid_device in [&forged_device, &altered_device] {
            assert_logged_out(by_access(&app, invalid_device, scope_all()).await, 0);
            assert_logged_out(by_body(&app, invalid_device, scope_all()).await, 0);
            assert_logged_out(by_cookies(&app, invalid_device, scope_all()).await, 0);
        }
    }
    assert_eq!(are_live(&app, [&device]), [true]);
    refreshed(&app, &device).await;
}

/// Uses tokens whose sessions are not in the database, such as a token that another service issued.
async fn an_unknown_session_is_not_revoked(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let unknown_device = Device {
        session: String::new(),
        access: app.token_for(ada.id(), ada.email()),
        refresh: encode_refresh_token(app.secret(), "00000000-0000-0000-0000-000000000000", 0),
    };
    for build_logout in [by_access, by_body, by_cookies] {
        assert_logged_out(build_logout(&app, &unknown_device, scope_all()).await, 0);
    }
    assert_eq!(are_live(&app, [&device]), [true]);
}

/// Logs out with every credential of the device in every scope, and asserts that no session is revoked.
async fn assert_no_credential_revokes(app: &App, device: &Device) {
    for build_logout in [by_access, by_body, by_cookies] {
        for scope in ["current", "others", "all"] {
            let response = build_logout(app, device, json!({ "scope": scope })).await;
            if scope == "others" {
                assert_others_logged_out(response, 0);
            } else {
                assert_logged_out(response, 0);
            }
        }
    }
}

async fn the_credentials_of_a_revoked_session_revoke_nothing(app: App) {
    let (ada, revoked_device) = user_with_device(&app, "ada").await;
    let other_device = login(&app, &ada).await;
    assert_logged_out(by_access(&app, &revoked_device, json!({})).await, 1);
    assert_no_credential_revokes(&app, &revoked_device).await;
    assert_eq!(are_live(&app, [&other_device]), [true]);
    get_session(&app, &other_device.access).await.ok();
}

async fn the_credentials_of_an_expired_session_revoke_nothing(app: App) {
    let (ada, expired_device) = user_with_device(&app, "ada").await;
    app.clock.advance(SESSION_TTL);
    let other_device = login(&app, &ada).await;
    assert_no_credential_revokes(&app, &expired_device).await;
    // The scope `others` does not include the expired session.
    let response = by_access(&app, &other_device, json!({ "scope": "others" })).await;
    assert_others_logged_out(response, 0);
    get_session(&app, &other_device.access).await.ok();
}

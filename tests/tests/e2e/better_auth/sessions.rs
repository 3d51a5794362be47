//! `GET /api/auth/list-sessions`, the routes that revoke sessions, and `GET /api/auth/list-accounts`

use e2e::{App, TestClock, on_both_engines};
use serde_json::{Value, json};

use super::fixtures::*;

on_both_engines! {
    the_list_has_every_live_session_and_the_token_of_the_callers_alone,
    a_handle_ends_its_session_and_does_nothing_else,
    one_session_is_revoked_and_sessions_of_other_users_are_not_revealed,
    revoking_the_current_session_clears_the_cookie,
    the_other_sessions_are_revoked,
    all_sessions_are_revoked,
    the_list_of_accounts_has_the_one_with_the_password,
}

async fn list(app: &App, browser: &Browser) -> Vec<Value> {
    let list = browser.get(app, LIST_SESSIONS).await.ok();
    list.as_array().unwrap().clone()
}

/// The caller's entry has its token; entries of other sessions have a handle.
async fn the_list_has_every_live_session_and_the_token_of_the_callers_alone(app: App) {
    let ada = sign_up(&app, "ada").await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let request = app.anonymous().post(SIGN_IN, body);
    let response = request.header("user-agent", "Phone/1.0").await.is(200);
    let phone = Browser::of(&response);
    sign_up(&app, "eve").await;
    let sessions = list(&app, &ada).await;
    assert_eq!(sessions.len(), 2);
    let other = entry_of(&app, &sessions, &phone).await;
    let expected = json!({
        "id": other["id"],
        "token": other["token"],
        "userId": ada.user["id"],
        "expiresAt": "2026-11-27T12:57:51.869Z",
        "createdAt": TestClock::START,
        "updatedAt": TestClock::START,
        "ipAddress": "127.0.0.1",
        "userAgent": "Phone/1.0",
    });
    assert_eq!(other, expected);
    assert_eq!(other["token"].as_str().unwrap().len(), 96);
    assert_ne!(other["token"], phone.token);
    let own = entry_of(&app, &sessions, &ada).await;
    assert_eq!(
        (&own["token"], &own["userAgent"]),
        (&json!(ada.token), &json!(""))
    );
    // It still works after a day, where a Better Auth server requires a new sign-in.
    app.clock.advance(DAY * 2);
    assert_eq!(list(&app, &ada).await.len(), 2);
    app.clock.advance(DAY * 5);
    assert_eq!(list(&app, &ada).await.len(), 1);
}

/// The entry of this browser's session.
async fn entry_of(app: &App, sessions: &[Value], browser: &Browser) -> Value {
    let id = browser.session(app).await["session"]["id"].clone();
    sessions.iter().find(|it| it["id"] == id).unwrap().clone()
}

/// Also finds sessions that the other API created.
async fn a_handle_ends_its_session_and_does_nothing_else(app: App) {
    let (ada, eve) = (sign_up(&app, "ada").await, sign_up(&app, "eve").await);
    let phone = sign_in(&app, "ada@example.com").await;
    let login = json!({ "email": "ada@example.com", "password": PASSWORD });
    let native = app.anonymous().post("/api/auth/login", login).await.ok();
    let sessions = list(&app, &ada).await;
    let native_entry = sessions.iter().find(|it| it["id"] == native["session_id"]);
    let of_phone = entry_of(&app, &sessions, &phone).await["token"].clone();
    let of_native = native_entry.unwrap()["token"].clone();
    let secret = tokens(app.secret());
    for handle in [&of_phone, &of_native] {
        let handle = handle.as_str().unwrap();
        assert!(secret.decode(handle).is_err());
        let bearer = app.bearer(handle);
        let signed_by_form = format!("{handle}.{}", phone.signed().rsplit_once('.').unwrap().1);
        for cookie in [handle, &signed_by_form] {
            let cookie = format!("{TOKEN}={}", encode(cookie));
            let response = app.anonymous().get(GET_SESSION).header("cookie", &cookie);
            assert_eq!(response.await.ok(), Value::Null);
        }
        assert_eq!(bearer.get(GET_SESSION).await.ok(), Value::Null);
        assert_error(&bearer.get("/api/auth/token").await, UNAUTHORIZED);
        assert_error(&bearer.get(LIST_SESSIONS).await, UNAUTHORIZED);
        bearer
            .get("/api/auth/session")
            .await
            .problem(401, "INVALID_TOKEN");
        bearer.post("/api/auth/sign-out", json!({})).await.ok();
        let logout = json!({ "refresh_token": handle, "scope": "all" });
        let response = bearer.post("/api/auth/logout", logout.clone()).await;
        assert_eq!(response.ok()["revoked"], 0);
        let response = app.anonymous().post("/api/auth/logout", logout).await;
        assert_eq!(response.ok()["revoked"], 0);
        let refresh = json!({ "refresh_token": handle });
        let response = app.anonymous().post("/api/auth/refresh", refresh).await;
        response.problem(401, "INVALID_TOKEN");
        // Another user's handle has no effect, and the response does not reveal it.
        let body = json!({ "token": handle });
        let response = eve.post(&app, "/api/auth/revoke-session", body).await;
        assert_eq!(response.ok(), json!({ "status": true }));
    }
    assert!(ada.is_signed_in(&app).await && phone.is_signed_in(&app).await);
    assert_eq!(list(&app, &ada).await.len(), 3);
    for handle in [of_phone, of_native] {
        let body = json!({ "token": handle });
        let response = ada.post(&app, "/api/auth/revoke-session", body).await;
        assert!(response.all("set-cookie").is_empty());
        assert_eq!(response.ok(), json!({ "status": true }));
    }
    assert!(!phone.is_signed_in(&app).await);
    let device = app.bearer(native["access_token"].as_str().unwrap());
    let refused = device.get("/api/auth/session").await;
    refused.problem(401, "TOKEN_REVOKED");
    assert_eq!(list(&app, &ada).await.len(), 1);
    assert!(ada.is_signed_in(&app).await);
}

async fn one_session_is_revoked_and_sessions_of_other_users_are_not_revealed(app: App) {
    let (ada, phone) = (
        sign_up(&app, "ada").await,
        sign_in(&app, "ada@example.com").await,
    );
    let eve = sign_up(&app, "eve").await;
    let revoke = |token: &str| {
        let body = json!({ "token": token });
        ada.post(&app, "/api/auth/revoke-session", body)
    };
    let eves_phone = sign_in(&app, "eve@example.com").await;
    let eves = list(&app, &eves_phone).await;
    let handle = entry_of(&app, &eves, &eve).await["token"].clone();
    let handle = handle.as_str().unwrap();
    for token in [
        &*eve.token,
        handle,
        "unknown",
        "",
        &ada.signed(),
        &"0".repeat(96),
    ] {
        let response = revoke(token).await;
        assert!(response.all("set-cookie").is_empty());
        assert_eq!(response.ok(), json!({ "status": true }));
    }
    assert!(eve.is_signed_in(&app).await && phone.is_signed_in(&app).await);
    for _ in 0..2 {
        assert_eq!(revoke(&phone.token).await.ok(), json!({ "status": true }));
        assert!(!phone.is_signed_in(&app).await);
    }
    assert!(ada.is_signed_in(&app).await);
}

async fn revoking_the_current_session_clears_the_cookie(app: App) {
    let ada = sign_up(&app, "ada").await;
    let body = json!({ "token": ada.token });
    let response = ada
        .post(&app, "/api/auth/revoke-session", body)
        .await
        .is(200);
    assert_eq!(response.all("set-cookie"), CLEARED_COOKIES);
    assert!(!ada.is_signed_in(&app).await);
}

async fn the_other_sessions_are_revoked(app: App) {
    let (ada, phone) = (
        sign_up(&app, "ada").await,
        sign_in(&app, "ada@example.com").await,
    );
    let eve = sign_up(&app, "eve").await;
    let response = ada
        .post(&app, "/api/auth/revoke-other-sessions", json!({}))
        .await;
    assert!(response.all("set-cookie").is_empty());
    assert_eq!(response.ok(), json!({ "status": true }));
    assert!(!phone.is_signed_in(&app).await);
    assert!(ada.is_signed_in(&app).await && eve.is_signed_in(&app).await);
}

async fn all_sessions_are_revoked(app: App) {
    let (ada, phone) = (
        sign_up(&app, "ada").await,
        sign_in(&app, "ada@example.com").await,
    );
    let eve = sign_up(&app, "eve").await;
    let response = ada.post(&app, "/api/auth/revoke-sessions", json!({})).await;
    assert_eq!(response.all("set-cookie"), CLEARED_COOKIES);
    assert_eq!(response.ok(), json!({ "status": true }));
    assert!(!ada.is_signed_in(&app).await && !phone.is_signed_in(&app).await);
    assert!(eve.is_signed_in(&app).await);
}

async fn the_list_of_accounts_has_the_one_with_the_password(app: App) {
    let ada = sign_up(&app, "ada").await;
    let accounts = ada.get(&app, "/api/auth/list-accounts").await.ok();
    let expected = json!([{
        "id": accounts[0]["id"],
        "accountId": ada.user["id"],
        "providerId": "credential",
        "userId": ada.user["id"],
        "createdAt": TestClock::START,
        "updatedAt": TestClock::START,
        "scopes": [],
    }]);
    assert_eq!(accounts, expected);
    app.database()
        .execute("UPDATE users SET password_hash = NULL");
    let accounts = ada.get(&app, "/api/auth/list-accounts").await.ok();
    assert_eq!(accounts, json!([]));
}

//! `POST /api/auth/revoke-session`

use e2e::{App, on_both_engines};
use serde_json::{Value, json};

use super::fixtures::*;
use super::list_sessions::{entry_of, list};

on_both_engines! {
    a_handle_revokes_its_session_and_is_not_a_credential,
    one_session_is_revoked_and_sessions_of_other_users_are_not_revealed,
    revoking_the_current_session_clears_the_cookie,
}

/// The revoked sessions were opened with Better Auth's API and with this server's own API.
async fn a_handle_revokes_its_session_and_is_not_a_credential(app: App) {
    let (ada, eve) = (sign_up(&app, "ada").await, sign_up(&app, "eve").await);
    let phone = sign_in(&app, "ada@example.com").await;
    let login = json!({ "email": "ada@example.com", "password": PASSWORD });
    let login = app.anonymous().post("/api/auth/login", login).await.ok();
    let sessions = list(&app, &ada).await;
    let login_entry = sessions
        .iter()
        .find(|session| session["id"] == login["session_id"]);
    let phone_handle = entry_of(&app, &sessions, &phone).await["token"].clone();
    let login_handle = login_entry.unwrap()["token"].clone();
    let tokens = session_tokens(app.secret());
    for handle in [&phone_handle, &login_handle] {
        let handle = handle.as_str().unwrap();
        assert!(tokens.decode(handle).is_err());
        let bearer = app.bearer(handle);
        let signature = phone.signed_token().rsplit_once('.').unwrap().1.to_owned();
        for cookie in [handle, &format!("{handle}.{signature}")] {
            let cookie = format!("{SESSION_COOKIE}={}", encode(cookie));
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
        // The handle has no effect for another user, who gets the same response as for any other text.
        let body = json!({ "token": handle });
        let response = eve.post(&app, "/api/auth/revoke-session", body).await;
        assert_eq!(response.ok(), json!({ "status": true }));
    }
    assert!(ada.is_signed_in(&app).await && phone.is_signed_in(&app).await);
    assert_eq!(list(&app, &ada).await.len(), 3);
    for handle in [phone_handle, login_handle] {
        let body = json!({ "token": handle });
        let response = ada.post(&app, "/api/auth/revoke-session", body).await;
        assert!(response.all("set-cookie").is_empty());
        assert_eq!(response.ok(), json!({ "status": true }));
    }
    assert!(!phone.is_signed_in(&app).await);
    let device = app.bearer(login["access_token"].as_str().unwrap());
    let response = device.get("/api/auth/session").await;
    response.problem(401, "TOKEN_REVOKED");
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
    let eve_phone = sign_in(&app, "eve@example.com").await;
    let eve_list = list(&app, &eve_phone).await;
    let handle = entry_of(&app, &eve_list, &eve).await["token"].clone();
    let handle = handle.as_str().unwrap();
    for token in [
        &*eve.token,
        handle,
        "unknown",
        "",
        &ada.signed_token(),
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

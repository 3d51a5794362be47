//! Tests `POST /api/auth/revoke-session`, which accepts a session token, or a handle from the list of sessions.

use e2e::{App, on_both_engines};
use serde_json::{Value, json};

use super::fixtures::*;
use super::list_sessions::{find_entry, list_sessions};

on_both_engines! {
    a_handle_revokes_its_session_and_is_not_a_credential,
    one_session_is_revoked_and_sessions_of_other_users_are_not_revealed,
    revoking_the_current_session_clears_the_cookie,
}

/// Asserts that neither API accepts the handle as a token, as a cookie, or as a cookie with this signature.
async fn assert_is_no_credential(app: &App, handle: &str, signature: &str) {
    assert!(session_tokens(app.secret()).decode(handle).is_err());
    let handle_caller = app.bearer(handle);
    for cookie_value in [handle, &format!("{handle}.{signature}")] {
        let cookie = format!("{SESSION_COOKIE}={}", percent_encode(cookie_value));
        let request = app.anonymous().get(GET_SESSION).header("cookie", &cookie);
        assert_eq!(request.await.ok(), Value::Null);
    }
    assert_eq!(handle_caller.get(GET_SESSION).await.ok(), Value::Null);
    assert_error(&handle_caller.get("/api/auth/token").await, UNAUTHORIZED);
    assert_error(&handle_caller.get(LIST_SESSIONS).await, UNAUTHORIZED);
    handle_caller
        .get("/api/auth/session")
        .await
        .problem(401, "INVALID_TOKEN");
    handle_caller
        .post("/api/auth/sign-out", json!({}))
        .await
        .ok();
    let logout_body = json!({ "refresh_token": handle, "scope": "all" });
    let response = handle_caller
        .post("/api/auth/logout", logout_body.clone())
        .await;
    assert_eq!(response.ok()["revoked"], 0);
    let response = app.anonymous().post("/api/auth/logout", logout_body).await;
    assert_eq!(response.ok()["revoked"], 0);
    let body = json!({ "refresh_token": handle });
    let response = app.anonymous().post("/api/auth/refresh", body).await;
    response.problem(401, "INVALID_TOKEN");
}

/// One handle is of a session that Better Auth's API opened, the other of a session that this server's own API opened.
async fn a_handle_revokes_its_session_and_is_not_a_credential(app: App) {
    let (ada, eve) = (sign_up(&app, "ada").await, sign_up(&app, "eve").await);
    let phone = sign_in(&app, "ada@example.com").await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let login_response = app.anonymous().post("/api/auth/login", body).await.ok();
    let sessions = list_sessions(&app, &ada).await;
    let login_entry = sessions
        .iter()
        .find(|session| session["id"] == login_response["session_id"]);
    let phone_handle = find_entry(&app, &sessions, &phone).await["token"].clone();
    let login_handle = login_entry.unwrap()["token"].clone();
    let phone_token = phone.signed_token();
    let (_, signature) = phone_token.rsplit_once('.').unwrap();
    for handle_json in [&phone_handle, &login_handle] {
        let handle = handle_json.as_str().unwrap();
        assert_is_no_credential(&app, handle, signature).await;
        // For another user, the handle revokes nothing, and the response is the same as for an unknown token.
        let body = json!({ "token": handle });
        let response = eve.post(&app, "/api/auth/revoke-session", body).await;
        assert_eq!(response.ok(), json!({ "status": true }));
    }
    assert!(ada.is_signed_in(&app).await && phone.is_signed_in(&app).await);
    assert_eq!(list_sessions(&app, &ada).await.len(), 3);
    for handle in [phone_handle, login_handle] {
        let body = json!({ "token": handle });
        let response = ada.post(&app, "/api/auth/revoke-session", body).await;
        assert!(response.header_values("set-cookie").is_empty());
        assert_eq!(response.ok(), json!({ "status": true }));
    }
    assert!(!phone.is_signed_in(&app).await);
    let login_caller = app.bearer(login_response["access_token"].as_str().unwrap());
    let response = login_caller.get("/api/auth/session").await;
    response.problem(401, "TOKEN_REVOKED");
    assert_eq!(list_sessions(&app, &ada).await.len(), 1);
    assert!(ada.is_signed_in(&app).await);
}

async fn one_session_is_revoked_and_sessions_of_other_users_are_not_revealed(app: App) {
    let (ada, phone) = (
        sign_up(&app, "ada").await,
        sign_in(&app, "ada@example.com").await,
    );
    let eve = sign_up(&app, "eve").await;
    let build_revoke_request = |token: &str| {
        let body = json!({ "token": token });
        ada.post(&app, "/api/auth/revoke-session", body)
    };
    let eve_phone = sign_in(&app, "eve@example.com").await;
    let eve_sessions = list_sessions(&app, &eve_phone).await;
    let eve_entry = find_entry(&app, &eve_sessions, &eve).await;
    let eve_handle = eve_entry["token"].as_str().unwrap();
    for token in [
        &*eve.token,
        eve_handle,
        "unknown",
        "",
        &ada.signed_token(),
        &"0".repeat(96),
    ] {
        let response = build_revoke_request(token).await;
        assert!(response.header_values("set-cookie").is_empty());
        assert_eq!(response.ok(), json!({ "status": true }));
    }
    assert!(eve.is_signed_in(&app).await && phone.is_signed_in(&app).await);
    for _ in 0..2 {
        assert_eq!(
            build_revoke_request(&phone.token).await.ok(),
            json!({ "status": true })
        );
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
        .assert_status(200);
    assert_eq!(response.header_values("set-cookie"), CLEARED_COOKIES);
    assert!(!ada.is_signed_in(&app).await);
}

//! Tests `GET /api/auth/list-sessions`.

use e2e::{App, TestClock, on_both_engines};
use serde_json::{Value, json};

use super::fixtures::*;

on_both_engines! {
    the_list_has_every_live_session_but_only_the_token_of_the_callers_session,
}

pub(super) async fn list_sessions(app: &App, browser: &Browser) -> Vec<Value> {
    let body = browser.get(app, LIST_SESSIONS).await.ok();
    body.as_array().unwrap().clone()
}

/// Only the entry of the caller's session has the session token. The other entries have handles, with which the caller
/// can only revoke the sessions.
async fn the_list_has_every_live_session_but_only_the_token_of_the_callers_session(app: App) {
    let ada = sign_up(&app, "ada").await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let request = app.anonymous().post(SIGN_IN, body);
    let response = request
        .header("user-agent", "Phone/1.0")
        .await
        .assert_status(200);
    let phone = Browser::from_response(&response);
    sign_up(&app, "eve").await;
    let sessions = list_sessions(&app, &ada).await;
    assert_eq!(sessions.len(), 2);
    let phone_entry = find_entry(&app, &sessions, &phone).await;
    let expected = json!({
        "id": phone_entry["id"],
        "token": phone_entry["token"],
        "userId": ada.user["id"],
        "expiresAt": "2026-11-27T12:57:51.869Z",
        "createdAt": TestClock::START,
        "updatedAt": TestClock::START,
        "ipAddress": "127.0.0.1",
        "userAgent": "Phone/1.0",
    });
    assert_eq!(phone_entry, expected);
    assert_eq!(phone_entry["token"].as_str().unwrap().len(), 96);
    assert_ne!(phone_entry["token"], phone.token);
    let ada_entry = find_entry(&app, &sessions, &ada).await;
    assert_eq!(
        (&ada_entry["token"], &ada_entry["userAgent"]),
        (&json!(ada.token), &json!(""))
    );
    // A day after the sign-in, a Better Auth server would reject this request. This server still returns the list.
    app.clock.advance(DAY * 2);
    assert_eq!(list_sessions(&app, &ada).await.len(), 2);
    app.clock.advance(DAY * 5);
    assert_eq!(list_sessions(&app, &ada).await.len(), 1);
}

/// Returns the entry of this browser's session.
pub(super) async fn find_entry(app: &App, sessions: &[Value], browser: &Browser) -> Value {
    let session_id = browser.session(app).await["session"]["id"].clone();
    let entry = sessions.iter().find(|session| session["id"] == session_id);
    entry.unwrap().clone()
}

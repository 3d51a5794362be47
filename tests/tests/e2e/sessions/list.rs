//! Tests that a request revokes no other session if the caller's own session ends before the request is processed.

use e2e::{App, Request, Response, on_both_engines};
use serde_json::json;

use super::fixtures::{SESSIONS, is_revoked, login, race_transaction, user_with_device};
use crate::better_auth::fixtures::{LIST_SESSIONS, UNAUTHORIZED, assert_error, sign_in, sign_up};

on_both_engines! {
    a_session_that_ends_during_its_request_revokes_no_other_session,
    a_better_auth_session_that_ends_during_its_request_revokes_no_other_session,
}

/// Sends the request while a transaction outside the server locks this user and revokes this session, as a change of
/// password does.
async fn race_session_end(
    app: &App,
    user_id: &str,
    session_id: &str,
    request: Request,
) -> Response {
    let statements = format!(
        "UPDATE users SET name = name WHERE id = '{user_id}'; \
         UPDATE sessions SET revoked_at = created_at WHERE id = '{session_id}'"
    );
    race_transaction(app, &statements, request).await
}

async fn a_session_that_ends_during_its_request_revokes_no_other_session(app: App) {
    let (ada, phone) = user_with_device(&app, "ada").await;
    let laptop = login(&app, &ada).await;
    let bearer = app.bearer(phone.access.as_str());
    let revoke_request = bearer.delete(&format!("{SESSIONS}/{}", laptop.session));
    let refused = race_session_end(&app, ada.id(), &phone.session, revoke_request).await;
    refused.problem(401, "TOKEN_REVOKED");
    assert!(!is_revoked(&app, &laptop.session));
}

async fn a_better_auth_session_that_ends_during_its_request_revokes_no_other_session(app: App) {
    let phone = sign_up(&app, "ada").await;
    let laptop = sign_in(&app, "ada@example.com").await;
    let parse_session_id =
        |response: serde_json::Value| response["session"]["id"].as_str().unwrap().to_owned();
    let phone_id = parse_session_id(phone.session(&app).await);
    let laptop_id = parse_session_id(laptop.session(&app).await);
    let sessions = phone.get(&app, LIST_SESSIONS).await.ok();
    let mut entries = sessions.as_array().unwrap().iter();
    let laptop_entry = entries.find(|entry| entry["id"] == laptop_id);
    let body = json!({ "token": laptop_entry.unwrap()["token"] });
    let revoke_request = phone.post(&app, "/api/auth/revoke-session", body);
    let user_id = phone.user["id"].as_str().unwrap();
    let refused = race_session_end(&app, user_id, &phone_id, revoke_request).await;
    assert_error(&refused, UNAUTHORIZED);
    assert!(!is_revoked(&app, &laptop_id));
}

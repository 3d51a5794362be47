//! Tests `GET /api/auth/session`.

use std::time::Duration;

use e2e::{App, on_both_engines};
use serde_json::json;

on_both_engines! {
    the_response_contains_the_user_of_the_token,
    the_response_needs_no_table_of_users_sessions_or_tasks,
    another_service_may_issue_the_token,
}

const SESSION: &str = "/api/auth/session";

async fn the_response_contains_the_user_of_the_token(app: App) {
    let ada = app.user("ada").await;
    app.clock.advance(Duration::from_secs(60));
    let session = ada.get(SESSION).await.ok();
    let expected = json!({
        "user": { "id": ada.id(), "email": "ada@example.com", "roles": [], "claims": {} },
        // The access token expires 15 minutes after the registration, rounded down to a whole second.
        "session": { "id": session["session"]["id"], "expiresAt": "2026-11-20T13:12:51.000Z" },
    });
    assert_eq!(session, expected);
    assert!(session["session"]["id"].is_string());
}

async fn the_response_needs_no_table_of_users_sessions_or_tasks(app: App) {
    let ada = app.user("ada").await;
    app.database()
        .execute("DROP TABLE sessions; DROP TABLE tasks; DROP TABLE imported_tasks");
    app.database()
        .execute("DROP TABLE outbox; DROP TABLE email_undos; DROP TABLE users");
    let body = ada.get(SESSION).await.ok();
    assert_eq!(body["user"]["id"], ada.id());
}

async fn another_service_may_issue_the_token(app: App) {
    let token = app.token_for("eve", "eve@example.com");
    let body = app.bearer(token).get(SESSION).await.ok();
    assert_eq!(body["user"]["id"], "eve");
    assert_eq!(body["user"]["email"], "eve@example.com");
}

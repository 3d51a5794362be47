//! Tests `GET /api/auth/get-session`, and that `POST` is rejected.

use e2e::{App, on_both_engines};
use serde_json::{Value, json};

use super::fixtures::*;

on_both_engines! {
    the_query_can_disable_the_extension_of_the_session,
    get_session_by_post_is_405,
}

/// Sends a request to `get-session` with this query, and returns the time at which the session expires.
pub(super) async fn expires_at(app: &App, browser: &Browser, query: &str) -> Value {
    let response = browser.get(app, &format!("{GET_SESSION}{query}")).await;
    response.ok()["session"]["expiresAt"].clone()
}

async fn the_query_can_disable_the_extension_of_the_session(app: App) {
    let ada = sign_up(&app, "ada").await;
    app.clock.advance(DAY * 2);
    for query in ["?disableRefresh=true", "?disableRefresh=false"] {
        assert_eq!(
            expires_at(&app, &ada, query).await,
            "2026-11-27T12:57:51.869Z"
        );
    }
    let new_expires_at = expires_at(&app, &ada, "?disableRefresh=&disableCookieCache=true").await;
    assert_eq!(new_expires_at, "2026-11-29T12:57:51.869Z");
}

async fn get_session_by_post_is_405(app: App) {
    let ada = sign_up(&app, "ada").await;
    let response = ada.post(&app, GET_SESSION, json!({})).await;
    let code = "METHOD_NOT_ALLOWED_DEFER_SESSION_REQUIRED";
    let message = "POST method requires deferSessionRefresh to be enabled in session config";
    assert_error(&response, (405, code, message));
    assert_eq!(response.header("allow"), Some("GET"));
}

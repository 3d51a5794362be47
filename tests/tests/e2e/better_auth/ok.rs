//! Tests `GET /api/auth/ok`.

use e2e::{App, on_both_engines};
use serde_json::json;

on_both_engines! {
    the_response_says_ok,
}

async fn the_response_says_ok(app: App) {
    let response = app.anonymous().get("/api/auth/ok").await;
    assert_eq!(response.ok(), json!({ "ok": true }));
}

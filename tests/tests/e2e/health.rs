//! Tests `GET /healthz` and `GET /readyz`, and that routes without authentication ignore an invalid token.
//! `db/outage.rs` tests both routes while the database is unreachable, `sessions/database_down.rs` while revocations
//! cannot be read, and `api-server/tests/binary/shutdown.rs` while the server stops.

use e2e::{App, on_both_engines};
use serde_json::json;

on_both_engines! {
    health_needs_no_credentials,
    an_invalid_token_is_ignored_where_no_token_is_needed,
}

async fn health_needs_no_credentials(app: App) {
    let caller = app.anonymous();
    assert_eq!(caller.get("/healthz").await.ok(), json!({ "status": "ok" }));
    assert_eq!(
        caller.get("/readyz").await.ok(),
        json!({ "status": "ready" })
    );
}

async fn an_invalid_token_is_ignored_where_no_token_is_needed(app: App) {
    let caller = app.bearer("junk");
    caller.get("/healthz").await.ok();
    caller.get("/readyz").await.ok();
    caller.get("/api/openapi.json").await.ok();
    let body = json!({ "email": "ada@example.com", "password": "correct horse" });
    caller
        .post("/api/auth/register", body.clone())
        .await
        .created();
    caller.post("/api/auth/login", body).await.ok();
}

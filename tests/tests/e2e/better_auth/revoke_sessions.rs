//! Tests `POST /api/auth/revoke-sessions`.

use e2e::{App, on_both_engines};
use serde_json::json;

use super::fixtures::*;

on_both_engines! {
    all_sessions_of_the_user_are_revoked,
}

async fn all_sessions_of_the_user_are_revoked(app: App) {
    let (ada, phone) = (
        sign_up(&app, "ada").await,
        sign_in(&app, "ada@example.com").await,
    );
    let eve = sign_up(&app, "eve").await;
    let response = ada.post(&app, "/api/auth/revoke-sessions", json!({})).await;
    assert_eq!(response.header_values("set-cookie"), CLEARED_COOKIES);
    assert_eq!(response.ok(), json!({ "status": true }));
    assert!(!ada.is_signed_in(&app).await && !phone.is_signed_in(&app).await);
    assert!(eve.is_signed_in(&app).await);
}

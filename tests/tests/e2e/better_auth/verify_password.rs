//! `POST /api/auth/verify-password`

use e2e::{App, on_both_engines};
use serde_json::json;

use super::fixtures::*;

on_both_engines! {
    a_password_is_verified,
}

async fn a_password_is_verified(app: App) {
    let ada = sign_up(&app, "ada").await;
    let verify = |password: &str| {
        let body = json!({ "password": password });
        ada.post(&app, "/api/auth/verify-password", body)
    };
    assert_eq!(verify(PASSWORD).await.ok(), json!({ "status": true }));
    for wrong in ["wrong password", "", &"x".repeat(129)] {
        assert_error(
            &verify(wrong).await,
            (400, "INVALID_PASSWORD", "Invalid password"),
        );
    }
}

//! `POST /api/auth/verify-password`

use e2e::{App, on_both_engines};
use serde_json::json;

use super::fixtures::*;

on_both_engines! {
    only_the_right_password_is_accepted,
    no_password_of_an_account_without_one_is_accepted,
}

async fn only_the_right_password_is_accepted(app: App) {
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

async fn no_password_of_an_account_without_one_is_accepted(app: App) {
    let ada = sign_up(&app, "ada").await;
    app.database()
        .execute("UPDATE users SET password_hash = NULL");
    let body = json!({ "password": PASSWORD });
    let response = ada.post(&app, "/api/auth/verify-password", body).await;
    assert_error(&response, (400, "INVALID_PASSWORD", "Invalid password"));
}

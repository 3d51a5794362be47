//! Tests `POST /api/auth/verify-password`.

use e2e::{App, on_both_engines};
use serde_json::json;

use super::fixtures::*;

on_both_engines! {
    only_the_right_password_is_accepted,
    no_password_is_accepted_for_an_account_without_a_password,
}

async fn only_the_right_password_is_accepted(app: App) {
    let ada = sign_up(&app, "ada").await;
    let build_request = |password: &str| {
        let body = json!({ "password": password });
        ada.post(&app, "/api/auth/verify-password", body)
    };
    assert_eq!(
        build_request(PASSWORD).await.ok(),
        json!({ "status": true })
    );
    for wrong_password in ["wrong password", "", &"x".repeat(129)] {
        assert_error(
            &build_request(wrong_password).await,
            (400, "INVALID_PASSWORD", "Invalid password"),
        );
    }
}

async fn no_password_is_accepted_for_an_account_without_a_password(app: App) {
    let ada = sign_up(&app, "ada").await;
    app.database()
        .execute("UPDATE users SET password_hash = NULL");
    let body = json!({ "password": PASSWORD });
    let response = ada.post(&app, "/api/auth/verify-password", body).await;
    assert_error(&response, (400, "INVALID_PASSWORD", "Invalid password"));
}

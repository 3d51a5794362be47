//! Tests `POST /api/auth/change-email`, which is always rejected, because this server sends no mail.

use e2e::{App, on_both_engines};
use serde_json::json;

use super::fixtures::*;

on_both_engines! {
    no_email_address_is_changed,
}

async fn no_email_address_is_changed(app: App) {
    let ada = sign_up(&app, "ada").await;
    let body = json!({ "newEmail": "new@example.com" });
    let response = ada.post(&app, "/api/auth/change-email", body).await;
    assert_error(
        &response,
        (400, "CHANGE_EMAIL_DISABLED", "Change email is disabled"),
    );
    assert_eq!(ada.session(&app).await["user"], ada.user);
}

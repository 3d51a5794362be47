//! Tests `POST /api/auth/send-verification-email`, which is always rejected, because this server sends no mail.

use e2e::{App, on_both_engines};
use serde_json::json;

use super::fixtures::*;

on_both_engines! {
    no_verification_email_is_sent,
}

async fn no_verification_email_is_sent(app: App) {
    let ada = sign_up(&app, "ada").await;
    let body = json!({ "email": "ada@example.com", "callbackURL": "/" });
    let response = ada
        .post(&app, "/api/auth/send-verification-email", body)
        .await;
    let code = "VERIFICATION_EMAIL_NOT_ENABLED";
    assert_error(&response, (400, code, "Verification email isn't enabled"));
}

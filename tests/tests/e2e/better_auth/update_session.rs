//! Tests `POST /api/auth/update-session`.

use e2e::{App, on_both_engines};
use serde_json::json;

use super::fixtures::*;

on_both_engines! {
    a_session_has_no_fields_to_update,
}

async fn a_session_has_no_fields_to_update(app: App) {
    let ada = sign_up(&app, "ada").await;
    let body = json!({ "theme": "dark" });
    let response = ada.post(&app, "/api/auth/update-session", body).await;
    assert_error(&response, (400, "", "No fields to update"));
}

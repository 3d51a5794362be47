//! Tests `POST /api/auth/update-user`.

use std::time::Duration;

use e2e::{App, on_both_engines};
use serde_json::{Value, json};

use super::fixtures::*;

on_both_engines! {
    the_name_and_image_are_changed_and_the_cookie_is_renewed,
    every_failure_has_its_code_and_message,
}

const UPDATE_USER: &str = "/api/auth/update-user";

async fn the_name_and_image_are_changed_and_the_cookie_is_renewed(app: App) {
    let ada = sign_up(&app, "ada").await;
    app.clock.advance(Duration::from_secs(60));
    for (body, expected_name, expected_image) in [
        (
            json!({ "name": "Ada L.", "role": "admin" }),
            "Ada L.",
            Value::Null,
        ),
        (
            json!({ "image": "https://example.com/a.png" }),
            "Ada L.",
            json!("https://example.com/a.png"),
        ),
        (json!({ "image": null, "name": "" }), "", Value::Null),
    ] {
        let response = ada.post(&app, UPDATE_USER, body).await;
        assert_eq!(response.header_values("set-cookie").len(), 1);
        assert_eq!(
            signed_token(response.header_values("set-cookie")[0]),
            ada.signed_token()
        );
        assert_eq!(response.ok(), json!({ "status": true }));
        let user = ada.session(&app).await["user"].clone();
        assert_eq!(
            (&user["name"], &user["image"]),
            (&json!(expected_name), &expected_image)
        );
        assert_eq!(user["updatedAt"], "2026-11-20T12:58:51.869Z");
    }
}

async fn every_failure_has_its_code_and_message(app: App) {
    let ada = sign_up(&app, "ada").await;
    let no_fields_error = (400, "", "No fields to update");
    let email_error = (400, "EMAIL_CAN_NOT_BE_UPDATED", "Email can not be updated");
    let null_message = "[body.name] Invalid input: expected string, received null";
    for (body, expected) in [
        (json!({}), no_fields_error),
        (json!({ "role": "admin" }), no_fields_error),
        (json!({ "email": "" }), no_fields_error),
        (
            json!({ "email": "eve@example.com", "name": "Eve" }),
            email_error,
        ),
        (
            json!({ "name": null }),
            (400, "VALIDATION_ERROR", null_message),
        ),
        (
            json!({ "image": 1 }),
            (
                400,
                "VALIDATION_ERROR",
                "[body.image] Invalid input: expected string, received number",
            ),
        ),
        (
            json!("x"),
            (
                400,
                "VALIDATION_ERROR",
                "[body] Invalid input: expected record, received string",
            ),
        ),
    ] {
        let response = ada.post(&app, UPDATE_USER, body).await;
        assert_error(&response, expected);
    }
    assert_eq!(ada.session(&app).await["user"], ada.user);
}

//! `PATCH /api/{user_id}/tasks/{task_id}`

use std::time::Duration;

use e2e::{App, on_both_engines};
use serde_json::{Value, json};

use crate::tasks::bases;

on_both_engines! {
    a_patch_changes_the_named_fields_and_the_time,
    only_the_description_may_be_null,
    is_completed_is_an_alias,
    a_field_has_the_same_limits_as_in_a_new_task,
    a_rejected_change_changes_nothing,
}

async fn a_patch_changes_the_named_fields_and_the_time(app: App) {
    let ada = app.user("ada").await;
    for base in bases(&ada) {
        let body = json!({ "title": "Buy milk", "description": "Two" });
        let mut expected = ada.post(&base, body).await.created();
        let address = format!("{base}/{}", expected["id"]);
        for (field, value) in [
            ("title", json!("Buy oat milk")),
            ("description", json!("Three")),
            ("completed", json!(true)),
            ("completed", json!(false)),
        ] {
            app.clock.advance(Duration::from_secs(1));
            let before = expected["updated_at"].clone();
            let changed = ada.patch(&address, json!({ field: value })).await.ok();
            expected[field] = value;
            expected["updated_at"] = changed["updated_at"].clone();
            assert_eq!(changed, expected);
            assert!(changed["updated_at"].as_str() > before.as_str());
            assert_eq!(ada.get(&address).await.ok(), expected);
        }
        let unchanged = ada.patch(&address, json!({})).await.ok();
        assert_eq!(unchanged, expected);
    }
}

async fn only_the_description_may_be_null(app: App) {
    let ada = app.user("ada").await;
    let body = json!({ "title": "Buy milk", "description": "Two" });
    let task = ada.post("/api/tasks", body).await.created();
    let address = ada.task(&task["id"]);
    let cleared = ada.patch(&address, json!({ "description": null })).await;
    assert_eq!(cleared.ok()["description"], Value::Null);
    let refused = ada.patch(&address, json!({ "title": null })).await;
    refused.invalid("title", "invalid_type", "must be a string");
    for name in ["completed", "is_completed"] {
        let refused = ada.patch(&address, json!({ name: null })).await;
        refused.invalid(name, "invalid_type", "must be a boolean");
    }
}

async fn is_completed_is_an_alias(app: App) {
    let ada = app.user("ada").await;
    let task = ada.new_task("Buy milk").await;
    let address = ada.task(&task["id"]);
    for completed in [true, true, false] {
        let body = json!({ "is_completed": completed });
        let changed = ada.patch(&address, body).await.ok();
        assert_eq!(changed["completed"], completed);
    }
}

async fn a_field_has_the_same_limits_as_in_a_new_task(app: App) {
    let ada = app.user("ada").await;
    let task = ada.new_task("Buy milk").await;
    let address = ada.task(&task["id"]);
    for (field, limit) in [("title", 200), ("description", 10_000)] {
        for length in [limit - 1, limit] {
            let text = "é".repeat(length);
            let changed = ada.patch(&address, json!({ field: text })).await.ok();
            assert_eq!(changed[field], text);
        }
        let too_long = json!({ field: "é".repeat(limit + 1) });
        let refused = ada.patch(&address, too_long).await;
        let message = format!("must be at most {limit} characters");
        refused.invalid(field, "too_long", &message);
        let refused = ada.patch(&address, json!({ field: "a\u{0}" })).await;
        let message = "must not contain the NUL character";
        refused.invalid(field, "invalid_character", message);
    }
    let refused = ada.patch(&address, json!({ "title": " " })).await;
    refused.invalid("title", "required", "is required");
}

async fn a_rejected_change_changes_nothing(app: App) {
    let ada = app.user("ada").await;
    let task = ada.new_task("Buy milk").await;
    app.clock.advance(Duration::from_secs(1));
    let partly_invalid = json!({ "title": "Buy tea", "completed": true, "description": 5 });
    let refused = ada.patch(&ada.task(&task["id"]), partly_invalid).await;
    refused.invalid("description", "invalid_type", "must be a string");
    assert_eq!(ada.all_tasks().await, json!([task]));
}

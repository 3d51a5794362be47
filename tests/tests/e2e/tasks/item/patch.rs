//! Tests `PATCH /api/{user_id}/tasks/{task_id}`.

use std::time::Duration;

use e2e::{App, on_both_engines};
use serde_json::{Value, json};

use crate::tasks::base_paths;

on_both_engines! {
    a_patch_changes_the_named_fields_and_updated_at,
    only_the_description_may_be_null,
    the_field_is_completed_is_an_alias_of_completed,
    a_field_has_the_same_limits_as_in_a_new_task,
    a_rejected_change_changes_nothing,
}

async fn a_patch_changes_the_named_fields_and_updated_at(app: App) {
    let ada = app.user("ada").await;
    for base in base_paths(&ada) {
        let body = json!({ "title": "Buy milk", "description": "Two" });
        let mut expected = ada.post(&base, body).await.created();
        let path = format!("{base}/{}", expected["id"]);
        for (field, value) in [
            ("title", json!("Buy oat milk")),
            ("description", json!("Three")),
            ("completed", json!(true)),
            ("completed", json!(false)),
        ] {
            app.clock.advance(Duration::from_secs(1));
            let previous_update = expected["updated_at"].clone();
            let changed_task = ada.patch(&path, json!({ field: value })).await.ok();
            expected[field] = value;
            expected["updated_at"] = changed_task["updated_at"].clone();
            assert_eq!(changed_task, expected);
            assert!(changed_task["updated_at"].as_str() > previous_update.as_str());
            assert_eq!(ada.get(&path).await.ok(), expected);
        }
        let unchanged_task = ada.patch(&path, json!({})).await.ok();
        assert_eq!(unchanged_task, expected);
    }
}

async fn only_the_description_may_be_null(app: App) {
    let ada = app.user("ada").await;
    let body = json!({ "title": "Buy milk", "description": "Two" });
    let task = ada.post("/api/tasks", body).await.created();
    let path = ada.task(&task["id"]);
    let response = ada.patch(&path, json!({ "description": null })).await;
    assert_eq!(response.ok()["description"], Value::Null);
    let refused = ada.patch(&path, json!({ "title": null })).await;
    refused.invalid("title", "invalid_type", "must be a string");
    for name in ["completed", "is_completed"] {
        let refused = ada.patch(&path, json!({ name: null })).await;
        refused.invalid(name, "invalid_type", "must be a boolean");
    }
}

async fn the_field_is_completed_is_an_alias_of_completed(app: App) {
    let ada = app.user("ada").await;
    let task = ada.new_task("Buy milk").await;
    let path = ada.task(&task["id"]);
    for completed in [true, true, false] {
        let body = json!({ "is_completed": completed });
        let changed_task = ada.patch(&path, body).await.ok();
        assert_eq!(changed_task["completed"], completed);
    }
}

async fn a_field_has_the_same_limits_as_in_a_new_task(app: App) {
    let ada = app.user("ada").await;
    let task = ada.new_task("Buy milk").await;
    let path = ada.task(&task["id"]);
    for (field, limit) in [("title", 200), ("description", 10_000)] {
        for length in [limit - 1, limit] {
            let text = "é".repeat(length);
            let changed_task = ada.patch(&path, json!({ field: text })).await.ok();
            assert_eq!(changed_task[field], text);
        }
        let too_long_body = json!({ field: "é".repeat(limit + 1) });
        let refused = ada.patch(&path, too_long_body).await;
        let message = format!("must be at most {limit} characters");
        refused.invalid(field, "too_long", &message);
        let refused = ada.patch(&path, json!({ field: "a\u{0}" })).await;
        let message = "must not contain the NUL character";
        refused.invalid(field, "invalid_character", message);
    }
    let refused = ada.patch(&path, json!({ "title": " " })).await;
    refused.invalid("title", "required", "is required");
}

async fn a_rejected_change_changes_nothing(app: App) {
    let ada = app.user("ada").await;
    let task = ada.new_task("Buy milk").await;
    app.clock.advance(Duration::from_secs(1));
    let partly_invalid_body = json!({ "title": "Buy tea", "completed": true, "description": 5 });
    let refused = ada.patch(&ada.task(&task["id"]), partly_invalid_body).await;
    refused.invalid("description", "invalid_type", "must be a string");
    assert_eq!(ada.all_tasks().await, json!([task]));
}

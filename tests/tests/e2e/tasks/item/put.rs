//! Tests `PUT /api/{user_id}/tasks/{task_id}`.

use std::time::Duration;

use e2e::{App, on_both_engines};
use serde_json::{Value, json};

use crate::tasks::base_paths;

on_both_engines! {
    a_replaced_task_has_the_new_content,
    a_description_that_is_left_out_becomes_null,
    without_the_field_completed_the_completion_stays_unchanged,
    a_title_is_required,
    a_completion_that_is_not_a_boolean_is_rejected,
    the_field_is_completed_is_an_alias_of_completed,
}

async fn a_replaced_task_has_the_new_content(app: App) {
    let ada = app.user("ada").await;
    for base in base_paths(&ada) {
        let mut expected = ada.new_task("Buy milk").await;
        let previous_update = expected["updated_at"].clone();
        app.clock.advance(Duration::from_secs(60));
        let body = json!({ "title": " Buy oat milk ", "description": "Two", "completed": true });
        let path = format!("{base}/{}", expected["id"]);
        let replaced_task = ada.put(&path, body).await.ok();
        expected["title"] = "Buy oat milk".into();
        expected["description"] = "Two".into();
        expected["completed"] = true.into();
        expected["updated_at"] = replaced_task["updated_at"].clone();
        assert_eq!(replaced_task, expected);
        assert!(replaced_task["updated_at"].as_str() > previous_update.as_str());
        assert_eq!(ada.get(&path).await.ok(), expected);
    }
}

async fn a_description_that_is_left_out_becomes_null(app: App) {
    let ada = app.user("ada").await;
    for body in [
        json!({ "title": "Buy milk" }),
        json!({ "title": "Buy milk", "description": null }),
    ] {
        let original_body = json!({ "title": "Buy milk", "description": "Two" });
        let task = ada.post("/api/tasks", original_body).await.created();
        let replaced_task = ada.put(&ada.task(&task["id"]), body).await.ok();
        assert_eq!(replaced_task["description"], Value::Null);
    }
}

async fn without_the_field_completed_the_completion_stays_unchanged(app: App) {
    let ada = app.user("ada").await;
    let task = ada.new_task("Buy milk").await;
    let path = ada.task(&task["id"]);
    for completed in [true, false] {
        let body = json!({ "title": "Buy milk", "completed": completed });
        ada.put(&path, body).await.ok();
        let replaced_task = ada.put(&path, json!({ "title": "Buy tea" })).await.ok();
        assert_eq!(replaced_task["completed"], completed);
    }
}

async fn a_title_is_required(app: App) {
    let ada = app.user("ada").await;
    let task = ada.new_task("Buy milk").await;
    let path = ada.task(&task["id"]);
    for body in [
        json!({}),
        json!({ "completed": true }),
        json!({ "title": " ", "description": "d" }),
    ] {
        let refused = ada.put(&path, body).await;
        refused.invalid("title", "required", "is required");
    }
    let refused = ada.put(&path, json!({ "title": null })).await;
    refused.invalid("title", "invalid_type", "must be a string");
    let too_long_body = json!({ "title": "t".repeat(201), "description": "d".repeat(10_001) });
    let refused = ada.put(&path, too_long_body).await;
    let errors = refused.problem(422, "VALIDATION_ERROR")["errors"].clone();
    let expected = json!([
        {
            "field": "description",
            "code": "too_long",
            "message": "must be at most 10000 characters"
        },
        { "field": "title", "code": "too_long", "message": "must be at most 200 characters" },
    ]);
    assert_eq!(errors, expected);
    assert_eq!(ada.get(&path).await.ok(), task);
}

async fn a_completion_that_is_not_a_boolean_is_rejected(app: App) {
    let ada = app.user("ada").await;
    let task = ada.new_task("Buy milk").await;
    for name in ["completed", "is_completed"] {
        for value in [json!(null), json!("true"), json!(1)] {
            let body = json!({ "title": "Buy milk", name: value });
            let refused = ada.put(&ada.task(&task["id"]), body).await;
            refused.invalid(name, "invalid_type", "must be a boolean");
        }
    }
    assert_eq!(ada.all_tasks().await, json!([task]));
}

async fn the_field_is_completed_is_an_alias_of_completed(app: App) {
    let ada = app.user("ada").await;
    let task = ada.new_task("Buy milk").await;
    let path = ada.task(&task["id"]);
    for completed in [true, false] {
        let body = json!({ "title": "Buy milk", "is_completed": completed });
        let replaced_task = ada.put(&path, body).await.ok();
        assert_eq!(replaced_task["completed"], completed);
        assert_eq!(replaced_task["is_completed"], Value::Null);
    }
    let body_with_both_fields =
        json!({ "title": "Buy milk", "completed": true, "is_completed": false });
    let refused = ada.put(&path, body_with_both_fields).await;
    refused.problem(422, "VALIDATION_ERROR");
}

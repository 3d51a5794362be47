//! Tests `PATCH /api/{user_id}/tasks/{task_id}/complete` and the alias `POST /api/{user_id}/tasks/{task_id}/toggle`.

use std::time::Duration;

use e2e::{App, on_both_engines};
use futures_util::future::join_all;
use serde_json::json;

use super::base_paths;

on_both_engines! {
    a_toggle_flips_the_completion_and_nothing_else,
    a_toggle_ignores_its_body,
    an_unknown_task_is_not_found,
    every_parallel_toggle_is_applied,
}

async fn a_toggle_flips_the_completion_and_nothing_else(app: App) {
    let ada = app.user("ada").await;
    for base in base_paths(&ada) {
        let mut expected = ada.new_task("Buy milk").await;
        let path = format!("{base}/{}", expected["id"]);
        for (number, completed) in [true, false, true].into_iter().enumerate() {
            app.clock.advance(Duration::from_secs(1));
            let previous_update = expected["updated_at"].clone();
            let toggle_request = if number % 2 == 0 {
                ada.request("PATCH", &format!("{path}/complete"))
            } else {
                ada.request("POST", &format!("{path}/toggle"))
            };
            let task = toggle_request.await.ok();
            expected["completed"] = completed.into();
            expected["updated_at"] = task["updated_at"].clone();
            assert_eq!(task, expected);
            assert!(task["updated_at"].as_str() > previous_update.as_str());
            assert_eq!(ada.get(&path).await.ok(), expected);
        }
    }
}

async fn a_toggle_ignores_its_body(app: App) {
    let ada = app.user("ada").await;
    let task = ada.new_task("Buy milk").await;
    let complete_path = format!("{}/complete", ada.task(&task["id"]));
    let body = json!({ "completed": false, "title": "Buy tea" });
    let completed_task = ada.patch(&complete_path, body).await.ok();
    assert_eq!(completed_task["completed"], true);
    assert_eq!(completed_task["title"], "Buy milk");
    let reopened_task = ada.patch(&complete_path, "not JSON").await.ok();
    assert_eq!(reopened_task["completed"], false);
}

async fn an_unknown_task_is_not_found(app: App) {
    let ada = app.user("ada").await;
    for base in base_paths(&ada) {
        let complete_request = ada.request("PATCH", &format!("{base}/4711/complete"));
        complete_request.await.problem(404, "TASK_NOT_FOUND");
        let toggle_request = ada.request("POST", &format!("{base}/4711/toggle"));
        toggle_request.await.problem(404, "TASK_NOT_FOUND");
    }
}

async fn every_parallel_toggle_is_applied(app: App) {
    let ada = app.user("ada").await;
    let task = ada.new_task("Buy milk").await;
    let toggle_path = format!("{}/toggle", ada.task(&task["id"]));
    let toggles = (0..51).map(|_| ada.request("POST", &toggle_path).into_future());
    let responses = join_all(toggles).await.into_iter();
    let completed_responses =
        responses.filter(|response| response.clone().ok()["completed"] == true);
    assert_eq!(completed_responses.count(), 26);
    assert_eq!(ada.all_tasks().await[0]["completed"], true);
}

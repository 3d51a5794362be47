//! `PATCH /api/{user_id}/tasks/{task_id}/complete`, also as `POST …/toggle`

use std::time::Duration;

use e2e::{App, on_both_engines};
use futures_util::future::join_all;
use serde_json::json;

use super::bases;

on_both_engines! {
    a_toggle_flips_the_completion_and_nothing_else,
    a_toggle_ignores_its_body,
    an_unknown_task_is_not_found,
    every_parallel_toggle_is_applied,
}

async fn a_toggle_flips_the_completion_and_nothing_else(app: App) {
    let ada = app.user("ada").await;
    for base in bases(&ada) {
        let mut expected = ada.new_task("Buy milk").await;
        let address = format!("{base}/{}", expected["id"]);
        for (number, completed) in [true, false, true].into_iter().enumerate() {
            app.clock.advance(Duration::from_secs(1));
            let before = expected["updated_at"].clone();
            let toggle = if number % 2 == 0 {
                ada.request("PATCH", &format!("{address}/complete"))
            } else {
                ada.request("POST", &format!("{address}/toggle"))
            };
            let toggled = toggle.await.ok();
            expected["completed"] = completed.into();
            expected["updated_at"] = toggled["updated_at"].clone();
            assert_eq!(toggled, expected);
            assert!(toggled["updated_at"].as_str() > before.as_str());
            assert_eq!(ada.get(&address).await.ok(), expected);
        }
    }
}

async fn a_toggle_ignores_its_body(app: App) {
    let ada = app.user("ada").await;
    let task = ada.new_task("Buy milk").await;
    let complete = format!("{}/complete", ada.task(&task["id"]));
    let body = json!({ "completed": false, "title": "Buy tea" });
    let toggled = ada.patch(&complete, body).await.ok();
    assert_eq!(toggled["completed"], true);
    assert_eq!(toggled["title"], "Buy milk");
    let toggled = ada.patch(&complete, "not JSON").await.ok();
    assert_eq!(toggled["completed"], false);
}

async fn an_unknown_task_is_not_found(app: App) {
    let ada = app.user("ada").await;
    for base in bases(&ada) {
        let complete = ada.request("PATCH", &format!("{base}/4711/complete"));
        complete.await.problem(404, "TASK_NOT_FOUND");
        let toggle = ada.request("POST", &format!("{base}/4711/toggle"));
        toggle.await.problem(404, "TASK_NOT_FOUND");
    }
}

async fn every_parallel_toggle_is_applied(app: App) {
    let ada = app.user("ada").await;
    let task = ada.new_task("Buy milk").await;
    let toggle = format!("{}/toggle", ada.task(&task["id"]));
    let toggles = (0..51).map(|_| ada.request("POST", &toggle).into_future());
    let responses = join_all(toggles).await.into_iter();
    let completed = responses.filter(|response| response.clone().ok()["completed"] == true);
    assert_eq!(completed.count(), 26);
    assert_eq!(ada.all_tasks().await[0]["completed"], true);
}

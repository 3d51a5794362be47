//! Tests `GET` and `DELETE /api/{user_id}/tasks/{task_id}`. The files in `item/` test `PATCH` and `PUT`.

mod patch;
mod put;

use e2e::{App, on_both_engines};
use futures_util::future::join_all;
use serde_json::json;

use super::base_paths;

on_both_engines! {
    a_task_is_returned_at_each_of_its_paths,
    a_deleted_task_is_not_found,
    a_deletion_removes_one_task_only,
    an_unknown_task_is_not_found,
    of_many_parallel_deletions_of_a_task_one_succeeds,
}

async fn a_task_is_returned_at_each_of_its_paths(app: App) {
    let ada = app.user("ada").await;
    let task = ada.new_task("Buy milk").await;
    for base in base_paths(&ada) {
        let response = ada.get(&format!("{base}/{}", task["id"])).await.ok();
        assert_eq!(response, task);
    }
}

async fn a_deleted_task_is_not_found(app: App) {
    let ada = app.user("ada").await;
    for base in base_paths(&ada) {
        let task = ada.new_task("Buy milk").await;
        let path = format!("{base}/{}", task["id"]);
        let response = ada.delete(&path).await.ok();
        let expected = json!({ "success": true, "message": "Task deleted successfully" });
        assert_eq!(response, expected);
        ada.get(&path).await.problem(404, "TASK_NOT_FOUND");
        ada.delete(&path).await.problem(404, "TASK_NOT_FOUND");
        assert_eq!(ada.all_tasks().await, json!([]));
    }
}

async fn a_deletion_removes_one_task_only(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let (kept_task, deleted_task) = (ada.new_task("kept").await, ada.new_task("deleted").await);
    let eve_task = eve.new_task("of another user").await;
    ada.delete(&ada.task(&deleted_task["id"])).await.ok();
    assert_eq!(ada.all_tasks().await, json!([kept_task]));
    assert_eq!(eve.all_tasks().await, json!([eve_task]));
}

async fn an_unknown_task_is_not_found(app: App) {
    let ada = app.user("ada").await;
    for base in base_paths(&ada) {
        let path = format!("{base}/4711");
        let problem = ada.get(&path).await.problem(404, "TASK_NOT_FOUND");
        assert_eq!(problem["detail"], "There is no such task");
        ada.delete(&path).await.problem(404, "TASK_NOT_FOUND");
    }
}

async fn of_many_parallel_deletions_of_a_task_one_succeeds(app: App) {
    let ada = app.user("ada").await;
    let path = ada.task(&ada.new_task("Buy milk").await["id"]);
    let deletions = (0..20).map(|_| ada.delete(&path).into_future());
    let responses = join_all(deletions).await;
    let (succeeded_responses, rejected_responses): (Vec<_>, Vec<_>) = responses
        .into_iter()
        .partition(|response| response.status() == 200);
    assert_eq!(succeeded_responses.len(), 1);
    for response in rejected_responses {
        response.problem(404, "TASK_NOT_FOUND");
    }
}

//! `GET` and `DELETE /api/{user_id}/tasks/{task_id}`; `PATCH` and `PUT` are in `item/`.

mod patch;
mod put;

use e2e::{App, on_both_engines};
use futures_util::future::join_all;
use serde_json::json;

use super::bases;

on_both_engines! {
    a_task_is_returned_at_each_of_its_addresses,
    a_deleted_task_is_not_found,
    a_deletion_removes_one_task_only,
    an_unknown_task_is_not_found,
    of_many_parallel_deletions_of_a_task_one_succeeds,
}

async fn a_task_is_returned_at_each_of_its_addresses(app: App) {
    let ada = app.user("ada").await;
    let task = ada.new_task("Buy milk").await;
    for base in bases(&ada) {
        let shown = ada.get(&format!("{base}/{}", task["id"])).await.ok();
        assert_eq!(shown, task);
    }
}

async fn a_deleted_task_is_not_found(app: App) {
    let ada = app.user("ada").await;
    for base in bases(&ada) {
        let task = ada.new_task("Buy milk").await;
        let address = format!("{base}/{}", task["id"]);
        let deleted = ada.delete(&address).await.ok();
        let expected = json!({ "success": true, "message": "Task deleted successfully" });
        assert_eq!(deleted, expected);
        ada.get(&address).await.problem(404, "TASK_NOT_FOUND");
        ada.delete(&address).await.problem(404, "TASK_NOT_FOUND");
        assert_eq!(ada.all_tasks().await, json!([]));
    }
}

async fn a_deletion_removes_one_task_only(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let (kept, deleted) = (ada.new_task("kept").await, ada.new_task("deleted").await);
    let from_eve = eve.new_task("of another user").await;
    ada.delete(&ada.task(&deleted["id"])).await.ok();
    assert_eq!(ada.all_tasks().await, json!([kept]));
    assert_eq!(eve.all_tasks().await, json!([from_eve]));
}

async fn an_unknown_task_is_not_found(app: App) {
    let ada = app.user("ada").await;
    for base in bases(&ada) {
        let address = format!("{base}/4711");
        let refused = ada.get(&address).await.problem(404, "TASK_NOT_FOUND");
        assert_eq!(refused["detail"], "There is no such task");
        ada.delete(&address).await.problem(404, "TASK_NOT_FOUND");
    }
}

async fn of_many_parallel_deletions_of_a_task_one_succeeds(app: App) {
    let ada = app.user("ada").await;
    let address = ada.task(&ada.new_task("Buy milk").await["id"]);
    let deletions = (0..20).map(|_| ada.delete(&address).into_future());
    let responses = join_all(deletions).await;
    let (deleted, others): (Vec<_>, Vec<_>) = responses
        .into_iter()
        .partition(|response| response.status() == 200);
    assert_eq!(deleted.len(), 1);
    for response in others {
        response.problem(404, "TASK_NOT_FOUND");
    }
}

//! Tests that a list has the tasks of the caller only, and that a body cannot set another owner.

use e2e::{App, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    a_list_has_no_tasks_of_other_users,
    an_owner_in_the_body_is_ignored,
}

async fn a_list_has_no_tasks_of_other_users(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let mut eve_tasks = Vec::new();
    for number in 0..3 {
        let body = json!({ "title": format!("milk {number}"), "description": ada.id() });
        ada.post(&ada.tasks(), body).await.created();
        eve_tasks.insert(0, eve.new_task(&format!("milk {number}")).await);
    }
    let expected_list = Value::from(eve_tasks);
    for query in [
        "",
        "?limit=500",
        "?q=milk",
        "?completed=false",
        "?cursor=9223372036854775807",
        "?user_id=",
        "?q=%25%25%27%20OR%201=1",
    ] {
        let task_list = eve.get(&format!("{}{query}", eve.tasks())).await.ok();
        let tasks = task_list.as_array().unwrap();
        assert!(
            tasks.iter().all(|task| task["user_id"] == eve.id()),
            "{task_list}"
        );
        if !query.contains('\'') && !query.contains("%27") {
            assert_eq!(task_list, expected_list, "{query}");
        }
    }
    let search_path = format!("{}?q={}", eve.tasks(), ada.id());
    assert_eq!(eve.get(&search_path).await.ok(), json!([]));
}

async fn an_owner_in_the_body_is_ignored(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let ada_task = ada.new_task("Buy milk").await;
    let eve_task = eve.new_task("own").await;
    let path = eve.task(&eve_task["id"]);
    let body = json!({
        "title": "changed",
        "user_id": ada.id(),
        "owner_id": ada.id(),
        "id": ada_task["id"],
    });
    for request in [eve.put(&path, body.clone()), eve.patch(&path, body)] {
        let changed_task = request.await.ok();
        assert_eq!(changed_task["user_id"], eve.id());
        assert_eq!(changed_task["id"], eve_task["id"]);
    }
    assert_eq!(ada.all_tasks().await, json!([ada_task]));
}

//! Tests the order and the filters of `GET /api/{user_id}/tasks`, and which queries are valid.

use e2e::{App, on_both_engines};
use serde_json::{Value, json};

use super::base_paths;

on_both_engines! {
    a_new_user_has_no_tasks,
    a_list_starts_with_the_newest_task,
    open_and_finished_tasks_can_be_listed_separately,
    a_limit_is_1_to_500,
    only_a_cursor_in_the_form_of_a_task_id_is_accepted,
    an_invalid_query_is_rejected,
    unknown_parameters_are_ignored,
}

async fn a_new_user_has_no_tasks(app: App) {
    let ada = app.user("ada").await;
    for base in base_paths(&ada) {
        let response = ada.get(&base).await;
        assert_eq!(response.header("link"), None);
        assert_eq!(response.ok(), json!([]));
    }
}

async fn a_list_starts_with_the_newest_task(app: App) {
    let ada = app.user("ada").await;
    let mut expected = Vec::new();
    for title in ["b", "c", "a"] {
        expected.insert(0, ada.new_task(title).await);
    }
    // A change of a task does not move the task in the list.
    let oldest_path = ada.task(&expected[2]["id"]);
    expected[2] = ada.patch(&oldest_path, json!({ "title": "z" })).await.ok();
    for base in base_paths(&ada) {
        assert_eq!(ada.get(&base).await.ok(), Value::from(expected.clone()));
    }
}

async fn open_and_finished_tasks_can_be_listed_separately(app: App) {
    let ada = app.user("ada").await;
    let (open_task, second_task) = (ada.new_task("open").await, ada.new_task("finished").await);
    let path = ada.task(&second_task["id"]);
    let finished_task = ada.patch(&path, json!({ "completed": true })).await.ok();
    for base in base_paths(&ada) {
        for name in ["completed", "is_completed"] {
            let completed_list = ada.get(&format!("{base}?{name}=true")).await.ok();
            assert_eq!(completed_list, json!([finished_task]));
            let open_list = ada.get(&format!("{base}?{name}=false")).await.ok();
            assert_eq!(open_list, json!([open_task]));
        }
    }
}

async fn a_limit_is_1_to_500(app: App) {
    let ada = app.user("ada").await;
    ada.new_task("a").await;
    for limit in ["1", "2", "499", "500"] {
        let list = ada.get(&format!("/api/tasks?limit={limit}")).await.ok();
        assert_eq!(list.as_array().unwrap().len(), 1);
    }
    for limit in [
        "0",
        "-1",
        "501",
        "9223372036854775807",
        "-9223372036854775808",
    ] {
        let refused = ada.get(&format!("/api/tasks?limit={limit}")).await;
        refused.invalid("limit", "out_of_range", "must be 1 to 500");
    }
}

async fn only_a_cursor_in_the_form_of_a_task_id_is_accepted(app: App) {
    let ada = app.user("ada").await;
    for cursor in ["", "0", "-1", "01", "x", "9223372036854775808", "%00"] {
        let refused = ada.get(&format!("/api/tasks?cursor={cursor}")).await;
        let message = "must be a cursor from a Link header";
        refused.invalid("cursor", "invalid_cursor", message);
    }
    let response = ada.get("/api/tasks?cursor=9223372036854775807").await;
    assert_eq!(response.ok(), json!([]));
}

async fn an_invalid_query_is_rejected(app: App) {
    let ada = app.user("ada").await;
    for query in [
        "limit=",
        "limit=ten",
        "limit=1.5",
        "limit=9223372036854775808",
        "limit=1&limit=2",
        "completed=",
        "completed=1",
        "completed=TRUE",
        "completed=true&completed=false",
        "completed=true&is_completed=true",
        "q=a&q=b",
    ] {
        let refused = ada.get(&format!("/api/tasks?{query}")).await;
        let problem = refused.problem(400, "INVALID_REQUEST");
        let detail = problem["detail"].as_str().unwrap();
        let is_expected = detail.starts_with("The query string is not acceptable: ");
        assert!(is_expected, "{query}: {detail}");
    }
}

async fn unknown_parameters_are_ignored(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let task = ada.new_task("a").await;
    eve.new_task("b").await;
    let query = format!("?user_id={}&offset=7&sort=title&=&&%ff=%ff", eve.id());
    for base in base_paths(&ada) {
        let list = ada.get(&format!("{base}{query}")).await.ok();
        assert_eq!(list, json!([task]));
    }
}

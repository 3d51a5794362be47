//! Tests paths whose `{task_id}` belongs to another user's task, is unknown, or is malformed.

use e2e::{App, on_both_engines};

use super::task_requests;

on_both_engines! {
    under_the_callers_own_path_a_task_of_another_user_is_not_found,
    an_unknown_or_malformed_id_is_not_found,
}

async fn under_the_callers_own_path_a_task_of_another_user_is_not_found(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let ada_task = ada.new_task("Buy milk").await;
    eve.new_task("own").await;
    let (ada_tasks, eve_tasks) = (ada.all_tasks().await, eve.all_tasks().await);
    for list_path in [
        eve.tasks(),
        "/api/tasks".to_owned(),
        "/api/v1/tasks".to_owned(),
    ] {
        for request in task_requests(&eve, &list_path, &ada_task["id"].to_string()) {
            let problem = request.await.problem(404, "TASK_NOT_FOUND");
            assert_eq!(problem["detail"], "There is no such task");
        }
    }
    assert_eq!(ada.all_tasks().await, ada_tasks);
    assert_eq!(eve.all_tasks().await, eve_tasks);
}

/// Returns texts that are not the id of any task. Some texts resemble `existing_id`, the id of an existing task.
fn invalid_ids(existing_id: i64) -> Vec<String> {
    let mut ids = vec![
        format!("+{existing_id}"),
        format!("0{existing_id}"),
        format!("-{existing_id}"),
        format!("{existing_id}.0"),
        format!("{existing_id}e0"),
        format!("{existing_id}%00"),
        format!("%00{existing_id}"),
        format!("%20{existing_id}"),
        format!("{existing_id}%20"),
        format!("{existing_id}%0a"),
        format!("{existing_id},2"),
        format!("{existing_id};"),
        format!("{existing_id}'"),
        format!("{existing_id}%2f.."),
        format!("0x{existing_id:x}"),
        // The digit 1 in Arabic, in Devanagari and in full width.
        "%D9%A1".to_owned(),
        "%E0%A5%A7".to_owned(),
        "%EF%BC%91".to_owned(),
    ];
    let fixed_ids = [
        "0",
        "-0",
        "-1",
        "4711",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "18446744073709551617",
        "NaN",
        "null",
        "true",
        "*",
        "%2a",
        "%25",
        "%00",
        "%ff",
        "%2e",
        "%zz",
        "%",
        "1%20OR%201=1",
        "00000000-0000-4000-8000-000000000000",
        "{task_id}",
    ];
    ids.extend(fixed_ids.map(ToOwned::to_owned));
    ids.push("9".repeat(1000));
    ids
}

async fn an_unknown_or_malformed_id_is_not_found(app: App) {
    let ada = app.user("ada").await;
    let task = ada.new_task("Buy milk").await;
    let tasks_before = ada.all_tasks().await;
    for id in invalid_ids(task["id"].as_i64().unwrap()) {
        for list_path in [ada.tasks(), "/api/tasks".to_owned()] {
            for request in task_requests(&ada, &list_path, &id) {
                request.await.problem(404, "TASK_NOT_FOUND");
            }
        }
    }
    assert_eq!(ada.all_tasks().await, tasks_before);
}

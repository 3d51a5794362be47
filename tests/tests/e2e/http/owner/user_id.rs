//! Tests paths whose `{user_id}` belongs to another user, is unknown, or resembles the caller's id.

use e2e::{App, on_both_engines};

use super::all_requests;

on_both_engines! {
    another_users_path_is_forbidden_whether_or_not_the_task_exists,
    another_users_path_is_forbidden_before_the_body_is_read,
    a_path_that_only_resembles_the_callers_own_path_is_forbidden,
    without_a_token_the_owner_of_a_path_is_not_revealed,
}

async fn another_users_path_is_forbidden_whether_or_not_the_task_exists(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let ada_task = ada.new_task("Buy milk").await;
    let eve_task = eve.new_task("own").await;
    let tasks_before = (ada.all_tasks().await, eve.all_tasks().await);
    let unknown_user_id = "00000000-0000-7000-8000-000000000000".to_owned();
    let mut problems = Vec::new();
    for user_id in [
        ada.id(),
        &unknown_user_id,
        "1",
        "auth",
        "null",
        "%00",
        "%ff",
        "%zz",
        "..%2f",
    ] {
        let list_path = format!("/api/{user_id}/tasks");
        for id in [
            &ada_task["id"].to_string(),
            &eve_task["id"].to_string(),
            "4711",
            "x",
            "%00",
        ] {
            for request in all_requests(&eve, &list_path, id) {
                problems.push(request.await.problem(403, "FORBIDDEN"));
            }
        }
    }
    // The response does not reveal whether the user or the task exists.
    let all_equal = problems.iter().all(|problem| *problem == problems[0]);
    assert!(all_equal, "{problems:?}");
    assert_eq!(
        problems[0]["detail"],
        "This address belongs to another user"
    );
    assert_eq!((ada.all_tasks().await, eve.all_tasks().await), tasks_before);
}

async fn another_users_path_is_forbidden_before_the_body_is_read(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let task = ada.new_task("Buy milk").await;
    let tasks_before = ada.all_tasks().await;
    let task_path = ada.task(&task["id"]);
    for (method, path) in [
        ("POST", &ada.tasks()),
        ("PUT", &task_path),
        ("PATCH", &task_path),
    ] {
        let request = eve.request(method, path);
        for body in ["", "not JSON", "[]", r#"{"title":5}"#] {
            let response = request.clone().body(body).await;
            response.problem(403, "FORBIDDEN");
        }
        let response = request.clone().body(b"title=stolen".as_slice()).await;
        response.problem(403, "FORBIDDEN");
        let too_large_body = "x".repeat(64 * 1024 + 1);
        request.body(too_large_body).await.problem(403, "FORBIDDEN");

        // The header announces a body that never arrives.
        for length_header in [
            "content-length: 9000000000000000000",
            "transfer-encoding: chunked",
        ] {
            let mut connection = app.connect().await;
            let head = format!(
                "{method} {path} HTTP/1.1\r\nhost: e2e\r\nauthorization: Bearer {}\r\n\
                 content-type: application/json\r\n{length_header}\r\n\r\n",
                eve.token()
            );
            connection.send(head.as_bytes()).await;
            let response = connection.response().await.unwrap();
            response.problem(403, "FORBIDDEN");
        }
    }
    assert_eq!(ada.all_tasks().await, tasks_before);
}

async fn a_path_that_only_resembles_the_callers_own_path_is_forbidden(app: App) {
    let ada = app.user("ada").await;
    let task = ada.new_task("Buy milk").await;
    let (id, tasks_before) = (ada.id(), ada.all_tasks().await);
    for similar_id in [
        id.to_uppercase(),
        id.replace('-', ""),
        format!("%7b{id}%7d"),
        format!("{id}%00"),
        format!("{id}%20"),
        format!("%20{id}"),
        format!("{id}."),
        format!("{id}%2f"),
        format!("urn:uuid:{id}"),
        id.split_at(id.len() - 1).0.to_owned(),
        format!("{id}0"),
        ada.email().to_owned(),
        "me".to_owned(),
    ] {
        let list_path = format!("/api/{similar_id}/tasks");
        for request in all_requests(&ada, &list_path, &task["id"].to_string()) {
            request.await.problem(403, "FORBIDDEN");
        }
    }
    assert_eq!(ada.all_tasks().await, tasks_before);
}

async fn without_a_token_the_owner_of_a_path_is_not_revealed(app: App) {
    let ada = app.user("ada").await;
    let task = ada.new_task("Buy milk").await;
    let tasks_before = ada.all_tasks().await;
    let anonymous_caller = app.anonymous();
    let mut problems = Vec::new();
    for list_path in [
        ada.tasks(),
        "/api/another-user/tasks".to_owned(),
        "/api/tasks".to_owned(),
    ] {
        for id in [&task["id"].to_string(), "4711", "x"] {
            for request in all_requests(&anonymous_caller, &list_path, id) {
                problems.push(request.await.problem(401, "UNAUTHORIZED"));
            }
        }
    }
    assert!(problems.iter().all(|problem| *problem == problems[0]));
    assert_eq!(ada.all_tasks().await, tasks_before);
}

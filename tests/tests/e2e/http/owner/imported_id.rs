//! Tests users whose id is not a UUID: an import keeps the ids of the source database, which may be any text.

use e2e::{App, Client, on_both_engines};
use serde_json::json;

use super::all_requests;

on_both_engines! {
    every_path_of_a_user_with_an_unusual_id_is_accepted_percent_encoded,
    an_unusual_id_is_compared_after_decoding_once,
    no_unusual_id_reaches_the_tasks_of_another_user,
    an_unusual_id_without_an_account_creates_no_task,
    the_location_of_a_task_leaves_out_a_user_id_of_dots,
}

/// User ids, each with its percent-encoded form for a path.
const USER_IDS: [(&str, &str); 8] = [
    ("a/b", "a%2Fb"),
    ("a%b", "a%25b"),
    ("a%2Fb", "a%252Fb"),
    ("a b?c#d", "a%20b%3Fc%23d"),
    ("käse", "k%C3%A4se"),
    ("auth0|5f7c", "auth0%7C5f7c"),
    ("ada@example.com", "ada@example.com"),
    ("a\\b", "a%5Cb"),
];

/// Adds a byte of a user id to a hash. The hash makes the email address of the user unique.
fn hash_step(hash: u64, byte: u8) -> u64 {
    hash.wrapping_mul(257).wrapping_add(byte.into())
}

/// Adds a user with this id to the database, as an import does.
fn import_user(app: &App, id: &str) -> Client {
    let email = format!("user{}@example.com", id.bytes().fold(0, hash_step));
    app.database().execute(&format!(
        "INSERT INTO users (id, email, email_verified, created_at, updated_at) VALUES \
         ('{id}', '{email}', TRUE, '2001-02-03 04:05:06', '2001-02-03 04:05:06')"
    ));
    app.bearer(app.token_for(id, &email))
}

async fn every_path_of_a_user_with_an_unusual_id_is_accepted_percent_encoded(app: App) {
    for (id, encoded_id) in USER_IDS {
        let user = import_user(&app, id);
        let list_path = format!("/api/{encoded_id}/tasks");
        let response = user.post(&list_path, json!({ "title": "Buy milk" })).await;
        let location = response.header("location").unwrap().to_owned();
        let task = response.created();
        assert_eq!(task["user_id"], id);
        assert_eq!(user.get(&location).await.ok(), task, "{location}");
        let complete_request =
            user.request("PATCH", &format!("{list_path}/{}/complete", task["id"]));
        assert_eq!(complete_request.await.ok()["completed"], true);
        assert_eq!(user.get(&list_path).await.ok().as_array().unwrap().len(), 1);
        let delete_response = user.delete(&location).await;
        assert!(delete_response.status() < 300, "{}", delete_response.text());
        assert_eq!(user.get(&list_path).await.ok(), json!([]));
    }
}

async fn an_unusual_id_is_compared_after_decoding_once(app: App) {
    let percent_user = import_user(&app, "a%2Fb");
    let slash_user = import_user(&app, "a/b");
    for (caller, path) in [
        (&percent_user, "/api/a%2Fb/tasks"),
        (&percent_user, "/api/a%25252Fb/tasks"),
        (&slash_user, "/api/a%252Fb/tasks"),
    ] {
        caller.get(path).await.problem(403, "FORBIDDEN");
        let body = json!({ "title": "Buy milk" });
        caller.post(path, body).await.problem(403, "FORBIDDEN");
    }
    percent_user.get("/api/a%252Fb/tasks").await.ok();
    slash_user.get("/api/a%2Fb/tasks").await.ok();
}

async fn the_location_of_a_task_leaves_out_a_user_id_of_dots(app: App) {
    for id in [".", ".."] {
        let user = import_user(&app, id);
        let body = json!({ "title": "Buy milk" });
        let response = user.post("/api/tasks", body).await;
        let location = response.header("location").unwrap().to_owned();
        let task = response.created();
        assert_eq!(location, format!("/api/tasks/{}", task["id"]));
        assert_eq!(user.get(&location).await.ok(), task);
    }
}

async fn no_unusual_id_reaches_the_tasks_of_another_user(app: App) {
    let mut users = Vec::new();
    for (id, encoded_id) in USER_IDS {
        let user = import_user(&app, id);
        let list_path = format!("/api/{encoded_id}/tasks");
        let task = user
            .post(&list_path, json!({ "title": id }))
            .await
            .created();
        users.push((user, list_path, task));
    }
    for (caller, caller_list_path, _) in &users {
        for (_, list_path, task) in &users {
            if list_path == caller_list_path {
                continue;
            }
            for request in all_requests(caller, list_path, &task["id"].to_string()) {
                request.await.problem(403, "FORBIDDEN");
            }
            // Below the path of the caller, a task of another user is not found.
            let request = caller.get(&format!("{caller_list_path}/{}", task["id"]));
            request.await.problem(404, "TASK_NOT_FOUND");
        }
    }
    for (user, list_path, task) in &users {
        assert_eq!(user.get(list_path).await.ok(), json!([task]));
    }
}

async fn an_unusual_id_without_an_account_creates_no_task(app: App) {
    for (number, (id, encoded_id)) in USER_IDS.into_iter().enumerate() {
        let token = app.token_for(id, &format!("unknown{number}@example.com"));
        let caller = app.bearer(token);
        let list_path = format!("/api/{encoded_id}/tasks");
        assert_eq!(caller.get(&list_path).await.ok(), json!([]));
        let rejection = caller
            .post(&list_path, json!({ "title": "Buy milk" }))
            .await;
        assert_eq!(rejection.status(), 401, "{}", rejection.text());
    }
    let task_count = app.database().value("SELECT count(*) FROM tasks");
    assert_eq!(task_count.as_deref(), Some("0"));
}

//! Tests users whose id is not a UUID: an import keeps the ids of the other database, which may be any text.

use e2e::{App, Client, on_both_engines};
use serde_json::json;

use super::all_requests;

on_both_engines! {
    every_path_of_a_user_with_an_unusual_id_works_percent_encoded,
    an_unusual_id_is_compared_after_decoding_once,
    no_unusual_id_reaches_the_tasks_of_another_user,
    an_unusual_id_without_an_account_creates_no_task,
    the_location_of_a_user_whose_id_is_dots_leaves_out_the_id,
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

/// One step of a hash over the bytes of an id, for a unique email address.
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

async fn every_path_of_a_user_with_an_unusual_id_works_percent_encoded(app: App) {
    for (id, encoded_id) in USER_IDS {
        let user = import_user(&app, id);
        let base = format!("/api/{encoded_id}/tasks");
        let response = user.post(&base, json!({ "title": "Buy milk" })).await;
        let location = response.header("location").unwrap().to_owned();
        let task = response.created();
        assert_eq!(task["user_id"], id);
        assert_eq!(user.get(&location).await.ok(), task, "{location}");
        let complete_request = user.request("PATCH", &format!("{base}/{}/complete", task["id"]));
        assert_eq!(complete_request.await.ok()["completed"], true);
        assert_eq!(user.get(&base).await.ok().as_array().unwrap().len(), 1);
        let deletion = user.delete(&location).await;
        assert!(deletion.status() < 300, "{}", deletion.text());
        assert_eq!(user.get(&base).await.ok(), json!([]));
    }
}

async fn an_unusual_id_is_compared_after_decoding_once(app: App) {
    let user = import_user(&app, "a%2Fb");
    let other_user = import_user(&app, "a/b");
    for (caller, path) in [
        (&user, "/api/a%2Fb/tasks"),
        (&user, "/api/a%25252Fb/tasks"),
        (&other_user, "/api/a%252Fb/tasks"),
    ] {
        caller.get(path).await.problem(403, "FORBIDDEN");
        let body = json!({ "title": "Buy milk" });
        caller.post(path, body).await.problem(403, "FORBIDDEN");
    }
    user.get("/api/a%252Fb/tasks").await.ok();
    other_user.get("/api/a%2Fb/tasks").await.ok();
}

async fn the_location_of_a_user_whose_id_is_dots_leaves_out_the_id(app: App) {
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
        let base = format!("/api/{encoded_id}/tasks");
        let task = user.post(&base, json!({ "title": id })).await.created();
        users.push((user, base, task));
    }
    for (caller, own_base, _) in &users {
        for (_, base, task) in &users {
            if base == own_base {
                continue;
            }
            for request in all_requests(caller, base, &task["id"].to_string()) {
                request.await.problem(403, "FORBIDDEN");
            }
            // Under the caller's own id, the other user's task is not found.
            let request = caller.get(&format!("{own_base}/{}", task["id"]));
            request.await.problem(404, "TASK_NOT_FOUND");
        }
    }
    for (user, base, task) in &users {
        assert_eq!(user.get(base).await.ok(), json!([task]));
    }
}

async fn an_unusual_id_without_an_account_creates_no_task(app: App) {
    for (number, (id, encoded_id)) in USER_IDS.into_iter().enumerate() {
        let token = app.token_for(id, &format!("unknown{number}@example.com"));
        let caller = app.bearer(token);
        let base = format!("/api/{encoded_id}/tasks");
        assert_eq!(caller.get(&base).await.ok(), json!([]));
        let refused = caller.post(&base, json!({ "title": "Buy milk" })).await;
        assert_eq!(refused.status(), 401, "{}", refused.text());
    }
    let count = app.database().value("SELECT count(*) FROM tasks");
    assert_eq!(count.as_deref(), Some("0"));
}

//! Tests `POST /api/{user_id}/tasks`.

use e2e::{App, TestClock, on_both_engines};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::base_paths;

on_both_engines! {
    a_new_task_is_not_completed,
    the_location_is_the_path_of_the_new_task,
    the_location_has_the_users_id_percent_encoded,
    a_title_is_trimmed_and_has_1_to_200_characters,
    a_description_has_at_most_10000_characters,
    a_description_is_stored_unchanged,
    fields_that_the_server_sets_are_ignored,
    an_id_is_never_reused,
    every_parallel_creation_is_stored,
}

async fn a_new_task_is_not_completed(app: App) {
    let ada = app.user("ada").await;
    for base in base_paths(&ada) {
        let body = json!({ "title": "Buy milk", "description": "Two bottles" });
        let task = ada.post(&base, body).await.created();
        let expected = json!({
            "id": task["id"],
            "user_id": ada.id(),
            "title": "Buy milk",
            "description": "Two bottles",
            "completed": false,
            "created_at": TestClock::START,
            "updated_at": TestClock::START,
        });
        assert_eq!(task, expected);
        assert!(task["id"].is_i64());
    }
    for body in [
        json!({ "title": "Buy milk" }),
        json!({ "title": "Buy milk", "description": null }),
    ] {
        let task = ada.post("/api/tasks", body).await.created();
        assert_eq!(task["description"], Value::Null);
    }
}

async fn the_location_is_the_path_of_the_new_task(app: App) {
    let ada = app.user("ada").await;
    for base in base_paths(&ada) {
        let response = ada.post(&base, json!({ "title": "Buy milk" })).await;
        let location = response.header("location").unwrap().to_owned();
        let task = response.created();
        assert_eq!(location, ada.task(&task["id"]));
        assert_eq!(ada.get(&location).await.ok(), task);
    }
}

/// An import keeps the ids of users, which may be any text.
async fn the_location_has_the_users_id_percent_encoded(app: App) {
    for (number, (id, encoded_id)) in [
        ("a b", "a%20b"),
        ("a?b#c", "a%3Fb%23c"),
        ("äöü", "%C3%A4%C3%B6%C3%BC"),
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("user{number}@example.com");
        app.user(&format!("user{number}")).await;
        app.database().execute(&format!(
            "DELETE FROM sessions; UPDATE users SET id = '{id}' WHERE email = '{email}'"
        ));
        let owner = app.bearer(app.token_for(id, &email));
        let response = owner
            .post("/api/tasks", json!({ "title": "Buy milk" }))
            .await;
        let location = response.header("location").unwrap().to_owned();
        let task = response.created();
        assert_eq!(location, format!("/api/{encoded_id}/tasks/{}", task["id"]));
        assert_eq!(owner.get(&location).await.ok(), task);
    }
}

async fn a_title_is_trimmed_and_has_1_to_200_characters(app: App) {
    let ada = app.user("ada").await;
    for (title, stored_title) in [
        ("a", "a"),
        ("  Buy milk\t\n", "Buy milk"),
        ("\u{3000}Buy milk\u{a0}", "Buy milk"),
        ("Buy  milk", "Buy  milk"),
        (&"é".repeat(199), &"é".repeat(199)),
        (&"😀".repeat(200), &"😀".repeat(200)),
        (&format!(" {} ", "t".repeat(200)), &"t".repeat(200)),
    ] {
        let task = ada.post("/api/tasks", json!({ "title": title })).await;
        assert_eq!(task.created()["title"], stored_title);
    }
    for body in [
        json!({}),
        json!({ "title": "" }),
        json!({ "title": " \t\n\u{3000}" }),
    ] {
        let refused = ada.post("/api/tasks", body).await;
        refused.invalid("title", "required", "is required");
    }
    let too_long_body = json!({ "title": "é".repeat(201) });
    let refused = ada.post("/api/tasks", too_long_body).await;
    refused.invalid("title", "too_long", "must be at most 200 characters");
    let refused = ada.post("/api/tasks", json!({ "title": "a\u{0}b" })).await;
    let message = "must not contain the NUL character";
    refused.invalid("title", "invalid_character", message);
    for wrong_value in [
        json!(null),
        json!(5),
        json!(["a"]),
        json!({ "a": 1 }),
        json!(true),
    ] {
        let refused = ada
            .post("/api/tasks", json!({ "title": wrong_value }))
            .await;
        refused.invalid("title", "invalid_type", "must be a string");
    }
}

async fn a_description_has_at_most_10000_characters(app: App) {
    let ada = app.user("ada").await;
    let create = async |description: Value| {
        let body = json!({ "title": "Buy milk", "description": description });
        ada.post("/api/tasks", body).await
    };
    for length in [0, 1, 9_999, 10_000] {
        let text = "😀".repeat(length);
        let task = create(text.as_str().into()).await.created();
        assert_eq!(task["description"], text);
    }
    let refused = create("d".repeat(10_001).into()).await;
    refused.invalid(
        "description",
        "too_long",
        "must be at most 10000 characters",
    );
    let message = "must not contain the NUL character";
    let refused = create("\u{0}".into()).await;
    refused.invalid("description", "invalid_character", message);
    let refused = create(5.into()).await;
    refused.invalid("description", "invalid_type", "must be a string");
}

async fn a_description_is_stored_unchanged(app: App) {
    let ada = app.user("ada").await;
    let text = "  two\r\n\tlines \\ \"quoted\" '; DROP TABLE tasks; -- %_ \u{1}\u{7f}\n";
    let body = json!({ "title": "Buy milk", "description": text });
    let task = ada.post("/api/tasks", body).await.created();
    assert_eq!(task["description"], text);
    assert_eq!(ada.get(&ada.task(&task["id"])).await.ok(), task);
}

async fn fields_that_the_server_sets_are_ignored(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let body = json!({
        "title": "Buy milk",
        "id": 4711,
        "user_id": ada.id(),
        "owner": ada.id(),
        "created_at": "1999-01-01T00:00:00.000Z",
        "updated_at": "1999-01-01T00:00:00.000Z",
    });
    let task = eve.post("/api/tasks", body).await.created();
    assert_eq!(task["user_id"], eve.id());
    assert_ne!(task["id"], 4711);
    assert_eq!(task["created_at"], TestClock::START);
    assert_eq!(task["updated_at"], TestClock::START);
    assert_eq!(ada.all_tasks().await, json!([]));
}

async fn an_id_is_never_reused(app: App) {
    let ada = app.user("ada").await;
    let first_task = ada.new_task("first").await;
    ada.delete(&ada.task(&first_task["id"])).await.ok();
    let second_task = ada.new_task("second").await;
    assert!(second_task["id"].as_i64() > first_task["id"].as_i64());
}

async fn every_parallel_creation_is_stored(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let creations = (0..60).map(|number| {
        let caller = if number % 2 == 0 { &ada } else { &eve };
        let body = json!({ "title": format!("task {number}") });
        caller.post(&caller.tasks(), body).into_future()
    });
    let mut created_tasks: Vec<Value> = Vec::new();
    for response in join_all(creations).await {
        created_tasks.push(response.created());
    }
    created_tasks.sort_by_key(|task| -task["id"].as_i64().unwrap());
    for caller in [&ada, &eve] {
        let mut caller_tasks = created_tasks.clone();
        caller_tasks.retain(|task| task["user_id"] == caller.id());
        assert_eq!(caller_tasks.len(), 30);
        assert_eq!(caller.all_tasks().await, Value::from(caller_tasks));
    }
}

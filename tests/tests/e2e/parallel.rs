//! Many parallel requests.

use e2e::{App, on_both_engines};
use futures_util::future::join_all;
use serde_json::{Value, json};

on_both_engines! {
    of_fifty_registrations_of_one_address_one_succeeds,
    fifty_users_register_at_once,
    every_toggle_counts,
    every_task_is_kept,
    of_many_parallel_deletions_of_a_task_one_succeeds,
}

async fn of_fifty_registrations_of_one_address_one_succeeds(app: App) {
    let caller = app.anonymous();
    let registrations = (0..50).map(|number| {
        let email = if number % 2 == 0 {
            "ada@example.com"
        } else {
            "Ada@Example.com"
        };
        let password = format!("password number {number}");
        let body = json!({ "email": email, "password": password });
        caller.post("/api/auth/register", body).into_future()
    });
    let responses = join_all(registrations).await;
    let mut winners = Vec::new();
    for (number, response) in responses.into_iter().enumerate() {
        if response.status() == 201 {
            winners.push((number, response.created()));
        } else {
            response.problem(409, "USER_ALREADY_EXISTS");
        }
    }
    let [(number, token_response)] = winners.as_slice() else {
        panic!("{} accounts", winners.len());
    };
    let rows = app.database().value("SELECT count(*) FROM users");
    assert_eq!(rows.as_deref(), Some("1"));
    let sessions = app.database().value("SELECT count(*) FROM sessions");
    assert_eq!(sessions.as_deref(), Some("1"));
    let password = format!("password number {number}");
    let body = json!({ "email": "ada@example.com", "password": password });
    let login = caller.post("/api/auth/login", body).await.ok();
    assert_eq!(login["user"], token_response["user"]);
}

async fn fifty_users_register_at_once(app: App) {
    let users = (0..50).map(|number| {
        let email = format!("{number}@example.com");
        let body = json!({ "email": email, "password": "correct horse" });
        app.anonymous()
            .post("/api/auth/register", body)
            .into_future()
    });
    for response in join_all(users).await {
        response.created();
    }
    let rows = app.database().value("SELECT count(*) FROM users");
    assert_eq!(rows.as_deref(), Some("50"));
}

async fn every_toggle_counts(app: App) {
    let ada = app.user("ada").await;
    let task = ada.new_task("Buy milk").await;
    let toggle = format!("{}/toggle", ada.task(&task["id"]));
    let toggles = (0..51).map(|_| ada.request("POST", &toggle).into_future());
    let responses = join_all(toggles).await.into_iter();
    let finished = responses.filter(|response| response.clone().ok()["completed"] == true);
    assert_eq!(finished.count(), 26);
    assert_eq!(ada.all_tasks().await[0]["completed"], true);
}

async fn every_task_is_kept(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let creations = (0..60).map(|number| {
        let caller = if number % 2 == 0 { &ada } else { &eve };
        let body = json!({ "title": format!("task {number}") });
        caller.post(&caller.tasks(), body).into_future()
    });
    let mut created: Vec<Value> = Vec::new();
    for response in join_all(creations).await {
        created.push(response.created());
    }
    created.sort_by_key(|task| -task["id"].as_i64().unwrap());
    for caller in [&ada, &eve] {
        let own = created.iter().filter(|task| task["user_id"] == caller.id());
        let own: Vec<_> = own.cloned().collect();
        assert_eq!(own.len(), 30);
        assert_eq!(caller.all_tasks().await, Value::from(own));
    }
}

async fn of_many_parallel_deletions_of_a_task_one_succeeds(app: App) {
    let ada = app.user("ada").await;
    let address = ada.task(&ada.new_task("Buy milk").await["id"]);
    let deletions = (0..20).map(|_| ada.delete(&address).into_future());
    let responses = join_all(deletions).await;
    let (done, late): (Vec<_>, Vec<_>) = responses.into_iter().partition(|it| it.status() == 200);
    assert_eq!(done.len(), 1);
    for response in late {
        response.problem(404, "TASK_NOT_FOUND");
    }
}

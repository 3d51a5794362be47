//! Tests `DELETE /api/auth/account`.

use e2e::{App, Client, Request, on_both_engines};
use serde_json::{Value, json};

use crate::auth::login::{LOGIN, credentials};
use crate::operations::protected;
use crate::sessions::fixtures::{
    ACCOUNT, count, get_session, is_revoked, login, refresh, user_with_device,
};

on_both_engines! {
    a_deleted_account_leaves_no_user_no_task_and_no_session,
    the_tokens_of_a_deleted_account_are_rejected_by_every_route_at_once,
    a_new_account_with_the_email_address_of_a_deleted_account_has_no_tasks,
    a_wrong_password_deletes_nothing,
    wrong_passwords_are_counted_as_failed_logins,
    a_body_without_a_password_deletes_nothing,
    a_token_without_an_account_is_rejected,
}

fn deletion_request(caller: &Client, password: &str) -> Request {
    caller.delete(ACCOUNT).body(json!({ "password": password }))
}

async fn a_deleted_account_leaves_no_user_no_task_and_no_session(app: App) {
    let (ada, ada_device) = user_with_device(&app, "ada").await;
    login(&app, &ada).await;
    let (eve, eve_device) = user_with_device(&app, "eve").await;
    let caller = app.bearer(ada_device.access.as_str());
    for (device, title) in [(&ada_device, "Ada's"), (&eve_device, "Eve's")] {
        let bearer = app.bearer(device.access.as_str());
        let task = json!({ "title": title });
        bearer.post("/api/tasks", task).await.created();
    }
    let response = deletion_request(&caller, ada.password()).await;
    let cookies = response.header_values("set-cookie");
    assert!(cookies.len() == 2 && cookies.iter().all(|cookie| cookie.contains("=; ")));
    assert_eq!(response.ok(), json!({ "success": true }));
    for (table, column, remaining_count) in [
        ("users", "id", 1),
        ("tasks", "user_id", 1),
        ("sessions", "user_id", 2),
    ] {
        let table_and_condition = format!("{table} WHERE {column} = '{}'", ada.id());
        assert_eq!(count(&app, &table_and_condition), 0, "{table}");
        assert_eq!(count(&app, table), remaining_count, "{table}");
    }
    get_session(&app, &eve_device.access).await.ok();
    assert!(!is_revoked(&app, &eve_device.session));
    login(&app, &eve).await;
}

async fn the_tokens_of_a_deleted_account_are_rejected_by_every_route_at_once(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let other_device = login(&app, &ada).await;
    let caller = app.bearer(device.access.as_str());
    deletion_request(&caller, ada.password()).await.ok();
    for revoked_device in [&device, &other_device] {
        let revoked_caller = app.bearer(revoked_device.access.as_str());
        for operation in protected(&app).await {
            let response = operation.request(&revoked_caller, ada.id()).await;
            response.problem(401, "TOKEN_REVOKED");
        }
        let response = refresh(&app, &revoked_device.refresh).await;
        response.problem(401, "SESSION_EXPIRED");
    }
    let body = credentials(ada.email(), ada.password());
    let response = app.anonymous().post(LOGIN, body).await;
    response.problem(401, "INVALID_EMAIL_OR_PASSWORD");
}

async fn a_new_account_with_the_email_address_of_a_deleted_account_has_no_tasks(app: App) {
    let ada = app.user("ada").await;
    let task = ada.new_task("Buy milk").await;
    deletion_request(&ada, ada.password()).await.ok();
    let new_ada = app.user("ada").await;
    assert_ne!(new_ada.id(), ada.id());
    assert_eq!(new_ada.all_tasks().await, json!([]));
    let response = new_ada.get(&new_ada.task(&task["id"])).await;
    response.problem(404, "TASK_NOT_FOUND");
    // The database does not reuse the id of a deleted task.
    let new_task = new_ada.new_task("Buy tea").await;
    assert!(new_task["id"].as_i64() > task["id"].as_i64());
}

async fn a_wrong_password_deletes_nothing(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let (eve, _) = user_with_device(&app, "eve").await;
    let caller = app.bearer(device.access.as_str());
    for wrong_password in ["not the password", "x", eve.password()] {
        let response = deletion_request(&caller, wrong_password).await;
        assert!(response.header_values("set-cookie").is_empty());
        response.problem(403, "INVALID_PASSWORD");
    }
    assert_eq!(count(&app, "users"), 2);
    caller.get(ACCOUNT).await.ok();
}

async fn wrong_passwords_are_counted_as_failed_logins(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let caller = app.bearer(device.access.as_str());
    for _ in 0..100 {
        let response = deletion_request(&caller, "not the password").await;
        response.problem(403, "INVALID_PASSWORD");
    }
    let response = deletion_request(&caller, ada.password()).await;
    response.problem(429, "TOO_MANY_REQUESTS");
    assert_eq!(count(&app, "users"), 1);
}

async fn a_body_without_a_password_deletes_nothing(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let caller = app.bearer(device.access.as_str());
    for (body, status, code) in [
        (json!({}), 422, "VALIDATION_ERROR"),
        (json!({ "password": null }), 422, "VALIDATION_ERROR"),
        (json!({ "password": "" }), 422, "VALIDATION_ERROR"),
        (json!({ "password": 7 }), 422, "VALIDATION_ERROR"),
        (Value::Null, 400, "INVALID_REQUEST"),
    ] {
        let response = caller.delete(ACCOUNT).body(body).await;
        response.problem(status, code);
    }
    let response = caller.delete(ACCOUNT).await;
    response.problem(415, "UNSUPPORTED_MEDIA_TYPE");
    assert_eq!(count(&app, "users"), 1);
}

async fn a_token_without_an_account_is_rejected(app: App) {
    let eve_token = app.token_for("eve", "eve@example.com");
    let response = deletion_request(&app.bearer(eve_token), "any password").await;
    response.problem(401, "INVALID_TOKEN");
    // If the account exists, a token that another service issued is accepted.
    let ada = app.user("ada").await;
    let ada_token = app.token_for(ada.id(), ada.email());
    deletion_request(&app.bearer(ada_token), ada.password())
        .await
        .ok();
    ada.get(ACCOUNT).await.problem(401, "TOKEN_REVOKED");
}

//! Tests parallel registrations of one email address and of many email addresses.

use e2e::{App, on_both_engines};
use futures_util::future::join_all;
use serde_json::json;

on_both_engines! {
    of_fifty_parallel_registrations_of_one_email_address_one_succeeds,
    fifty_users_register_in_parallel,
}

async fn of_fifty_parallel_registrations_of_one_email_address_one_succeeds(app: App) {
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
    let mut created_accounts = Vec::new();
    for (number, response) in responses.into_iter().enumerate() {
        if response.status() == 201 {
            created_accounts.push((number, response.created()));
        } else {
            response.problem(409, "USER_ALREADY_EXISTS");
        }
    }
    let [(number, token_response)] = created_accounts.as_slice() else {
        panic!("{} accounts", created_accounts.len());
    };
    let user_count = app.database().value("SELECT count(*) FROM users");
    assert_eq!(user_count.as_deref(), Some("1"));
    let session_count = app.database().value("SELECT count(*) FROM sessions");
    assert_eq!(session_count.as_deref(), Some("1"));
    let password = format!("password number {number}");
    let body = json!({ "email": "ada@example.com", "password": password });
    let login_response = caller.post("/api/auth/login", body).await.ok();
    assert_eq!(login_response["user"], token_response["user"]);
}

async fn fifty_users_register_in_parallel(app: App) {
    let registrations = (0..50).map(|number| {
        let email = format!("{number}@example.com");
        let body = json!({ "email": email, "password": "correct horse" });
        app.anonymous()
            .post("/api/auth/register", body)
            .into_future()
    });
    for response in join_all(registrations).await {
        response.created();
    }
    let user_count = app.database().value("SELECT count(*) FROM users");
    assert_eq!(user_count.as_deref(), Some("50"));
}

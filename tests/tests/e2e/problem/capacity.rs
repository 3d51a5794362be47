//! Provokes the errors of a server whose limits are reached, or whose database fails.

use std::thread::available_parallelism;

use e2e::{App, Engine, Response};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::auth::login::{LOGIN, credentials, slow_bcrypt_cost};

pub(super) async fn one_task_too_many(engine: Engine) -> Response {
    let app = App::on(engine).set("max-tasks-per-user", "1").start();
    let ada = app.user("ada").await;
    ada.new_task("Buy milk").await;
    ada.post("/api/tasks", json!({ "title": "Buy tea" })).await
}

pub(super) async fn a_hundred_wrong_passwords(engine: Engine) -> Response {
    let app = App::on(engine).behind_proxy().start();
    let ada = app.user("ada").await;
    let wrong_credentials = credentials(ada.email(), "not the password");
    for _ in 0..100 {
        let rejection = app.anonymous().post(LOGIN, wrong_credentials.clone()).await;
        rejection.problem(401, "INVALID_EMAIL_OR_PASSWORD");
    }
    app.anonymous().post(LOGIN, wrong_credentials).await
}

pub(super) async fn a_missing_table(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    app.database().execute("DROP TABLE tasks");
    ada.get("/api/tasks").await
}

pub(super) async fn more_logins_than_the_queue_accepts(engine: Engine) -> Response {
    let core_count = available_parallelism().unwrap().get();
    let app = App::on(engine)
        .set("bcrypt-cost", &slow_bcrypt_cost())
        .start();
    // The server hashes one password per core at a time, and at most 56 more logins of this test can wait.
    let accepted_count = core_count + 56;
    let logins = (0..accepted_count + 100).map(|number| {
        let body = credentials(&format!("{number}@example.com"), "not the password");
        app.anonymous().post(LOGIN, body).into_future()
    });
    let caller = app.bearer(app.token_for("ada", "ada@example.com"));
    let (responses, session_response) = tokio::join!(
        join_all(logins),
        caller.get("/api/auth/session").into_future()
    );
    session_response.ok();

    let (hashed_responses, mut rejected_responses): (Vec<_>, Vec<_>) = responses
        .into_iter()
        .partition(|response| response.status() == 401);
    assert!(
        hashed_responses.len() >= accepted_count,
        "only {} logins were hashed",
        hashed_responses.len()
    );
    for response in hashed_responses {
        response.problem(401, "INVALID_EMAIL_OR_PASSWORD");
    }
    let last_rejection = rejected_responses.pop().expect("a rejected login");
    for response in rejected_responses {
        response.problem(503, "OVERLOADED");
    }
    let body = credentials("ada@example.com", "not the password");
    let later_response = app.anonymous().post(LOGIN, body).await;
    later_response.problem(401, "INVALID_EMAIL_OR_PASSWORD");
    last_rejection
}

/// Sends a registration while another database session holds a lock that every registration needs, and again without
/// the lock. Returns the first response.
pub(super) async fn a_database_that_does_not_respond(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let mut locking_session = app.database().open_session();
    locking_session.execute(match engine {
        Engine::Sqlite => "BEGIN IMMEDIATE",
        Engine::Postgres => "BEGIN; LOCK TABLE users",
    });
    let registration_body = json!({ "email": "ada@example.com", "password": "correct horse" });
    let response = app
        .anonymous()
        .post("/api/auth/register", registration_body.clone())
        .await;
    locking_session.execute("ROLLBACK");
    let token_response: Value = app
        .anonymous()
        .post("/api/auth/register", registration_body)
        .await
        .created();
    assert_eq!(token_response["user"]["email"], "ada@example.com");
    response
}

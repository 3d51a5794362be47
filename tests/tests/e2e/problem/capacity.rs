//! Errors of limits that are reached, and of a server that fails.

use std::thread::available_parallelism;

use e2e::{App, Engine, Response};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::auth::login::{LOGIN, credentials};

pub(super) async fn one_task_too_many(engine: Engine) -> Response {
    let app = App::on(engine).set("max-tasks-per-user", "1").start();
    let ada = app.user("ada").await;
    ada.new_task("Buy milk").await;
    ada.post("/api/tasks", json!({ "title": "Buy tea" })).await
}

pub(super) async fn a_hundred_wrong_passwords(engine: Engine) -> Response {
    let app = App::on(engine).behind_proxy().start();
    let ada = app.user("ada").await;
    let wrong = credentials(ada.email(), "not the password");
    for _ in 0..100 {
        let refused = app.anonymous().post(LOGIN, wrong.clone()).await;
        refused.problem(401, "INVALID_EMAIL_OR_PASSWORD");
    }
    app.anonymous().post(LOGIN, wrong).await
}

pub(super) async fn a_missing_table(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    app.database().execute("DROP TABLE tasks");
    ada.get("/api/tasks").await
}

/// The hashing cost grows with the number of cores: the machine hashes about 40 logins a second, and far more arrive at
/// once.
pub(super) async fn more_logins_than_the_queue_holds(engine: Engine) -> Response {
    let cores = available_parallelism().unwrap().get();
    let cost = (8 + cores.ilog2()).min(15).to_string();
    let app = App::on(engine).set("bcrypt-cost", &cost).start();
    let queue = cores + 56;
    let logins = (0..queue + 100).map(|number| {
        let login = credentials(&format!("{number}@example.com"), "not the password");
        app.anonymous().post(LOGIN, login).into_future()
    });
    let session = app.bearer(app.token_for("ada", "ada@example.com"));
    let (responses, session) = tokio::join!(
        join_all(logins),
        session.get("/api/auth/session").into_future()
    );
    session.ok();

    let (completed, mut refused): (Vec<_>, Vec<_>) = responses
        .into_iter()
        .partition(|response| response.status() == 401);
    assert!(
        completed.len() >= queue,
        "only {} logins were hashed",
        completed.len()
    );
    for response in completed {
        response.problem(401, "INVALID_EMAIL_OR_PASSWORD");
    }
    let last = refused.pop().expect("a rejected login");
    for response in refused {
        response.problem(503, "OVERLOADED");
    }
    let afterwards = credentials("ada@example.com", "not the password");
    let afterwards = app.anonymous().post(LOGIN, afterwards).await;
    afterwards.problem(401, "INVALID_EMAIL_OR_PASSWORD");
    last
}

/// Another database session has a lock that every registration needs.
pub(super) async fn a_database_that_does_not_respond(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let mut other = app.database().open_session();
    other.execute(match engine {
        Engine::Sqlite => "BEGIN IMMEDIATE",
        Engine::Postgres => "BEGIN; LOCK TABLE users",
    });
    let ada = json!({ "email": "ada@example.com", "password": "correct horse" });
    let response = app
        .anonymous()
        .post("/api/auth/register", ada.clone())
        .await;
    other.execute("ROLLBACK");
    let afterwards: Value = app
        .anonymous()
        .post("/api/auth/register", ada)
        .await
        .created();
    assert_eq!(afterwards["user"]["email"], "ada@example.com");
    response
}

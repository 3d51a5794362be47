//! Tests a server that is stopped and started again on the same database, and two servers that use one database at the
//! same time.

use e2e::{App, Engine, Options, on_both_engines};
use serde_json::json;

on_both_engines! {
    users_and_tasks_survive_a_restart,
    two_servers_on_one_database_have_the_same_users_and_tasks,
}

async fn users_and_tasks_survive_a_restart(engine: Engine) {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    let tasks = json!([ada.new_task("Buy milk").await]);
    let secret = app.secret().to_owned();
    let database = app.stop();

    let restarted_app = Options::new(database).set("auth-secret", &secret).start();
    // The restarted server accepts a token from before the restart.
    let ada_after_restart = restarted_app.bearer(ada.token());
    assert_eq!(ada_after_restart.get("/api/tasks").await.ok(), tasks);
    let body = json!({ "email": ada.email(), "password": ada.password() });
    let token_response = restarted_app
        .anonymous()
        .post("/api/auth/login", body)
        .await
        .ok();
    assert_eq!(token_response["user"]["id"], ada.id());
}

async fn two_servers_on_one_database_have_the_same_users_and_tasks(engine: Engine) {
    let first_server = App::on(engine).start();
    let ada = first_server.user("ada").await;
    let second_server = Options::new(e2e::Database::new(engine))
        .set("database-url", &first_server.database().url())
        .set("auth-secret", first_server.secret())
        .start();
    let ada_on_second_server = second_server.bearer(ada.token());
    let body = json!({ "title": "Buy milk" });
    let response = ada_on_second_server.post(&ada.tasks(), body).await;
    let task = response.created();
    assert_eq!(ada.get(&ada.task(&task["id"])).await.ok(), task);
    let registration = json!({ "email": ada.email(), "password": "correct horse" });
    let refused = second_server
        .anonymous()
        .post("/api/auth/register", registration)
        .await;
    refused.problem(409, "USER_ALREADY_EXISTS");
}

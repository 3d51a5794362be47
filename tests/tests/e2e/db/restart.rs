//! A restarted server, and two servers at once, on the same database.

use e2e::{App, Engine, Options, on_both_engines};
use serde_json::json;

on_both_engines! {
    stored_data_is_kept_by_a_restart,
    two_servers_share_a_database_and_its_users,
}

async fn stored_data_is_kept_by_a_restart(engine: Engine) {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    let tasks = json!([ada.new_task("Buy milk").await]);
    let secret = app.secret().to_owned();
    let database = app.stop();

    let app = Options::new(database).set("auth-secret", &secret).start();
    // The second server accepts the token of the first.
    let ada_after_restart = app.bearer(ada.token());
    assert_eq!(ada_after_restart.get("/api/tasks").await.ok(), tasks);
    let login = json!({ "email": ada.email(), "password": ada.password() });
    let token_response = app.anonymous().post("/api/auth/login", login).await.ok();
    assert_eq!(token_response["user"]["id"], ada.id());
}

async fn two_servers_share_a_database_and_its_users(engine: Engine) {
    let first = App::on(engine).start();
    let ada = first.user("ada").await;
    let second = Options::new(e2e::Database::new(engine))
        .set("database-url", &first.database().url())
        .set("auth-secret", first.secret())
        .start();
    let ada_on_second = second.bearer(ada.token());
    let task = ada_on_second
        .post(&ada.tasks(), json!({ "title": "Buy milk" }))
        .await;
    let task = task.created();
    assert_eq!(ada.get(&ada.task(&task["id"])).await.ok(), task);
    let registration = json!({ "email": ada.email(), "password": "correct horse" });
    let refused = second
        .anonymous()
        .post("/api/auth/register", registration)
        .await;
    refused.problem(409, "USER_ALREADY_EXISTS");
}

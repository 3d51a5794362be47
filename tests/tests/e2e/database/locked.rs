//! A SQLite file that somebody else has locked: what has to wait too long is told so, and then it works again.

use e2e::{App, Engine, Options, Request, on_sqlite};
use futures_util::future::join_all;
use serde_json::json;

use super::{assert_the_rest_works, in_time, requests};

on_sqlite! {
    what_writes_is_503_while_somebody_else_writes_and_what_reads_works,
    everything_is_503_while_somebody_else_has_the_file_to_himself,
}

async fn what_writes_is_503_while_somebody_else_writes_and_what_reads_works(app: App) {
    let ada = app.user("ada").await;
    let task = ada.new_task("Buy milk").await;
    let address = ada.task(&task["id"]);
    let mut other = app.database().session();
    other.execute("BEGIN IMMEDIATE");

    let all = requests(&ada, &address).into_iter();
    let (reads, writes): (Vec<_>, Vec<_>) = all.partition(Request::is_a_read);
    // All at once: the last in the queue is told in time too.
    for answer in join_all(writes.into_iter().map(in_time)).await {
        answer.refused(503, "DATABASE_UNAVAILABLE");
    }
    for request in reads {
        in_time(request).await.ok();
    }
    assert_the_rest_works(&ada).await;

    other.execute("ROLLBACK");
    // The statement that waited for the lock when its caller was turned away may come first.
    let afterwards = ada.new_task("afterwards").await;
    assert_eq!(ada.all_tasks().await[0], afterwards);
}

async fn everything_is_503_while_somebody_else_has_the_file_to_himself(engine: Engine) {
    let database = {
        let app = App::on(engine).start();
        app.user("ada").await.new_task("Buy milk").await;
        app.stop()
    };
    // The server opens the file when it needs it, so at first nobody is in the way.
    let app = Options::new(database).start();
    let mut other = app.database().session();
    other.execute("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    let id = other.value("SELECT id FROM users").unwrap();
    let ada = app.bearer(app.token_for(&id, "ada@example.com"));
    let ada = ada.with_id(&id).with_login("ada@example.com", "password");

    let task = format!("{}/1", ada.tasks());
    let requests = requests(&ada, &task).into_iter();
    for answer in join_all(requests.map(in_time)).await {
        answer.refused(503, "DATABASE_UNAVAILABLE");
    }

    drop(other);
    assert_eq!(ada.get("/readyz").await.ok(), json!({ "status": "ready" }));
    assert_eq!(ada.get("/api/auth/account").await.ok()["id"], id);
}

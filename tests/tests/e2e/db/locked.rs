//! Tests a SQLite file on which another connection, such as that of another process, has the write lock. A write that
//! waits too long gets a 503, and writes work again after the lock is released. Reads do not wait for the write lock.

use e2e::{App, Request, on_sqlite};
use futures_util::future::join_all;

use super::{assert_database_free_routes_respond, database_requests, send_within_max_time};

on_sqlite! {
    while_another_process_writes_a_write_is_503_and_a_read_succeeds,
}

async fn while_another_process_writes_a_write_is_503_and_a_read_succeeds(app: App) {
    let ada = app.user("ada").await;
    let task = ada.new_task("Buy milk").await;
    let task_path = ada.task(&task["id"]);
    let mut locking_session = app.database().open_session();
    locking_session.execute("BEGIN IMMEDIATE");

    let all_requests = database_requests(&ada, &task_path).into_iter();
    let (reads, writes): (Vec<_>, Vec<_>) = all_requests.partition(Request::is_read_only);
    // The writes are sent in parallel. Even the last write in the queue must get a response within `MAX_RESPONSE_TIME`.
    for response in join_all(writes.into_iter().map(send_within_max_time)).await {
        response.problem(503, "DATABASE_UNAVAILABLE");
    }
    for request in reads {
        send_within_max_time(request).await.ok();
    }
    assert_database_free_routes_respond(&ada).await;

    locking_session.execute("ROLLBACK");
    let newest_task = ada.new_task("afterwards").await;
    assert_eq!(ada.all_tasks().await[0], newest_task);
}

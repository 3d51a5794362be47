//! Sessions revoked at the same moment by several processes: every process sees all, in any order of commits.

use std::time::Duration;

use e2e::{App, Session, on_both_engines, on_postgres};
use futures_util::future::join_all;
use serde_json::json;
use tokio::time::timeout;

use crate::auth::logout::{assert_logged_out, by_access};
use crate::sessions::fixtures::{
    Device, MAX_REVOCATION_DELAY, get_session, login, until_refused, user_with_device,
};

on_postgres! {
    a_later_commit_has_a_later_number,
    a_revocation_that_commits_last_is_not_missed,
    a_transaction_that_is_rolled_back_leaves_no_gap,
}

on_both_engines! {
    sessions_revoked_in_three_processes_at_once_reach_all_three,
}

/// Long enough for a request that is not blocked.
const MAX_PAUSE: Duration = Duration::from_millis(500);

/// Revokes the session as the server does, in the transaction of this connection.
fn end(connection: &mut Session, device: &Device) {
    let id = &device.session;
    connection.execute(&format!(
        "UPDATE sessions SET revoked_at = created_at WHERE id = '{id}'"
    ));
}

fn record(connection: &mut Session, device: &Device) {
    let id = &device.session;
    connection.execute(&format!(
        "UPDATE revocation_sequence SET last = last + 1; \
         INSERT INTO revocations (sequence, session_id, forget_after) \
         SELECT last, '{id}', TIMESTAMP '2026-11-21 00:00:00' FROM revocation_sequence"
    ));
}

async fn devices(app: &App) -> [Device; 3] {
    let (ada, first) = user_with_device(app, "ada").await;
    [first, login(app, &ada).await, login(app, &ada).await]
}

async fn a_later_commit_has_a_later_number(a: App) {
    let b = a.another_process().start();
    let [early, late, _] = devices(&a).await;
    let mut transaction = a.database().session();
    transaction.execute("BEGIN");
    end(&mut transaction, &early);
    record(&mut transaction, &early);
    // The number is assigned but not committed, so no later one can commit, and B sees neither.
    let logout = by_access(&a, &late, json!({})).into_future();
    tokio::pin!(logout);
    assert!(timeout(MAX_PAUSE, &mut logout).await.is_err());
    for device in [&early, &late] {
        get_session(&b, &device.access).await.ok();
    }
    transaction.execute("COMMIT");
    assert_logged_out(logout.await, 1);
    for device in [&early, &late] {
        let delay = until_refused(&b, &device.access, "TOKEN_REVOKED").await;
        assert!(delay < MAX_REVOCATION_DELAY, "{delay:?}");
    }
}

async fn a_revocation_that_commits_last_is_not_missed(a: App) {
    let b = a.another_process().start();
    let [early, late, _] = devices(&a).await;
    let mut transaction = a.database().session();
    transaction.execute("BEGIN");
    end(&mut transaction, &late);
    // Another transaction begins later, commits first, and is seen by all.
    assert_logged_out(by_access(&a, &early, json!({})).await, 1);
    until_refused(&b, &early.access, "TOKEN_REVOKED").await;
    record(&mut transaction, &late);
    get_session(&b, &late.access).await.ok();
    transaction.execute("COMMIT");
    for app in [&a, &b] {
        let delay = until_refused(app, &late.access, "TOKEN_REVOKED").await;
        assert!(delay < MAX_REVOCATION_DELAY, "{delay:?}");
    }
}

async fn a_transaction_that_is_rolled_back_leaves_no_gap(a: App) {
    let b = a.another_process().start();
    let [undone, late, last] = devices(&a).await;
    let mut transaction = a.database().session();
    transaction.execute("BEGIN");
    end(&mut transaction, &undone);
    record(&mut transaction, &undone);
    let logout = by_access(&a, &late, json!({})).into_future();
    tokio::pin!(logout);
    assert!(timeout(MAX_PAUSE, &mut logout).await.is_err());
    transaction.execute("ROLLBACK");
    assert_logged_out(logout.await, 1);
    until_refused(&b, &late.access, "TOKEN_REVOKED").await;
    assert_logged_out(by_access(&a, &last, json!({})).await, 1);
    until_refused(&b, &last.access, "TOKEN_REVOKED").await;
    get_session(&b, &undone.access).await.ok();
}

async fn sessions_revoked_in_three_processes_at_once_reach_all_three(a: App) {
    let apps = [
        &a.another_process().start(),
        &a.another_process().start(),
        &a,
    ];
    let (ada, _) = user_with_device(&a, "ada").await;
    let mut devices = Vec::new();
    for _ in 0..30 {
        devices.push(login(&a, &ada).await);
    }
    let stays = login(&a, &ada).await;
    let pairs = devices.iter().zip(apps.iter().cycle());
    let logouts = pairs.map(|(device, app)| by_access(app, device, json!({})).into_future());
    for response in join_all(logouts).await {
        assert_logged_out(response, 1);
    }
    for app in apps {
        for device in &devices {
            until_refused(app, &device.access, "TOKEN_REVOKED").await;
        }
        get_session(app, &stays.access).await.ok();
    }
}

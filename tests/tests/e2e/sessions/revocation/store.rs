//! Sessions that several processes revoke at once: every process learns of each, in any order of the commits.

use std::time::Duration;

use e2e::{App, Session, on_both_engines, on_postgres};
use futures_util::future::join_all;
use serde_json::json;
use tokio::time::timeout;

use crate::auth::logout::{assert_logged_out, by_access};
use crate::sessions::fixtures::{
    Device, MAX_REVOCATION_DELAY, get_session, login, until_rejected, user_with_device,
};

on_postgres! {
    a_later_commit_has_a_later_number,
    a_revocation_that_commits_last_is_not_missed,
    a_transaction_that_is_rolled_back_leaves_no_gap,
}

on_both_engines! {
    sessions_revoked_in_three_processes_at_once_reach_all_three,
}

/// A request that has no response after this time is blocked.
const BLOCKED_AFTER: Duration = Duration::from_millis(500);

/// Revokes the session as the server does, in the transaction of this connection.
fn revoke(connection: &mut Session, device: &Device) {
    let id = &device.session;
    connection.execute(&format!(
        "UPDATE sessions SET revoked_at = created_at WHERE id = '{id}'"
    ));
}

/// Inserts the revocation with the next number, as the server does.
fn insert_revocation(connection: &mut Session, device: &Device) {
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

async fn a_later_commit_has_a_later_number(node_a: App) {
    let node_b = node_a.another_process().start();
    let [earlier, later, _] = devices(&node_a).await;
    let mut transaction = node_a.database().session();
    transaction.execute("BEGIN");
    revoke(&mut transaction, &earlier);
    insert_revocation(&mut transaction, &earlier);
    // The number is assigned but not committed, so no later number can be committed, and node B sees neither.
    let logout = by_access(&node_a, &later, json!({})).into_future();
    tokio::pin!(logout);
    assert!(timeout(BLOCKED_AFTER, &mut logout).await.is_err());
    for device in [&earlier, &later] {
        get_session(&node_b, &device.access).await.ok();
    }
    transaction.execute("COMMIT");
    assert_logged_out(logout.await, 1);
    for device in [&earlier, &later] {
        let delay = until_rejected(&node_b, &device.access, "TOKEN_REVOKED").await;
        assert!(delay < MAX_REVOCATION_DELAY, "{delay:?}");
    }
}

async fn a_revocation_that_commits_last_is_not_missed(node_a: App) {
    let node_b = node_a.another_process().start();
    let [earlier, later, _] = devices(&node_a).await;
    let mut transaction = node_a.database().session();
    transaction.execute("BEGIN");
    revoke(&mut transaction, &later);
    // Another transaction begins later and commits first, and every process sees it.
    assert_logged_out(by_access(&node_a, &earlier, json!({})).await, 1);
    until_rejected(&node_b, &earlier.access, "TOKEN_REVOKED").await;
    insert_revocation(&mut transaction, &later);
    get_session(&node_b, &later.access).await.ok();
    transaction.execute("COMMIT");
    for app in [&node_a, &node_b] {
        let delay = until_rejected(app, &later.access, "TOKEN_REVOKED").await;
        assert!(delay < MAX_REVOCATION_DELAY, "{delay:?}");
    }
}

async fn a_transaction_that_is_rolled_back_leaves_no_gap(node_a: App) {
    let node_b = node_a.another_process().start();
    let [rolled_back, later, last] = devices(&node_a).await;
    let mut transaction = node_a.database().session();
    transaction.execute("BEGIN");
    revoke(&mut transaction, &rolled_back);
    insert_revocation(&mut transaction, &rolled_back);
    let logout = by_access(&node_a, &later, json!({})).into_future();
    tokio::pin!(logout);
    assert!(timeout(BLOCKED_AFTER, &mut logout).await.is_err());
    transaction.execute("ROLLBACK");
    assert_logged_out(logout.await, 1);
    until_rejected(&node_b, &later.access, "TOKEN_REVOKED").await;
    assert_logged_out(by_access(&node_a, &last, json!({})).await, 1);
    until_rejected(&node_b, &last.access, "TOKEN_REVOKED").await;
    get_session(&node_b, &rolled_back.access).await.ok();
}

async fn sessions_revoked_in_three_processes_at_once_reach_all_three(node_a: App) {
    let apps = [
        &node_a.another_process().start(),
        &node_a.another_process().start(),
        &node_a,
    ];
    let (ada, _) = user_with_device(&node_a, "ada").await;
    let mut devices = Vec::new();
    for _ in 0..30 {
        devices.push(login(&node_a, &ada).await);
    }
    let kept = login(&node_a, &ada).await;
    let pairs = devices.iter().zip(apps.iter().cycle());
    let logouts = pairs.map(|(device, app)| by_access(app, device, json!({})).into_future());
    for response in join_all(logouts).await {
        assert_logged_out(response, 1);
    }
    for app in apps {
        for device in &devices {
            until_rejected(app, &device.access, "TOKEN_REVOKED").await;
        }
        get_session(app, &kept.access).await.ok();
    }
}

//! Several processes revoke sessions in parallel. Every process reads every revocation, in whatever order the
//! transactions commit.

use e2e::{App, DatabaseSession, on_both_engines, on_postgres};
use futures_util::future::join_all;
use serde_json::json;
use tokio::time::timeout;

use crate::auth::logout::{assert_logged_out, by_access};
use crate::sessions::fixtures::{
    BLOCKED_AFTER, Device, MAX_REVOCATION_DELAY, get_session, login, until_rejected,
    user_with_device,
};

on_postgres! {
    a_later_commit_has_a_later_number,
    a_revocation_that_commits_last_is_not_missed,
    a_transaction_that_is_rolled_back_leaves_no_gap,
}

on_both_engines! {
    sessions_revoked_in_parallel_by_three_processes_reach_all_three,
}

/// Begins a transaction that revokes the session as the server does.
fn begin_revoking(app: &App, device: &Device) -> DatabaseSession {
    let id = &device.session;
    let mut transaction = app.database().open_session();
    transaction.execute("BEGIN");
    transaction.execute(&format!(
        "UPDATE sessions SET revoked_at = created_at WHERE id = '{id}'"
    ));
    transaction
}

/// Inserts the revocation with the next number, as the server does.
fn insert_revocation(transaction: &mut DatabaseSession, device: &Device) {
    let id = &device.session;
    transaction.execute(&format!(
        "UPDATE revocation_sequence SET last = last + 1; \
         INSERT INTO revocations (sequence, session_id, forget_after) \
         SELECT last, '{id}', TIMESTAMP '2026-11-21 00:00:00' FROM revocation_sequence"
    ));
}

async fn devices(app: &App) -> [Device; 3] {
    let (ada, first) = user_with_device(app, "ada").await;
    [first, login(app, &ada).await, login(app, &ada).await]
}

async fn a_later_commit_has_a_later_number(process_a: App) {
    let process_b = process_a.another_process().start();
    let [earlier, later, _] = devices(&process_a).await;
    let mut transaction = begin_revoking(&process_a, &earlier);
    insert_revocation(&mut transaction, &earlier);
    // The number is assigned but not committed, so no later number can be committed, and process B sees neither.
    let logout = by_access(&process_a, &later, json!({})).into_future();
    tokio::pin!(logout);
    assert!(timeout(BLOCKED_AFTER, &mut logout).await.is_err());
    for device in [&earlier, &later] {
        get_session(&process_b, &device.access).await.ok();
    }
    transaction.execute("COMMIT");
    assert_logged_out(logout.await, 1);
    for device in [&earlier, &later] {
        let delay = until_rejected(&process_b, &device.access, "TOKEN_REVOKED").await;
        assert!(delay < MAX_REVOCATION_DELAY, "{delay:?}");
    }
}

async fn a_revocation_that_commits_last_is_not_missed(process_a: App) {
    let process_b = process_a.another_process().start();
    let [earlier, later, _] = devices(&process_a).await;
    let mut transaction = begin_revoking(&process_a, &later);
    // Another transaction begins later and commits first, and every process sees it.
    assert_logged_out(by_access(&process_a, &earlier, json!({})).await, 1);
    until_rejected(&process_b, &earlier.access, "TOKEN_REVOKED").await;
    insert_revocation(&mut transaction, &later);
    get_session(&process_b, &later.access).await.ok();
    transaction.execute("COMMIT");
    for app in [&process_a, &process_b] {
        let delay = until_rejected(app, &later.access, "TOKEN_REVOKED").await;
        assert!(delay < MAX_REVOCATION_DELAY, "{delay:?}");
    }
}

async fn a_transaction_that_is_rolled_back_leaves_no_gap(process_a: App) {
    let process_b = process_a.another_process().start();
    let [rolled_back, later, last] = devices(&process_a).await;
    let mut transaction = begin_revoking(&process_a, &rolled_back);
    insert_revocation(&mut transaction, &rolled_back);
    let logout = by_access(&process_a, &later, json!({})).into_future();
    tokio::pin!(logout);
    assert!(timeout(BLOCKED_AFTER, &mut logout).await.is_err());
    transaction.execute("ROLLBACK");
    assert_logged_out(logout.await, 1);
    until_rejected(&process_b, &later.access, "TOKEN_REVOKED").await;
    assert_logged_out(by_access(&process_a, &last, json!({})).await, 1);
    until_rejected(&process_b, &last.access, "TOKEN_REVOKED").await;
    get_session(&process_b, &rolled_back.access).await.ok();
}

async fn sessions_revoked_in_parallel_by_three_processes_reach_all_three(process_a: App) {
    let apps = [
        &process_a.another_process().start(),
        &process_a.another_process().start(),
        &process_a,
    ];
    let (ada, _) = user_with_device(&process_a, "ada").await;
    let mut devices = Vec::new();
    for _ in 0..30 {
        devices.push(login(&process_a, &ada).await);
    }
    let kept = login(&process_a, &ada).await;
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

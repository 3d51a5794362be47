//! Tests that every process reads every revocation when several processes revoke sessions in parallel. The order in
//! which their transactions commit must not matter.

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
    a_revocation_waits_until_the_previous_sequence_number_is_committed,
    a_revocation_that_commits_last_is_not_missed,
    revocations_after_a_rolled_back_transaction_are_not_missed,
}

on_both_engines! {
    parallel_revocations_by_three_processes_reach_each_process,
}

/// Begins a transaction that revokes the session of the device as the server does.
fn begin_revoking(app: &App, device: &Device) -> DatabaseSession {
    let id = &device.session;
    let mut transaction = app.database().open_session();
    transaction.execute("BEGIN");
    transaction.execute(&format!(
        "UPDATE sessions SET revoked_at = created_at WHERE id = '{id}'"
    ));
    transaction
}

/// Inserts the revocation with the next sequence number, as the server does.
fn insert_revocation(transaction: &mut DatabaseSession, device: &Device) {
    let id = &device.session;
    transaction.execute(&format!(
        "UPDATE revocation_sequence SET last = last + 1; \
         INSERT INTO revocations (sequence, session_id, forget_after) \
         SELECT last, '{id}', TIMESTAMP '2026-11-21 00:00:00' FROM revocation_sequence"
    ));
}

/// Registers a user and returns three devices of this user.
async fn three_devices(app: &App) -> [Device; 3] {
    let (ada, first_device) = user_with_device(app, "ada").await;
    [first_device, login(app, &ada).await, login(app, &ada).await]
}

async fn a_revocation_waits_until_the_previous_sequence_number_is_committed(process_a: App) {
    let process_b = process_a.another_process().start();
    let [earlier_device, later_device, _] = three_devices(&process_a).await;
    let mut transaction = begin_revoking(&process_a, &earlier_device);
    insert_revocation(&mut transaction, &earlier_device);
    // The sequence number is assigned but not committed, so no later number can be committed. Process B sees neither
    // revocation.
    let logout = by_access(&process_a, &later_device, json!({})).into_future();
    tokio::pin!(logout);
    assert!(timeout(BLOCKED_AFTER, &mut logout).await.is_err());
    for device in [&earlier_device, &later_device] {
        get_session(&process_b, &device.access).await.ok();
    }
    transaction.execute("COMMIT");
    assert_logged_out(logout.await, 1);
    for device in [&earlier_device, &later_device] {
        let delay = until_rejected(&process_b, &device.access, "TOKEN_REVOKED").await;
        assert!(delay < MAX_REVOCATION_DELAY, "{delay:?}");
    }
}

async fn a_revocation_that_commits_last_is_not_missed(process_a: App) {
    let process_b = process_a.another_process().start();
    let [earlier_device, later_device, _] = three_devices(&process_a).await;
    let mut transaction = begin_revoking(&process_a, &later_device);
    // Another transaction begins later but commits first, and process B sees its revocation.
    assert_logged_out(by_access(&process_a, &earlier_device, json!({})).await, 1);
    until_rejected(&process_b, &earlier_device.access, "TOKEN_REVOKED").await;
    insert_revocation(&mut transaction, &later_device);
    get_session(&process_b, &later_device.access).await.ok();
    transaction.execute("COMMIT");
    for app in [&process_a, &process_b] {
        let delay = until_rejected(app, &later_device.access, "TOKEN_REVOKED").await;
        assert!(delay < MAX_REVOCATION_DELAY, "{delay:?}");
    }
}

async fn revocations_after_a_rolled_back_transaction_are_not_missed(process_a: App) {
    let process_b = process_a.another_process().start();
    let [live_device, later_device, last_device] = three_devices(&process_a).await;
    let mut transaction = begin_revoking(&process_a, &live_device);
    insert_revocation(&mut transaction, &live_device);
    let logout = by_access(&process_a, &later_device, json!({})).into_future();
    tokio::pin!(logout);
    assert!(timeout(BLOCKED_AFTER, &mut logout).await.is_err());
    transaction.execute("ROLLBACK");
    assert_logged_out(logout.await, 1);
    until_rejected(&process_b, &later_device.access, "TOKEN_REVOKED").await;
    assert_logged_out(by_access(&process_a, &last_device, json!({})).await, 1);
    until_rejected(&process_b, &last_device.access, "TOKEN_REVOKED").await;
    get_session(&process_b, &live_device.access).await.ok();
}

async fn parallel_revocations_by_three_processes_reach_each_process(process_a: App) {
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
    let live_device = login(&process_a, &ada).await;
    let devices_with_processes = devices.iter().zip(apps.iter().cycle());
    let logouts =
        devices_with_processes.map(|(device, app)| by_access(app, device, json!({})).into_future());
    for response in join_all(logouts).await {
        assert_logged_out(response, 1);
    }
    for app in apps {
        for device in &devices {
            until_rejected(app, &device.access, "TOKEN_REVOKED").await;
        }
        get_session(app, &live_device.access).await.ok();
    }
}

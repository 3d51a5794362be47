//! Tests that every process reads every revocation when several processes revoke sessions in parallel. This must hold
//! for every order of their commits, and if a process of an earlier release numbers its revocations itself.

use e2e::{App, DatabaseSession, on_both_engines, on_postgres};
use futures_util::future::join_all;
use serde_json::json;

use super::follower::Service;
use crate::auth::logout::{assert_logged_out, by_access};
use crate::sessions::fixtures::{
    Device, MAX_REVOCATION_DELAY, get_session, login, until_rejected, user_with_device,
};

on_postgres! {
    a_logout_waits_for_no_process_of_an_earlier_release_and_reaches_every_process,
    a_revocation_that_commits_last_is_not_missed,
    revocations_after_a_rolled_back_transaction_are_not_missed,
}

on_both_engines! {
    parallel_revocations_by_three_processes_reach_each_process,
}

/// Begins a transaction that revokes the session of the device as servers of all releases do.
fn begin_revoking(app: &App, device: &Device) -> DatabaseSession {
    let id = &device.session;
    let mut transaction = app.database().open_session();
    transaction.execute("BEGIN");
    transaction.execute(&format!(
        "UPDATE sessions SET revoked_at = created_at WHERE id = '{id}'"
    ));
    transaction
}

/// Inserts the revocation with the next sequence number, as servers of earlier releases do. Such a transaction keeps
/// others from numbering revocations until it ends.
pub(super) fn insert_revocation(transaction: &mut DatabaseSession, id: &str) {
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

async fn a_logout_waits_for_no_process_of_an_earlier_release_and_reaches_every_process(
    process_a: App,
) {
    let process_b = process_a.another_process().start();
    let [earlier_device, later_device, last_device] = three_devices(&process_a).await;
    let mut service = Service::of(&process_b).await;
    let mut transaction = begin_revoking(&process_a, &earlier_device);
    insert_revocation(&mut transaction, &earlier_device.session);
    // The sequence number is assigned but not committed, so no later number can be assigned.
    for device in [&later_device, &last_device] {
        assert_logged_out(by_access(&process_a, device, json!({})).await, 1);
        let delay = until_rejected(&process_b, &device.access, "TOKEN_REVOKED").await;
        assert!(delay < MAX_REVOCATION_DELAY, "{delay:?}");
    }
    service.poll().await;
    let later_ids = [&later_device.session, &last_device.session];
    assert_eq!(service.session_ids.iter().collect::<Vec<_>>(), later_ids);
    for app in [&process_a, &process_b] {
        get_session(app, &earlier_device.access).await.ok();
    }
    transaction.execute("COMMIT");
    for app in [&process_a, &process_b] {
        let delay = until_rejected(app, &earlier_device.access, "TOKEN_REVOKED").await;
        assert!(delay < MAX_REVOCATION_DELAY, "{delay:?}");
    }
    // Now the service gets all three revocations, in the order of their numbers.
    service.session_ids.clear();
    service.poll().await;
    let numbered_ids = [&earlier_device.session, later_ids[0], later_ids[1]];
    assert_eq!(service.session_ids.iter().collect::<Vec<_>>(), numbered_ids);
}

async fn a_revocation_that_commits_last_is_not_missed(process_a: App) {
    let process_b = process_a.another_process().start();
    let [earlier_device, later_device, _] = three_devices(&process_a).await;
    let mut transaction = begin_revoking(&process_a, &later_device);
    // Another transaction begins later but commits first, and process B sees its revocation.
    assert_logged_out(by_access(&process_a, &earlier_device, json!({})).await, 1);
    until_rejected(&process_b, &earlier_device.access, "TOKEN_REVOKED").await;
    insert_revocation(&mut transaction, &later_device.session);
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
    let mut service = Service::of(&process_b).await;
    let mut transaction = begin_revoking(&process_a, &live_device);
    insert_revocation(&mut transaction, &live_device.session);
    assert_logged_out(by_access(&process_a, &later_device, json!({})).await, 1);
    transaction.execute("ROLLBACK");
    until_rejected(&process_b, &later_device.access, "TOKEN_REVOKED").await;
    assert_logged_out(by_access(&process_a, &last_device, json!({})).await, 1);
    until_rejected(&process_b, &last_device.access, "TOKEN_REVOKED").await;
    get_session(&process_b, &live_device.access).await.ok();
    service.poll().await;
    let ended_ids = [&later_device.session, &last_device.session];
    assert_eq!(service.session_ids.iter().collect::<Vec<_>>(), ended_ids);
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

//! Tests that a revoked session is rejected by the other processes on the same database.

mod follower;
mod page;
mod store;

use e2e::{App, on_both_engines};
use serde_json::json;

use super::fixtures::{
    ACCOUNT, CHANGE_PASSWORD, Device, MAX_REVOCATION_DELAY, SESSION, SESSIONS, get_session, login,
    refresh, refreshed, until_rejected, user_with_device, wait_until,
};
use crate::auth::logout::{assert_logged_out, by_access, by_cookies};

on_both_engines! {
    a_logout_reaches_every_process_within_two_seconds,
    every_way_to_revoke_a_session_reaches_the_other_processes,
    a_new_process_knows_every_revoked_session_at_its_first_response,
    checking_for_revoked_sessions_reads_no_table_of_sessions,
    after_a_restored_backup_later_revocations_are_not_missed,
    after_a_restored_backup_tokens_with_a_lower_version_are_not_stale,
    a_logout_of_a_thousand_sessions_reaches_the_other_processes,
}

async fn a_logout_reaches_every_process_within_two_seconds(process_a: App) {
    let (process_b, process_c) = (
        process_a.another_process().start(),
        process_a.another_process().start(),
    );
    let (ada, _) = user_with_device(&process_a, "ada").await;
    let live_device = login(&process_c, &ada).await;
    for _ in 0..5 {
        let device = login(&process_b, &ada).await;
        for app in [&process_a, &process_b, &process_c] {
            get_session(app, &device.access).await.ok();
        }
        assert_logged_out(by_access(&process_a, &device, json!({})).await, 1);
        let response = get_session(&process_a, &device.access).await;
        response.problem(401, "TOKEN_REVOKED");
        let delays = tokio::join!(
            until_rejected(&process_b, &device.access, "TOKEN_REVOKED"),
            until_rejected(&process_c, &device.access, "TOKEN_REVOKED"),
        );
        assert!(delays.0.max(delays.1) < MAX_REVOCATION_DELAY, "{delays:?}");
        // Every process reads the session from the database at a refresh, so the refresh fails at once.
        for app in [&process_b, &process_c] {
            let refused = refresh(app, &device.refresh).await;
            refused.problem(401, "SESSION_EXPIRED");
        }
    }
    for app in [&process_a, &process_b, &process_c] {
        get_session(app, &live_device.access).await.ok();
    }
}

async fn every_way_to_revoke_a_session_reaches_the_other_processes(process_a: App) {
    let process_b = process_a.another_process().start();
    let (ada, _) = user_with_device(&process_a, "ada").await;
    let mut revoked_devices = Vec::new();

    revoked_devices.push(login(&process_a, &ada).await);
    assert_logged_out(
        by_cookies(&process_a, &revoked_devices[0], json!({})).await,
        1,
    );

    let stolen_device = login(&process_a, &ada).await;
    let refreshed_device = refreshed(&process_a, &stolen_device).await;
    refreshed(&process_a, &refreshed_device).await;
    let refused = refresh(&process_a, &stolen_device.refresh).await;
    refused.problem(401, "REFRESH_TOKEN_REUSED");
    revoked_devices.push(stolen_device);

    let (deleted_device, idle_device, current_device) = (
        login(&process_a, &ada).await,
        login(&process_a, &ada).await,
        login(&process_a, &ada).await,
    );
    let caller = process_a.bearer(current_device.access.as_str());
    let path = format!("{SESSIONS}/{}", deleted_device.session);
    caller.delete(&path).await.ok();
    let body =
        json!({ "current_password": ada.password(), "new_password": "another good password" });
    let new_device = Device::from_response(&caller.post(CHANGE_PASSWORD, body).await.ok());
    revoked_devices.extend([deleted_device, idle_device, current_device]);
    for device in &revoked_devices {
        until_rejected(&process_b, &device.access, "TOKEN_REVOKED").await;
    }
    get_session(&process_b, &new_device.access).await.ok();

    let request = process_a.bearer(new_device.access.as_str()).delete(ACCOUNT);
    request
        .body(json!({ "password": "another good password" }))
        .await
        .ok();
    until_rejected(&process_b, &new_device.access, "TOKEN_REVOKED").await;
}

async fn a_new_process_knows_every_revoked_session_at_its_first_response(process_a: App) {
    let (ada, _) = user_with_device(&process_a, "ada").await;
    // Inserts 5000 revocations, so that a new process needs time to read all of them.
    let insert_sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) \
        INSERT INTO revocations (sequence, session_id, forget_after) \
        SELECT i + 1, 'other ' || i, forget_after FROM n, revocations; \
        UPDATE revocation_sequence SET last = 5001;";
    process_a.database().execute(insert_sql);
    for _ in 0..5 {
        let device = login(&process_a, &ada).await;
        assert_logged_out(by_access(&process_a, &device, json!({})).await, 1);
        let new_process = process_a.another_process().start();
        let first_response = get_session(&new_process, &device.access).await;
        first_response.problem(401, "TOKEN_REVOKED");
    }
}

async fn checking_for_revoked_sessions_reads_no_table_of_sessions(app: App) {
    let (ada, revoked_device) = user_with_device(&app, "ada").await;
    let live_device = login(&app, &ada).await;
    assert_logged_out(by_access(&app, &revoked_device, json!({})).await, 1);
    let drop_sql = "DROP TABLE revocations; DROP TABLE revocation_sequence; DROP TABLE sessions";
    app.database().execute(drop_sql);
    for _ in 0..3 {
        get_session(&app, &live_device.access).await.ok();
        let refused = app
            .bearer(revoked_device.access.as_str())
            .get(SESSION)
            .await;
        refused.problem(401, "TOKEN_REVOKED");
    }
}

async fn after_a_restored_backup_later_revocations_are_not_missed(process_a: App) {
    let process_b = process_a.another_process().start();
    let (ada, _) = user_with_device(&process_a, "ada").await;
    let mut revoked_devices = Vec::new();
    for _ in 0..5 {
        let device = login(&process_a, &ada).await;
        assert_logged_out(by_access(&process_a, &device, json!({})).await, 1);
        revoked_devices.push(device);
    }
    for device in &revoked_devices {
        until_rejected(&process_b, &device.access, "TOKEN_REVOKED").await;
    }
    let restore_sql = "DELETE FROM revocations WHERE sequence > 2; \
        UPDATE revocation_sequence SET last = 2";
    process_a.database().execute(restore_sql);
    for _ in 0..2 {
        let device = login(&process_a, &ada).await;
        assert_logged_out(by_access(&process_a, &device, json!({})).await, 1);
        until_rejected(&process_b, &device.access, "TOKEN_REVOKED").await;
    }
    // Process B still rejects the tokens whose revocations the restored database has lost.
    for device in &revoked_devices {
        let refused = get_session(&process_b, &device.access).await;
        refused.problem(401, "TOKEN_REVOKED");
    }
}

/// A restored backup has lower versions of the users' claims. Entries of the lost versions must not reject new tokens.
async fn after_a_restored_backup_tokens_with_a_lower_version_are_not_stale(process_a: App) {
    let process_b = process_a.another_process().start();
    let processes = [&process_a, &process_b];
    let (ada, revoked_device) = user_with_device(&process_a, "ada").await;
    assert_logged_out(by_access(&process_a, &revoked_device, json!({})).await, 1);
    let newest = "SELECT last FROM revocation_sequence";
    let newest_in_backup = process_a.database().value(newest).unwrap();
    let change_role = async |change: &str| {
        let command = ["users", "roles", ada.email(), change, "admin"];
        assert!(process_a.another_process().run_command(&command).await);
    };
    for change in ["--add", "--remove", "--add"] {
        let device = login(&process_a, &ada).await;
        change_role(change).await;
        for process in processes {
            until_rejected(process, &device.access, "TOKEN_STALE").await;
        }
    }
    process_a.database().execute(&format!(
        "DELETE FROM revocations WHERE sequence > {newest_in_backup}; \
         UPDATE revocation_sequence SET last = {newest_in_backup}; \
         UPDATE users SET roles = NULL, claims_version = 0;"
    ));
    let device = login(&process_a, &ada).await;
    for process in processes {
        wait_until("the lost versions are forgotten", async || {
            get_session(process, &device.access).await.status() == 200
        })
        .await;
    }
    // Revoked sessions stay revoked, and the next change makes tokens stale again.
    change_role("--add").await;
    for process in processes {
        let delay = until_rejected(process, &device.access, "TOKEN_STALE").await;
        assert!(delay < MAX_REVOCATION_DELAY, "{delay:?}");
        let response = get_session(process, &revoked_device.access).await;
        response.problem(401, "TOKEN_REVOKED");
    }
    let new_device = refreshed(&process_b, &device).await;
    for process in processes {
        get_session(process, &new_device.access).await.ok();
    }
}

async fn a_logout_of_a_thousand_sessions_reaches_the_other_processes(process_a: App) {
    let process_b = process_a.another_process().start();
    let (ada, first_device) = user_with_device(&process_a, "ada").await;
    let last_device = login(&process_a, &ada).await;
    // Inserts the copies after the last login, because a login revokes the sessions over the limit.
    super::fixtures::clone_sessions(&process_a, &first_device.session, 1200);
    let body = json!({ "scope": "all" });
    assert_logged_out(by_access(&process_a, &last_device, body).await, 1202);
    for device in [&first_device, &last_device] {
        until_rejected(&process_b, &device.access, "TOKEN_REVOKED").await;
    }
    let device = login(&process_b, &ada).await;
    refreshed(&process_a, &device).await;
}

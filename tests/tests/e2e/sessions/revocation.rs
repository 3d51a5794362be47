//! A revoked session, as the other processes on the same database see it.

mod store;

use e2e::{App, on_both_engines};
use serde_json::json;

use super::fixtures::{
    ACCOUNT, CHANGE_PASSWORD, Device, MAX_REVOCATION_DELAY, SESSION, SESSIONS, get_session, login,
    refresh, refreshed, until_refused, user_with_device,
};
use crate::auth::logout::{assert_logged_out, by_access, by_cookies};

on_both_engines! {
    a_logout_reaches_every_process_within_two_seconds,
    every_way_to_revoke_a_session_reaches_the_other_processes,
    a_new_process_knows_every_revoked_session_before_its_first_response,
    checking_for_revoked_sessions_reads_no_database,
    after_a_backup_was_restored_what_follows_is_not_missed,
    a_thousand_sessions_revoked_together_all_reach_other_processes,
}

async fn a_logout_reaches_every_process_within_two_seconds(a: App) {
    let (b, c) = (a.another_process().start(), a.another_process().start());
    let (ada, _) = user_with_device(&a, "ada").await;
    let stays = login(&c, &ada).await;
    for _ in 0..5 {
        let device = login(&b, &ada).await;
        for app in [&a, &b, &c] {
            get_session(app, &device.access).await.ok();
        }
        assert_logged_out(by_access(&a, &device, json!({})).await, 1);
        let own = get_session(&a, &device.access).await;
        own.problem(401, "TOKEN_REVOKED");
        let waits = tokio::join!(
            until_refused(&b, &device.access, "TOKEN_REVOKED"),
            until_refused(&c, &device.access, "TOKEN_REVOKED"),
        );
        assert!(waits.0.max(waits.1) < MAX_REVOCATION_DELAY, "{waits:?}");
        // The processes share the session's row, so a refresh fails at once.
        for app in [&b, &c] {
            let refused = refresh(app, &device.refresh).await;
            refused.problem(401, "SESSION_EXPIRED");
        }
    }
    for app in [&a, &b, &c] {
        get_session(app, &stays.access).await.ok();
    }
}

async fn every_way_to_revoke_a_session_reaches_the_other_processes(a: App) {
    let b = a.another_process().start();
    let (ada, _) = user_with_device(&a, "ada").await;
    let mut ended = Vec::new();

    ended.push(login(&a, &ada).await);
    assert_logged_out(by_cookies(&a, &ended[0], json!({})).await, 1);

    let stolen = login(&a, &ada).await;
    let next = refreshed(&a, &stolen).await;
    refreshed(&a, &next).await;
    let refused = refresh(&a, &stolen.refresh).await;
    refused.problem(401, "REFRESH_TOKEN_REUSED");
    ended.push(stolen);

    let (deleted, other, current) = (
        login(&a, &ada).await,
        login(&a, &ada).await,
        login(&a, &ada).await,
    );
    let caller = a.bearer(current.access.as_str());
    let address = format!("{SESSIONS}/{}", deleted.session);
    caller.delete(&address).await.ok();
    let passwords =
        json!({ "current_password": ada.password(), "new_password": "another good password" });
    let previous = current;
    let current = Device::from_response(&caller.post(CHANGE_PASSWORD, passwords).await.ok());
    ended.extend([deleted, other, previous]);
    for device in &ended {
        until_refused(&b, &device.access, "TOKEN_REVOKED").await;
    }
    get_session(&b, &current.access).await.ok();

    let account = a.bearer(current.access.as_str()).delete(ACCOUNT);
    account
        .body(json!({ "password": "another good password" }))
        .await
        .ok();
    until_refused(&b, &current.access, "TOKEN_REVOKED").await;
}

async fn a_new_process_knows_every_revoked_session_before_its_first_response(a: App) {
    let (ada, _) = user_with_device(&a, "ada").await;
    // Some pages of other revocations, so that reading them takes time.
    let others = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) \
        INSERT INTO revocations (sequence, session_id, forget_after) \
        SELECT i + 1, 'other ' || i, forget_after FROM n, revocations; \
        UPDATE revocation_sequence SET last = 5001;";
    a.database().execute(others);
    for _ in 0..5 {
        let device = login(&a, &ada).await;
        assert_logged_out(by_access(&a, &device, json!({})).await, 1);
        let new = a.another_process().start();
        let first = get_session(&new, &device.access).await;
        first.problem(401, "TOKEN_REVOKED");
    }
}

async fn checking_for_revoked_sessions_reads_no_database(app: App) {
    let (ada, ended) = user_with_device(&app, "ada").await;
    let lives = login(&app, &ada).await;
    assert_logged_out(by_access(&app, &ended, json!({})).await, 1);
    let gone = "DROP TABLE revocations; DROP TABLE revocation_sequence; DROP TABLE sessions";
    app.database().execute(gone);
    for _ in 0..3 {
        get_session(&app, &lives.access).await.ok();
        let refused = app.bearer(ended.access.as_str()).get(SESSION).await;
        refused.problem(401, "TOKEN_REVOKED");
    }
}

async fn after_a_backup_was_restored_what_follows_is_not_missed(a: App) {
    let b = a.another_process().start();
    let (ada, _) = user_with_device(&a, "ada").await;
    let mut before = Vec::new();
    for _ in 0..5 {
        let device = login(&a, &ada).await;
        assert_logged_out(by_access(&a, &device, json!({})).await, 1);
        before.push(device);
    }
    for device in &before {
        until_refused(&b, &device.access, "TOKEN_REVOKED").await;
    }
    let restore = "DELETE FROM revocations WHERE sequence > 2; \
        UPDATE revocation_sequence SET last = 2";
    a.database().execute(restore);
    for _ in 0..2 {
        let device = login(&a, &ada).await;
        assert_logged_out(by_access(&a, &device, json!({})).await, 1);
        until_refused(&b, &device.access, "TOKEN_REVOKED").await;
    }
    // Known revocations are kept.
    for device in &before {
        let refused = get_session(&b, &device.access).await;
        refused.problem(401, "TOKEN_REVOKED");
    }
}

async fn a_thousand_sessions_revoked_together_all_reach_other_processes(a: App) {
    let b = a.another_process().start();
    let (ada, first) = user_with_device(&a, "ada").await;
    let last = login(&a, &ada).await;
    // Revokes the session afterwards, as a login over the limit does.
    super::fixtures::clone_sessions(&a, &first.session, 1200);
    let everything = json!({ "scope": "all" });
    assert_logged_out(by_access(&a, &last, everything).await, 1202);
    for device in [&first, &last] {
        until_refused(&b, &device.access, "TOKEN_REVOKED").await;
    }
    let device = login(&b, &ada).await;
    refreshed(&a, &device).await;
}

//! Tests which expired sessions and revocations the server deletes, and when.

use std::time::Duration;

use e2e::{App, on_both_engines, on_postgres};
use futures_util::future::join_all;
use serde_json::json;

use super::fixtures::{
    ACCESS_TTL, SESSION_TTL, clone_sessions, cloned_id, count, counter, encode_refresh_token,
    get_session, insert_expired_revocation, login, record_rows_per_statement, refresh, refreshed,
    user_with_device, wait_until,
};
use crate::auth::logout::{assert_logged_out, by_access};

on_both_engines! {
    expired_sessions_are_deleted_a_day_later_and_live_sessions_stay,
    expired_revocations_are_deleted_and_needed_revocations_stay,
    refreshing_a_thousand_sessions_three_times_adds_no_rows,
}

on_postgres! {
    no_statement_deletes_more_than_five_hundred_rows,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn expired_sessions_are_deleted_a_day_later_and_live_sessions_stay(app: App) {
    let (ada, expired_device) = user_with_device(&app, "ada").await;
    clone_sessions(&app, &expired_device.session, 1234);
    app.clock.advance(DAY);
    let (live_device, revoked_device) = (login(&app, &ada).await, login(&app, &ada).await);
    assert_logged_out(by_access(&app, &revoked_device, json!({})).await, 1);

    app.clock.advance(SESSION_TTL);
    let refused = refresh(&app, &expired_device.refresh).await;
    refused.problem(401, "SESSION_EXPIRED");
    // Each process purges at its start. The oldest sessions expired exactly a day ago, and are deleted only later than
    // that, so this purge deletes no session. The deletion of the expired revocation shows that the purge is complete.
    insert_expired_revocation(&app);
    let first_process = app.another_process().start();
    let table_and_condition = "revocations WHERE session_id = 'expired'";
    wait_until("the purge is complete", async || {
        count(&first_process, table_and_condition) == 0
    })
    .await;
    let session_count = count(&app, "sessions");
    // The sessions of the registration, of the device, of the 1234 copies, and of two logins.
    assert_eq!(session_count, 2 + 1234 + 2);

    app.clock.advance(Duration::from_micros(1));
    let second_process = app.another_process().start();
    wait_until("the purge is complete", async || {
        count(&second_process, "sessions") == 2
    })
    .await;
    for device in [&live_device, &revoked_device] {
        assert!(super::fixtures::column(&app, &device.session, "id").is_some());
    }
    // The client gets the same response for a deleted and an expired session.
    let refused = refresh(&second_process, &expired_device.refresh).await;
    refused.problem(401, "SESSION_EXPIRED");
}

async fn expired_revocations_are_deleted_and_needed_revocations_stay(app: App) {
    let (ada, _) = user_with_device(&app, "ada").await;
    let mut devices = Vec::new();
    for _ in 0..3 {
        let device = login(&app, &ada).await;
        assert_logged_out(by_access(&app, &device, json!({})).await, 1);
        devices.push(device);
    }
    app.clock.advance(ACCESS_TTL);
    let recent_device = login(&app, &ada).await;
    assert_logged_out(by_access(&app, &recent_device, json!({})).await, 1);
    let revocation_count = count(&app, "revocations");
    app.clock.advance(Duration::from_secs(11 * 60));
    let new_process = app.another_process().start();
    wait_until("the purge is complete", async || {
        count(&new_process, "revocations") < revocation_count
    })
    .await;
    wait_until("one revocation is left", async || {
        count(&new_process, "revocations") == 1
    })
    .await;
    get_session(&new_process, &recent_device.access)
        .await
        .problem(401, "TOKEN_REVOKED");
    for device in &devices {
        get_session(&new_process, &device.access)
            .await
            .problem(401, "TOKEN_EXPIRED");
    }
    // Sequence numbers continue after the purge, so that every process also reads later revocations.
    let later_device = login(&new_process, &ada).await;
    assert_logged_out(by_access(&new_process, &later_device, json!({})).await, 1);
    super::fixtures::until_rejected(&app, &later_device.access, "TOKEN_REVOKED").await;
}

async fn refreshing_a_thousand_sessions_three_times_adds_no_rows(app: App) {
    let (_, first_device) = user_with_device(&app, "ada").await;
    clone_sessions(&app, &first_device.session, 1000);
    let counts_before = (count(&app, "sessions"), count(&app, "revocations"));
    for used_counter in 0..3 {
        let session_ids: Vec<_> = (1..=1000).map(cloned_id).collect();
        for batch in session_ids.chunks(40) {
            let refreshes = batch.iter().map(|session_id| async {
                let response = refresh(
                    &app,
                    &encode_refresh_token(app.secret(), session_id, used_counter),
                )
                .await;
                response.ok()["refresh_token"].as_str().unwrap().to_owned()
            });
            let new_tokens = join_all(refreshes).await;
            let expected_tokens = batch
                .iter()
                .map(|session_id| encode_refresh_token(app.secret(), session_id, used_counter + 1));
            assert!(new_tokens.into_iter().eq(expected_tokens));
        }
    }
    assert_eq!(
        (count(&app, "sessions"), count(&app, "revocations")),
        counts_before
    );
    assert_eq!(counter(&app, &cloned_id(1000)), 3);
    refreshed(&app, &first_device).await;
}

/// A statement locks the rows that it deletes, so each batch must be small.
async fn no_statement_deletes_more_than_five_hundred_rows(app: App) {
    let (_, first_device) = user_with_device(&app, "ada").await;
    clone_sessions(&app, &first_device.session, 1800);
    let max_rows_query = record_rows_per_statement(&app, "DELETE");
    app.clock.advance(SESSION_TTL + 2 * DAY);
    let new_process = app.another_process().start();
    wait_until("all sessions are deleted", async || {
        count(&new_process, "sessions") == 0
    })
    .await;
    let max_rows = app.database().value(max_rows_query);
    assert_eq!(max_rows.as_deref(), Some("500"));
}

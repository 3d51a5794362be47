//! Housekeeping: which sessions and revocations the server deletes by itself, and when.

use std::time::Duration;

use e2e::{App, on_both_engines, on_postgres};
use futures_util::future::join_all;
use serde_json::json;

use super::fixtures::{
    ACCESS_TTL, SESSION_TTL, clone_sessions, cloned_id, count, counter, encode_refresh_token,
    eventually, get_session, insert_expired_revocation, login, refresh, refreshed,
    rows_per_statement, user_with_device,
};
use crate::auth::logout::{assert_logged_out, by_access};

on_both_engines! {
    expired_sessions_are_deleted_a_day_later_and_live_ones_stay,
    expired_revocations_are_deleted_and_needed_ones_stay,
    refreshing_a_thousand_sessions_three_times_adds_no_rows,
}

on_postgres! {
    no_statement_deletes_more_than_five_hundred_rows,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn expired_sessions_are_deleted_a_day_later_and_live_ones_stay(app: App) {
    let (ada, expired) = user_with_device(&app, "ada").await;
    clone_sessions(&app, &expired.session, 1234);
    app.clock.advance(DAY);
    let (live, revoked) = (login(&app, &ada).await, login(&app, &ada).await);
    assert_logged_out(by_access(&app, &revoked, json!({})).await, 1);

    app.clock.advance(SESSION_TTL);
    let refused = refresh(&app, &expired.refresh).await;
    refused.problem(401, "SESSION_EXPIRED");
    // A process purges once at its start. An expired session is kept for a day, so this purge deletes only the expired
    // entry, which shows that it ran.
    insert_expired_revocation(&app);
    let first = app.another_process().start();
    let expired_entry = "revocations WHERE session_id = 'expired'";
    eventually("the purge is complete", async || {
        count(&first, expired_entry) == 0
    })
    .await;
    let before = count(&app, "sessions");
    // Sessions of the registration, the device and its copies, and two logins.
    assert_eq!(before, 2 + 1234 + 2);

    app.clock.advance(Duration::from_micros(1));
    let second = app.another_process().start();
    eventually("the purge is complete", async || {
        count(&second, "sessions") == 2
    })
    .await;
    for device in [&live, &revoked] {
        assert!(super::fixtures::column(&app, &device.session, "id").is_some());
    }
    // The client gets the same response for a deleted and an expired session.
    let refused = refresh(&second, &expired.refresh).await;
    refused.problem(401, "SESSION_EXPIRED");
}

async fn expired_revocations_are_deleted_and_needed_ones_stay(app: App) {
    let (ada, _) = user_with_device(&app, "ada").await;
    let mut devices = Vec::new();
    for _ in 0..3 {
        let device = login(&app, &ada).await;
        assert_logged_out(by_access(&app, &device, json!({})).await, 1);
        devices.push(device);
    }
    app.clock.advance(ACCESS_TTL);
    let needed = login(&app, &ada).await;
    assert_logged_out(by_access(&app, &needed, json!({})).await, 1);
    let before = count(&app, "revocations");
    app.clock.advance(Duration::from_secs(11 * 60));
    let new_process = app.another_process().start();
    eventually("the purge is complete", async || {
        count(&new_process, "revocations") < before
    })
    .await;
    eventually("only one is left", async || {
        count(&new_process, "revocations") == 1
    })
    .await;
    get_session(&new_process, &needed.access)
        .await
        .problem(401, "TOKEN_REVOKED");
    for device in &devices {
        get_session(&new_process, &device.access)
            .await
            .problem(401, "TOKEN_EXPIRED");
    }
    // Sequence numbers continue after the purge, so a process that has read all entries misses no later one.
    let next = login(&new_process, &ada).await;
    assert_logged_out(by_access(&new_process, &next, json!({})).await, 1);
    super::fixtures::until_rejected(&app, &next.access, "TOKEN_REVOKED").await;
}

async fn refreshing_a_thousand_sessions_three_times_adds_no_rows(app: App) {
    let (_, first) = user_with_device(&app, "ada").await;
    clone_sessions(&app, &first.session, 1000);
    let before = (count(&app, "sessions"), count(&app, "revocations"));
    for step in 0..3 {
        let sessions: Vec<_> = (1..=1000).map(cloned_id).collect();
        for batch in sessions.chunks(40) {
            let refreshes = batch.iter().map(|session| async {
                let next = refresh(&app, &encode_refresh_token(app.secret(), session, step)).await;
                next.ok()["refresh_token"].as_str().unwrap().to_owned()
            });
            let next_tokens = join_all(refreshes).await;
            let expected = batch
                .iter()
                .map(|session| encode_refresh_token(app.secret(), session, step + 1));
            assert!(next_tokens.into_iter().eq(expected));
        }
    }
    assert_eq!(
        (count(&app, "sessions"), count(&app, "revocations")),
        before
    );
    assert_eq!(counter(&app, &cloned_id(1000)), 3);
    refreshed(&app, &first).await;
}

/// A statement locks the rows that it deletes, so each batch must be small.
async fn no_statement_deletes_more_than_five_hundred_rows(app: App) {
    let (_, first) = user_with_device(&app, "ada").await;
    clone_sessions(&app, &first.session, 1800);
    let most_rows = rows_per_statement(&app, "DELETE");
    app.clock.advance(SESSION_TTL + 2 * DAY);
    let new_process = app.another_process().start();
    eventually("all are gone", async || {
        count(&new_process, "sessions") == 0
    })
    .await;
    let most = app.database().value(most_rows);
    assert_eq!(most.as_deref(), Some("500"));
}

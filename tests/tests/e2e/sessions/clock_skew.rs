//! Tests processes whose clocks differ by one or two minutes.

use std::time::Duration;

use e2e::{App, TestClock, on_both_engines};
use serde_json::json;

use super::fixtures::{
    ACCESS_TTL, MAX_REVOCATION_DELAY, get_session, login, refreshed, until_rejected,
    user_with_device, wait_until,
};
use crate::auth::logout::{assert_logged_out, by_access, by_body};

on_both_engines! {
    a_logout_on_a_fast_clock_reaches_a_slow_clock,
    a_logout_on_a_slow_clock_reaches_a_fast_clock,
    a_fast_clock_does_not_purge_revocations_that_a_slow_clock_needs,
    refreshes_succeed_on_processes_with_different_clocks,
}

const MINUTE: Duration = Duration::from_secs(60);

/// Starts another process, whose clock is ahead of [`TestClock::START`] by this duration.
fn start_with_clock_at(app: &App, since_start: Duration) -> App {
    let clock = TestClock::default();
    clock.advance(since_start);
    app.another_process().clock(clock).start()
}

/// Logs two devices in on `login_process` and out on `logout_process`. Asserts that `login_process` then rejects their
/// tokens.
async fn assert_revocation_reaches(login_process: &App, logout_process: &App) {
    let (ada, first_device) = user_with_device(login_process, "ada").await;
    let second_device = login(login_process, &ada).await;
    assert_logged_out(by_body(logout_process, &first_device, json!({})).await, 1);
    let response = by_body(logout_process, &second_device, json!({ "scope": "all" })).await;
    assert_logged_out(response, 1);
    for device in [&first_device, &second_device] {
        let delay = until_rejected(login_process, &device.access, "TOKEN_REVOKED").await;
        assert!(delay < MAX_REVOCATION_DELAY, "{delay:?}");
    }
}

async fn a_logout_on_a_fast_clock_reaches_a_slow_clock(slow_process: App) {
    let fast_process = start_with_clock_at(&slow_process, 2 * MINUTE);
    assert_revocation_reaches(&slow_process, &fast_process).await;
}

async fn a_logout_on_a_slow_clock_reaches_a_fast_clock(slow_process: App) {
    let fast_process = start_with_clock_at(&slow_process, 2 * MINUTE);
    assert_revocation_reaches(&fast_process, &slow_process).await;
}

async fn a_fast_clock_does_not_purge_revocations_that_a_slow_clock_needs(slow_process: App) {
    let (ada, revoked_device) = user_with_device(&slow_process, "ada").await;
    let live_device = login(&slow_process, &ada).await;
    assert_logged_out(
        by_access(&slow_process, &revoked_device, json!({})).await,
        1,
    );
    // After this time, the process with the slow clock still accepts tokens that are not revoked. A second later, the
    // tokens would be rejected as expired.
    let valid_for = ACCESS_TTL + Duration::from_secs(4);
    slow_process.clock.advance(valid_for);
    get_session(&slow_process, &live_device.access).await.ok();
    // A process with a fast clock starts, and purges the revocations that have expired by this clock.
    super::fixtures::insert_expired_revocation(&slow_process);
    let fast_process = start_with_clock_at(&slow_process, valid_for + 2 * MINUTE);
    wait_until("the expired revocation is purged", async || {
        super::fixtures::count(&fast_process, "revocations WHERE session_id = 'expired'") == 0
    })
    .await;
    // Another process with a slow clock starts only now, and reads the revocations from the database.
    let new_process = slow_process.another_process().start();
    for app in [&new_process, &slow_process] {
        let refused = get_session(app, &revoked_device.access).await;
        refused.problem(401, "TOKEN_REVOKED");
    }
    get_session(&new_process, &live_device.access).await.ok();
}

async fn refreshes_succeed_on_processes_with_different_clocks(slow_process: App) {
    let fast_process = start_with_clock_at(&slow_process, MINUTE);
    let (_, mut device) = user_with_device(&slow_process, "ada").await;
    for app in [
        &fast_process,
        &slow_process,
        &slow_process,
        &fast_process,
        &fast_process,
        &slow_process,
    ] {
        let refreshed_device = refreshed(app, &device).await;
        // Repeats the request on the process with the slow clock.
        refreshed(&slow_process, &device).await;
        device = refreshed_device;
    }
}

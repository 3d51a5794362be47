//! Processes whose clocks differ by one or two minutes.

use std::time::Duration;

use e2e::{App, TestClock, on_both_engines};
use serde_json::json;

use super::fixtures::{
    ACCESS_TTL, MAX_REVOCATION_DELAY, eventually, get_session, login, refreshed, until_rejected,
    user_with_device,
};
use crate::auth::logout::{assert_logged_out, by_access, by_body};

on_both_engines! {
    a_logout_on_a_fast_clock_reaches_a_slow_one,
    a_logout_on_a_slow_clock_reaches_a_fast_one,
    a_fast_clock_does_not_purge_what_a_slow_one_still_needs,
    refreshes_on_processes_with_different_clocks_continue,
}

const MINUTE: Duration = Duration::from_secs(60);

/// Starts another process whose clock is ahead.
fn ahead_of(app: &App, difference: Duration) -> App {
    let clock = TestClock::default();
    clock.advance(difference);
    app.another_process().clock(clock).start()
}

/// Logs in twice at `here` and revokes the sessions at `there`.
async fn assert_revocation_reaches(here: &App, there: &App) {
    let (ada, first) = user_with_device(here, "ada").await;
    let second = login(here, &ada).await;
    assert_logged_out(by_body(there, &first, json!({})).await, 1);
    let response = by_body(there, &second, json!({ "scope": "all" })).await;
    assert_logged_out(response, 1);
    for device in [&first, &second] {
        let delay = until_rejected(here, &device.access, "TOKEN_REVOKED").await;
        assert!(delay < MAX_REVOCATION_DELAY, "{delay:?}");
    }
}

async fn a_logout_on_a_fast_clock_reaches_a_slow_one(behind: App) {
    let ahead = ahead_of(&behind, 2 * MINUTE);
    assert_revocation_reaches(&behind, &ahead).await;
}

async fn a_logout_on_a_slow_clock_reaches_a_fast_one(behind: App) {
    let ahead = ahead_of(&behind, 2 * MINUTE);
    assert_revocation_reaches(&ahead, &behind).await;
}

async fn a_fast_clock_does_not_purge_what_a_slow_one_still_needs(behind: App) {
    let (ada, device) = user_with_device(&behind, "ada").await;
    let live = login(&behind, &ada).await;
    assert_logged_out(by_access(&behind, &device, json!({})).await, 1);
    // The last second in which the process with the slow clock accepts the token.
    let last_valid = ACCESS_TTL + Duration::from_secs(4);
    behind.clock.advance(last_valid);
    get_session(&behind, &live.access).await.ok();
    // A process with a fast clock starts, and purges the entries that have expired on its clock.
    super::fixtures::insert_expired_revocation(&behind);
    let ahead = ahead_of(&behind, last_valid + 2 * MINUTE);
    eventually("the expired entry is purged", async || {
        super::fixtures::count(&ahead, "revocations WHERE session_id = 'expired'") == 0
    })
    .await;
    // A process with a slow clock starts only now, so it can know of the revocation only from the database.
    let new_process = behind.another_process().start();
    for app in [&new_process, &behind] {
        let refused = get_session(app, &device.access).await;
        refused.problem(401, "TOKEN_REVOKED");
    }
    get_session(&new_process, &live.access).await.ok();
}

async fn refreshes_on_processes_with_different_clocks_continue(behind: App) {
    let ahead = ahead_of(&behind, MINUTE);
    let (_, mut device) = user_with_device(&behind, "ada").await;
    for app in [&ahead, &behind, &behind, &ahead, &ahead, &behind] {
        let next = refreshed(app, &device).await;
        // The repeated request reaches the other process, whose clock differs.
        refreshed(&behind, &device).await;
        device = next;
    }
}

//! Processes whose clocks differ by a minute.

use std::time::Duration;

use e2e::{App, TestClock, on_both_engines};
use serde_json::json;

use super::fixtures::{
    ACCESS_TTL, FELT_EVERYWHERE, eventually, login, refreshed, until_refused, user_with_device, who,
};
use crate::auth::logout::{by_access, by_body, logged_out};

on_both_engines! {
    a_logout_by_a_process_ahead_is_felt_by_one_behind,
    a_logout_by_a_process_behind_is_felt_by_one_ahead,
    a_process_ahead_does_not_forget_what_one_behind_still_needs,
    a_refresh_by_processes_whose_clocks_differ_goes_on,
}

const MINUTE: Duration = Duration::from_secs(60);

fn ahead_of(app: &App, by: Duration) -> App {
    let clock = TestClock::default();
    clock.advance(by);
    app.sister().clock(clock).start()
}

/// Two logins at `here`, ended at `there`.
async fn felt(here: &App, there: &App) {
    let (ada, first) = user_with_device(here, "ada").await;
    let second = login(here, &ada).await;
    logged_out(by_body(there, &first, json!({})).await, 1);
    let answer = by_body(there, &second, json!({ "scope": "all" })).await;
    logged_out(answer, 1);
    for device in [&first, &second] {
        let felt = until_refused(here, &device.access, "TOKEN_REVOKED").await;
        assert!(felt < FELT_EVERYWHERE, "{felt:?}");
    }
}

async fn a_logout_by_a_process_ahead_is_felt_by_one_behind(behind: App) {
    let ahead = ahead_of(&behind, 2 * MINUTE);
    felt(&behind, &ahead).await;
}

async fn a_logout_by_a_process_behind_is_felt_by_one_ahead(behind: App) {
    let ahead = ahead_of(&behind, 2 * MINUTE);
    felt(&ahead, &behind).await;
}

async fn a_process_ahead_does_not_forget_what_one_behind_still_needs(behind: App) {
    let (ada, device) = user_with_device(&behind, "ada").await;
    let lives = login(&behind, &ada).await;
    logged_out(by_access(&behind, &device, json!({})).await, 1);
    // The last second in which the process behind would take the token.
    let last = ACCESS_TTL + Duration::from_secs(4);
    behind.clock.advance(last);
    who(&behind, &lives.access).await.ok();
    // A process ahead starts, and purges what it takes for spent.
    super::fixtures::leave_spent_revocation(&behind);
    let ahead = ahead_of(&behind, last + 2 * MINUTE);
    eventually("the spent one is purged", async || {
        super::fixtures::count(&ahead, "revocations WHERE session_id = 'spent'") == 0
    })
    .await;
    // One that is behind starts after that, and knows of the session from the table alone.
    let new = behind.sister().start();
    for app in [&new, &behind] {
        let refused = who(app, &device.access).await;
        refused.refused(401, "TOKEN_REVOKED");
    }
    who(&new, &lives.access).await.ok();
}

async fn a_refresh_by_processes_whose_clocks_differ_goes_on(behind: App) {
    let ahead = ahead_of(&behind, MINUTE);
    let (_, mut device) = user_with_device(&behind, "ada").await;
    for app in [&ahead, &behind, &behind, &ahead, &ahead, &behind] {
        let next = refreshed(app, &device).await;
        // The doubled request reaches the other, whose clock says something else.
        refreshed(&behind, &device).await;
        device = next;
    }
}

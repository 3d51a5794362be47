//! `POST /api/auth/refresh` after lost responses, with retries, and with copied tokens.

use std::time::Duration;

use e2e::{App, on_both_engines};
use futures_util::future::join_all;

use crate::sessions::fixtures::{
    ALMOST_OVERLAP, Device, LOGOUT, MICROSECOND, OVERLAP, counter, get_session, is_revoked, login,
    refresh, refreshed, user_with_device,
};

on_both_engines! {
    within_the_overlap_the_predecessor_gets_the_same_pair_every_time,
    after_the_overlap_the_predecessor_is_accepted_twice_in_a_row_and_then_revokes_the_session,
    a_retry_of_a_late_recovery_is_not_counted_again,
    parallel_late_recoveries_are_counted_once,
    a_rotation_without_loss_resets_the_count_of_late_recoveries,
    a_token_two_steps_old_revokes_the_session_at_once,
    if_a_thief_and_the_victim_both_refresh_the_session_is_revoked_within_three_rotations,
    the_revocation_of_one_session_does_not_affect_another,
}

/// A delay longer than the overlap.
const LATE: Duration = Duration::from_secs(11);

/// Refreshes without keeping the response: the counter of the server advances, the device keeps its token.
async fn refresh_and_lose_response(app: &App, device: &Device) {
    refreshed(app, device).await;
}

async fn within_the_overlap_the_predecessor_gets_the_same_pair_every_time(app: App) {
    let (_, mut device) = user_with_device(&app, "ada").await;
    // Five rotations, because a session may have no more than two late recoveries in a row.
    for step in 1..=5 {
        let next = refreshed(&app, &device).await;
        for pause in [ALMOST_OVERLAP, MICROSECOND] {
            app.clock.advance(pause);
            assert_eq!(refreshed(&app, &device).await, next);
        }
        assert_eq!(counter(&app, &device.session), step);
        device = next;
    }
}

async fn after_the_overlap_the_predecessor_is_accepted_twice_in_a_row_and_then_revokes_the_session(
    app: App,
) {
    let (_, mut device) = user_with_device(&app, "ada").await;
    for step in 1..=2 {
        refresh_and_lose_response(&app, &device).await;
        app.clock.advance(OVERLAP + MICROSECOND);
        let next = refreshed(&app, &device).await;
        assert_ne!(next.refresh, device.refresh);
        assert_eq!(counter(&app, &device.session), step);
        device = next;
    }
    refresh_and_lose_response(&app, &device).await;
    app.clock.advance(OVERLAP + MICROSECOND);
    get_session(&app, &device.access).await.ok();
    let refused = refresh(&app, &device.refresh).await;
    refused.problem(401, "REFRESH_TOKEN_REUSED");
    assert!(is_revoked(&app, &device.session));
    get_session(&app, &device.access)
        .await
        .problem(401, "TOKEN_REVOKED");
    let refused = refresh(&app, &device.refresh).await;
    refused.problem(401, "SESSION_EXPIRED");
}

async fn a_retry_of_a_late_recovery_is_not_counted_again(app: App) {
    let (_, mut device) = user_with_device(&app, "ada").await;
    for _ in 0..2 {
        refresh_and_lose_response(&app, &device).await;
        let mut pairs = Vec::new();
        for _ in 0..5 {
            app.clock.advance(LATE);
            pairs.push(refreshed(&app, &device).await);
        }
        assert!(pairs.iter().all(|next| next.refresh == pairs[0].refresh));
        device = pairs.swap_remove(0);
    }
    assert_eq!(counter(&app, &device.session), 2);
    refresh_and_lose_response(&app, &device).await;
    app.clock.advance(LATE);
    let refused = refresh(&app, &device.refresh).await;
    refused.problem(401, "REFRESH_TOKEN_REUSED");
}

async fn parallel_late_recoveries_are_counted_once(app: App) {
    let (_, mut device) = user_with_device(&app, "ada").await;
    for _ in 0..2 {
        refresh_and_lose_response(&app, &device).await;
        app.clock.advance(LATE);
        let responses = join_all((0..20).map(|_| refreshed(&app, &device))).await;
        assert!(responses.iter().all(|response| *response == responses[0]));
        device = responses[0].clone();
    }
    refreshed(&app, &device).await;
}

async fn a_rotation_without_loss_resets_the_count_of_late_recoveries(app: App) {
    let (_, mut device) = user_with_device(&app, "ada").await;
    for _ in 0..3 {
        for _ in 0..2 {
            refresh_and_lose_response(&app, &device).await;
            app.clock.advance(LATE);
            device = refreshed(&app, &device).await;
        }
        for _ in 0..2 {
            app.clock.advance(LATE);
            device = refreshed(&app, &device).await;
        }
    }
}

async fn a_token_two_steps_old_revokes_the_session_at_once(app: App) {
    let (_, first) = user_with_device(&app, "ada").await;
    let second = refreshed(&app, &first).await;
    let third = refreshed(&app, &second).await;
    let refused = refresh(&app, &first.refresh).await;
    refused.problem(401, "REFRESH_TOKEN_REUSED");
    for device in [&first, &second, &third] {
        get_session(&app, &device.access)
            .await
            .problem(401, "TOKEN_REVOKED");
        let refused = refresh(&app, &device.refresh).await;
        refused.problem(401, "SESSION_EXPIRED");
        let logout = app.bearer(device.access.as_str()).request("POST", LOGOUT);
        assert_eq!(logout.await.ok()["revoked"], 0);
    }
}

async fn if_a_thief_and_the_victim_both_refresh_the_session_is_revoked_within_three_rotations(
    app: App,
) {
    let (_, victim) = user_with_device(&app, "ada").await;
    let (mut victim, mut thief) = (victim.clone(), victim);
    for rotation in 1.. {
        assert!(rotation <= 3, "the thief was not noticed");
        app.clock.advance(Duration::from_secs(60));
        victim = refreshed(&app, &victim).await;
        app.clock.advance(Duration::from_secs(60));
        let response = refresh(&app, &thief.refresh).await;
        if response.status() == 401 {
            response.problem(401, "REFRESH_TOKEN_REUSED");
            break;
        }
        thief = Device::from_response(&response.ok());
    }
    let refused = refresh(&app, &victim.refresh).await;
    refused.problem(401, "SESSION_EXPIRED");
    get_session(&app, &thief.access)
        .await
        .problem(401, "TOKEN_REVOKED");
}

async fn the_revocation_of_one_session_does_not_affect_another(app: App) {
    let (ada, first) = user_with_device(&app, "ada").await;
    let other = login(&app, &ada).await;
    let next = refreshed(&app, &first).await;
    refreshed(&app, &next).await;
    let refused = refresh(&app, &first.refresh).await;
    refused.problem(401, "REFRESH_TOKEN_REUSED");
    get_session(&app, &other.access).await.ok();
    refreshed(&app, &other).await;
}

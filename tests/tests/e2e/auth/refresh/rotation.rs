//! Tests `POST /api/auth/refresh` after lost responses, with retries, and with copied tokens.

use std::time::Duration;

use e2e::{App, on_both_engines};
use futures_util::future::join_all;

use crate::sessions::fixtures::{
    ALMOST_OVERLAP, Device, LOGOUT, MICROSECOND, OVERLAP, counter, get_session, is_revoked, login,
    refresh, refreshed, user_with_device,
};

on_both_engines! {
    within_the_overlap_the_preceding_token_gets_the_same_pair_of_tokens_every_time,
    after_the_overlap_the_preceding_token_is_accepted_twice_in_a_row_and_then_revokes_the_session,
    a_retry_of_a_late_recovery_is_not_counted_again,
    parallel_late_recoveries_are_counted_once,
    a_refresh_without_a_lost_response_resets_the_count_of_late_recoveries,
    a_refresh_token_two_rotations_old_revokes_the_session_at_once,
    if_a_thief_and_the_victim_both_refresh_the_session_is_revoked_within_three_rotations,
    the_revocation_of_one_session_does_not_affect_another_session,
}

/// A delay longer than [`OVERLAP`]. After this delay, the first refresh with the predecessor of the current token is a
/// late recovery.
const LATE_DELAY: Duration = Duration::from_secs(11);

/// Refreshes and discards the response: the counter of the session advances, but the device keeps the old token.
async fn refresh_and_lose_response(app: &App, device: &Device) {
    refreshed(app, device).await;
}

async fn within_the_overlap_the_preceding_token_gets_the_same_pair_of_tokens_every_time(app: App) {
    let (_, mut device) = user_with_device(&app, "ada").await;
    // A third late recovery in a row would revoke the session. So five rounds show that a retry within the overlap is
    // not a late recovery.
    for expected_counter in 1..=5 {
        let refreshed_device = refreshed(&app, &device).await;
        for pause in [ALMOST_OVERLAP, MICROSECOND] {
            app.clock.advance(pause);
            assert_eq!(refreshed(&app, &device).await, refreshed_device);
        }
        assert_eq!(counter(&app, &device.session), expected_counter);
        device = refreshed_device;
    }
}

async fn after_the_overlap_the_preceding_token_is_accepted_twice_in_a_row_and_then_revokes_the_session(
    app: App,
) {
    let (_, mut device) = user_with_device(&app, "ada").await;
    for expected_counter in 1..=2 {
        refresh_and_lose_response(&app, &device).await;
        app.clock.advance(OVERLAP + MICROSECOND);
        let refreshed_device = refreshed(&app, &device).await;
        assert_ne!(refreshed_device.refresh, device.refresh);
        assert_eq!(counter(&app, &device.session), expected_counter);
        device = refreshed_device;
    }
    refresh_and_lose_response(&app, &device).await;
    app.clock.advance(OVERLAP + MICROSECOND);
    get_session(&app, &device.access).await.ok();
    let response = refresh(&app, &device.refresh).await;
    response.problem(401, "REFRESH_TOKEN_REUSED");
    assert!(is_revoked(&app, &device.session));
    get_session(&app, &device.access)
        .await
        .problem(401, "TOKEN_REVOKED");
    let response = refresh(&app, &device.refresh).await;
    response.problem(401, "SESSION_EXPIRED");
}

async fn a_retry_of_a_late_recovery_is_not_counted_again(app: App) {
    let (_, mut device) = user_with_device(&app, "ada").await;
    for _ in 0..2 {
        refresh_and_lose_response(&app, &device).await;
        let mut refreshed_devices = Vec::new();
        for _ in 0..5 {
            app.clock.advance(LATE_DELAY);
            refreshed_devices.push(refreshed(&app, &device).await);
        }
        assert!(
            refreshed_devices
                .iter()
                .all(|refreshed_device| refreshed_device.refresh == refreshed_devices[0].refresh)
        );
        device = refreshed_devices.swap_remove(0);
    }
    assert_eq!(counter(&app, &device.session), 2);
    refresh_and_lose_response(&app, &device).await;
    app.clock.advance(LATE_DELAY);
    let response = refresh(&app, &device.refresh).await;
    response.problem(401, "REFRESH_TOKEN_REUSED");
}

async fn parallel_late_recoveries_are_counted_once(app: App) {
    let (_, mut device) = user_with_device(&app, "ada").await;
    for _ in 0..2 {
        refresh_and_lose_response(&app, &device).await;
        app.clock.advance(LATE_DELAY);
        let refreshed_devices = join_all((0..20).map(|_| refreshed(&app, &device))).await;
        assert!(
            refreshed_devices
                .iter()
                .all(|refreshed_device| *refreshed_device == refreshed_devices[0])
        );
        device = refreshed_devices[0].clone();
    }
    refreshed(&app, &device).await;
}

async fn a_refresh_without_a_lost_response_resets_the_count_of_late_recoveries(app: App) {
    let (_, mut device) = user_with_device(&app, "ada").await;
    for _ in 0..3 {
        for _ in 0..2 {
            refresh_and_lose_response(&app, &device).await;
            app.clock.advance(LATE_DELAY);
            device = refreshed(&app, &device).await;
        }
        for _ in 0..2 {
            app.clock.advance(LATE_DELAY);
            device = refreshed(&app, &device).await;
        }
    }
}

async fn a_refresh_token_two_rotations_old_revokes_the_session_at_once(app: App) {
    let (_, first_device) = user_with_device(&app, "ada").await;
    let second_device = refreshed(&app, &first_device).await;
    let third_device = refreshed(&app, &second_device).await;
    let response = refresh(&app, &first_device.refresh).await;
    response.problem(401, "REFRESH_TOKEN_REUSED");
    for device in [&first_device, &second_device, &third_device] {
        get_session(&app, &device.access)
            .await
            .problem(401, "TOKEN_REVOKED");
        let response = refresh(&app, &device.refresh).await;
        response.problem(401, "SESSION_EXPIRED");
        let logout_request = app.bearer(device.access.as_str()).request("POST", LOGOUT);
        assert_eq!(logout_request.await.ok()["revoked"], 0);
    }
}

async fn if_a_thief_and_the_victim_both_refresh_the_session_is_revoked_within_three_rotations(
    app: App,
) {
    let (_, device) = user_with_device(&app, "ada").await;
    let (mut victim, mut thief) = (device.clone(), device);
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
    let response = refresh(&app, &victim.refresh).await;
    response.problem(401, "SESSION_EXPIRED");
    get_session(&app, &thief.access)
        .await
        .problem(401, "TOKEN_REVOKED");
}

async fn the_revocation_of_one_session_does_not_affect_another_session(app: App) {
    let (ada, first_device) = user_with_device(&app, "ada").await;
    let other_device = login(&app, &ada).await;
    let refreshed_device = refreshed(&app, &first_device).await;
    refreshed(&app, &refreshed_device).await;
    let response = refresh(&app, &first_device.refresh).await;
    response.problem(401, "REFRESH_TOKEN_REUSED");
    get_session(&app, &other_device.access).await.ok();
    refreshed(&app, &other_device).await;
}

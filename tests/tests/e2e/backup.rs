//! Tests that after a restore of a backup no process accepts a token from before, and that every process notices the
//! restore while it runs.

mod file;

use std::time::Duration;

use api_server::backup::{RestoreSummary, end_sessions};
use api_server::clock::Clock;
use api_server::db::DatabaseUrl;
use api_server::progress::Progress;
use auth_core::revocation::FeedTokens;
use auth_core::{Keyring, Secret};
use e2e::{App, Database, Engine, on_both_engines};
use serde_json::json;

use crate::auth::logout::{assert_logged_out, by_access, by_cookies};
use crate::auth::password_reset::{confirm_token, requested_mail};
use crate::sessions::fixtures::{
    Device, MAX_REVOCATION_DELAY, count, get_session, login, refresh, refreshed, refreshed_times,
    until_rejected, user_with_device,
};

on_both_engines! {
    every_running_and_every_new_process_rejects_all_tokens_from_before,
    a_session_that_the_backup_does_not_know_to_be_ended_is_not_revived,
    a_refresh_token_that_was_used_after_the_backup_is_not_revived,
    tokens_of_the_safety_margin_are_rejected_and_later_ones_accepted,
    revocations_after_a_restore_are_not_missed,
    another_generation_makes_a_process_read_all_revocations_again,
    a_mailed_link_from_before_is_invalid,
    mails_that_waited_are_not_sent_again,
    the_list_for_services_has_the_time_of_the_restore,
    a_second_restore_of_the_same_backup_is_noticed_as_well,
    a_database_that_does_not_exist_is_not_created,
}

/// The time after a restore for which new tokens are rejected as well.
const SAFETY_MARGIN: Duration = Duration::from_secs(5);

/// Ends the sessions as the command `restore --end-sessions` does, at the time of the server's clock.
fn end_restored_sessions(app: &App) -> RestoreSummary {
    let url = DatabaseUrl::parse(&app.database().url()).unwrap();
    let clock = app.clock.clone();
    let clock = Clock::new(move || clock.now());
    end_sessions(&url, &clock, &Progress::hidden()).unwrap()
}

/// Advances the clock beyond the safety margin, by one second more because `iat` has whole seconds.
fn pass_safety_margin(app: &App) {
    app.clock.advance(SAFETY_MARGIN + Duration::from_secs(1));
}

async fn assert_refused(app: &App, device: &Device) {
    refresh(app, &device.refresh)
        .await
        .problem(401, "SESSION_EXPIRED");
    get_session(app, &device.access)
        .await
        .problem(401, "TOKEN_REVOKED");
    assert_logged_out(by_cookies(app, device, json!({})).await, 0);
}

async fn every_running_and_every_new_process_rejects_all_tokens_from_before(process_a: App) {
    let process_b = process_a.another_process().start();
    let (ada, device) = user_with_device(&process_a, "ada").await;
    let (_, other_users_device) = user_with_device(&process_b, "bob").await;
    let restored = end_restored_sessions(&process_a);
    assert_eq!((restored.account_count, restored.ended_count), (2, 4));
    for app in [&process_a, &process_b] {
        let delay = until_rejected(app, &device.access, "TOKEN_REVOKED").await;
        assert!(delay < MAX_REVOCATION_DELAY, "{delay:?}");
        assert_refused(app, &device).await;
    }
    let process_c = process_a.another_process().start();
    pass_safety_margin(&process_a);
    for app in [&process_c, &process_a, &process_b] {
        assert_refused(app, &device).await;
        assert_refused(app, &other_users_device).await;
        let new_device = login(app, &ada).await;
        for other_app in [&process_a, &process_b, &process_c] {
            get_session(other_app, &new_device.access).await.ok();
        }
        refreshed(app, &new_device).await;
    }
}

async fn a_session_that_the_backup_does_not_know_to_be_ended_is_not_revived(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    assert_logged_out(by_access(&app, &device, json!({})).await, 1);
    // Restores the state of the database before the logout.
    let restore_sql = "UPDATE sessions SET revoked_at = NULL; DELETE FROM revocations; \
        UPDATE revocation_sequence SET last = 0";
    app.database().execute(restore_sql);
    end_restored_sessions(&app);
    // The running process still has the logout in memory. A new process knows only what the database has.
    let new_process = app.another_process().start();
    pass_safety_margin(&app);
    assert_refused(&new_process, &device).await;
}

async fn a_refresh_token_that_was_used_after_the_backup_is_not_revived(app: App) {
    let (_, stolen_device) = user_with_device(&app, "ada").await;
    let newest_device = refreshed_times(&app, &stolen_device, 3).await;
    app.database()
        .execute("UPDATE sessions SET counter = 0, rotated_at = NULL");
    end_restored_sessions(&app);
    pass_safety_margin(&app);
    let new_process = app.another_process().start();
    for device in [&stolen_device, &newest_device] {
        assert_refused(&new_process, device).await;
    }
}

async fn tokens_of_the_safety_margin_are_rejected_and_later_ones_accepted(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    end_restored_sessions(&app);
    until_rejected(&app, &device.access, "TOKEN_REVOKED").await;
    // The clock starts 0.87 s after a whole second. At the second login, the margin has just ended, but the token's
    // `iat`, rounded down to a whole second, is before this end.
    for (step, is_accepted) in [(4, false), (1, false), (1, true)] {
        app.clock.advance(Duration::from_secs(step));
        let response = get_session(&app, &login(&app, &ada).await.access).await;
        assert_eq!(response.status() == 200, is_accepted, "{step}");
    }
}

async fn revocations_after_a_restore_are_not_missed(process_a: App) {
    let process_b = process_a.another_process().start();
    let (ada, _) = user_with_device(&process_a, "ada").await;
    for _ in 0..5 {
        let device = login(&process_a, &ada).await;
        assert_logged_out(by_access(&process_a, &device, json!({})).await, 1);
        until_rejected(&process_b, &device.access, "TOKEN_REVOKED").await;
    }
    let restore_sql = "DELETE FROM revocations WHERE sequence > 2; \
        UPDATE revocation_sequence SET last = 2";
    process_a.database().execute(restore_sql);
    end_restored_sessions(&process_a);
    pass_safety_margin(&process_a);
    for _ in 0..5 {
        let device = login(&process_a, &ada).await;
        assert_logged_out(by_access(&process_a, &device, json!({})).await, 1);
        until_rejected(&process_b, &device.access, "TOKEN_REVOKED").await;
    }
}

async fn another_generation_makes_a_process_read_all_revocations_again(app: App) {
    let (ada, first_device) = user_with_device(&app, "ada").await;
    let device = login(&app, &ada).await;
    assert_logged_out(by_access(&app, &first_device, json!({})).await, 1);
    let process_b = app.another_process().start();
    // A revocation with a number that process B has read already, as after a restore and new revocations.
    let restore_sql = format!(
        "DELETE FROM revocations; INSERT INTO revocations (sequence, session_id, forget_after) \
         VALUES (1, '{}', '2027-01-01 00:00:00'); \
         UPDATE revocation_sequence SET last = last + 1000, generation = 7",
        device.session
    );
    process_b.database().execute(&restore_sql);
    let delay = until_rejected(&process_b, &device.access, "TOKEN_REVOKED").await;
    assert!(delay < MAX_REVOCATION_DELAY, "{delay:?}");
}

async fn a_mailed_link_from_before_is_invalid(app: App) {
    let ada = app.user("ada").await;
    let (mail, _) = requested_mail(&app, ada.email()).await;
    end_restored_sessions(&app);
    let response = confirm_token(&app, mail.token()).await;
    response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
    let (new_mail, _) = requested_mail(&app, ada.email()).await;
    confirm_token(&app, new_mail.token()).await.ok();
}

async fn mails_that_waited_are_not_sent_again(app: App) {
    let ada = app.user("ada").await;
    requested_mail(&app, ada.email()).await;
    app.database()
        .execute("UPDATE outbox SET next_attempt_at = '2030-01-01 00:00:00'");
    end_restored_sessions(&app);
    assert_eq!(count(&app, "outbox"), 0);
}

async fn the_list_for_services_has_the_time_of_the_restore(app: App) {
    let read_list = async || {
        let keyring = Keyring::new(Secret::new(app.secret()).unwrap());
        let feed_tokens = FeedTokens::new(keyring, "api-server").unwrap();
        let caller = app.bearer(feed_tokens.issue(app.clock.now()).unwrap());
        caller.get("/api/auth/revocations").await.ok()
    };
    assert!(read_list().await.get("issued_before").is_none());
    let restored_at = app
        .clock
        .now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    end_restored_sessions(&app);
    // The clock starts 0.87 s after a whole second, and the time in the list is rounded up.
    let end_of_margin = (restored_at + SAFETY_MARGIN).as_secs() + 1;
    assert_eq!(read_list().await["issued_before"], end_of_margin);
}

async fn a_second_restore_of_the_same_backup_is_noticed_as_well(app: App) {
    let ada = app.user("ada").await;
    for _ in 0..2 {
        // The restored backup has the numbers from before the first restore again.
        let restore_sql =
            "UPDATE revocation_sequence SET last = 0, generation = 0, issued_before = NULL";
        app.database().execute(restore_sql);
        end_restored_sessions(&app);
        pass_safety_margin(&app);
        let device = login(&app, &ada).await;
        get_session(&app, &device.access).await.ok();
        app.database().execute(restore_sql);
        end_restored_sessions(&app);
        until_rejected(&app, &device.access, "TOKEN_REVOKED").await;
        pass_safety_margin(&app);
    }
}

async fn a_database_that_does_not_exist_is_not_created(engine: Engine) {
    let url = match engine {
        Engine::Sqlite => Database::new(engine).url(),
        Engine::Postgres => format!("{}_missing", Database::new(engine).url()),
    };
    let url = DatabaseUrl::parse(&url).unwrap();
    let error = end_sessions(&url, &Clock::system(), &Progress::hidden()).unwrap_err();
    assert!(error.to_string().contains("does not exist"), "{error}");
}

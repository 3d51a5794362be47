//! Tests how the server revokes many sessions: the sessions over the limit of 100 live sessions per account, and all
//! sessions of an account at a logout, a change of password or a deletion.

use std::time::Duration;

use e2e::{App, Client, on_both_engines, on_postgres};
use futures_util::future::join_all;
use serde_json::json;

use super::fixtures::{
    ACCOUNT, CHANGE_PASSWORD, Device, LOGOUT, MAX_REVOCATION_DELAY, SESSION_TTL, SESSIONS,
    clone_sessions, cloned_id, count, get_session, is_revoked, login, record_rows_per_statement,
    refresh, refreshed, until_rejected, user_with_device,
};
use crate::auth::login::{LOGIN, credentials};
use crate::auth::logout::{assert_logged_out, by_access};

on_both_engines! {
    a_login_over_the_limit_revokes_the_least_recently_used_session,
    expired_and_revoked_sessions_do_not_count_towards_the_limit,
    a_sign_in_by_better_auth_counts_towards_the_limit,
    parallel_logins_do_not_exceed_the_limit,
    parallel_logins_on_two_processes_do_not_exceed_the_limit,
    a_session_that_a_login_revoked_is_rejected_by_every_process,
    a_login_revokes_every_session_over_the_limit,
    a_logout_revokes_thousands_of_sessions,
    a_change_of_password_revokes_thousands_of_sessions,
    an_account_with_thousands_of_sessions_is_deleted,
    other_accounts_write_while_thousands_of_sessions_are_revoked,
}

on_postgres! {
    no_statement_revokes_more_than_two_batches_and_one_session,
}

/// The most live sessions of an account.
const MAX_SESSIONS: usize = 100;
const SECOND: Duration = Duration::from_secs(1);

/// Returns how many sessions the server lists for the user of this device.
async fn session_count(app: &App, device: &Device) -> usize {
    let sessions = app.bearer(device.access.as_str()).get(SESSIONS).await.ok();
    sessions.as_array().unwrap().len()
}

fn unrevoked_session_count(app: &App) -> u64 {
    count(app, "sessions WHERE revoked_at IS NULL")
}

/// A user with many sessions.
struct UserWithSessions {
    ada: Client,
    /// The device whose session is the least recently used.
    oldest_device: Device,
    /// The device that logged in last.
    newest_device: Device,
}

/// Registers a user with this many live sessions: the session of one device, copies of this session that were used
/// later, and the session of a second device.
async fn user_with_sessions(app: &App, count: usize) -> UserWithSessions {
    let (ada, oldest_device) = user_with_device(app, "ada").await;
    clone_sessions(app, &oldest_device.session, count - 2);
    app.database().execute(
        "UPDATE sessions SET last_used_at = '2026-11-20 12:58:00' \
         WHERE id LIKE '00000000-0000-7000-8000-%'",
    );
    app.clock.advance(60 * SECOND);
    let newest_device = login(app, &ada).await;
    UserWithSessions {
        ada,
        oldest_device,
        newest_device,
    }
}

async fn a_login_over_the_limit_revokes_the_least_recently_used_session(app: App) {
    let UserWithSessions {
        ada,
        oldest_device,
        newest_device,
    } = user_with_sessions(&app, MAX_SESSIONS - 1).await;
    login(&app, &ada).await;
    assert_eq!(session_count(&app, &newest_device).await, MAX_SESSIONS);
    get_session(&app, &oldest_device.access).await.ok();

    // After this refresh, the copies are the least recently used sessions.
    let refreshed_device = refreshed(&app, &oldest_device).await;
    login(&app, &ada).await;
    assert_eq!(session_count(&app, &newest_device).await, MAX_SESSIONS);
    get_session(&app, &refreshed_device.access).await.ok();
    assert!(is_revoked(&app, &cloned_id(1)));
    assert!(!is_revoked(&app, &cloned_id(2)));

    app.database().execute(&format!(
        "UPDATE sessions SET last_used_at = created_at WHERE id = '{}'",
        refreshed_device.session
    ));
    login(&app, &ada).await;
    assert_eq!(session_count(&app, &newest_device).await, MAX_SESSIONS);
    let refused = get_session(&app, &refreshed_device.access).await;
    refused.problem(401, "TOKEN_REVOKED");
    let refused = refresh(&app, &refreshed_device.refresh).await;
    refused.problem(401, "SESSION_EXPIRED");
}

async fn expired_and_revoked_sessions_do_not_count_towards_the_limit(app: App) {
    let UserWithSessions {
        ada,
        oldest_device: revoked_device,
        ..
    } = user_with_sessions(&app, MAX_SESSIONS).await;
    assert_logged_out(by_access(&app, &revoked_device, json!({})).await, 1);
    let count_before_login = unrevoked_session_count(&app);
    login(&app, &ada).await;
    assert_eq!(unrevoked_session_count(&app), count_before_login + 1);

    app.clock.advance(SESSION_TTL);
    let count_after_expiry = unrevoked_session_count(&app);
    let device = login(&app, &ada).await;
    assert_eq!(unrevoked_session_count(&app), count_after_expiry + 1);
    assert_eq!(session_count(&app, &device).await, 1);
}

async fn a_sign_in_by_better_auth_counts_towards_the_limit(app: App) {
    let UserWithSessions {
        ada,
        oldest_device,
        newest_device,
    } = user_with_sessions(&app, MAX_SESSIONS).await;
    let body = json!({ "email": ada.email(), "password": ada.password() });
    let response = app.anonymous().post("/api/auth/sign-in/email", body).await;
    response.ok();
    assert_eq!(session_count(&app, &newest_device).await, MAX_SESSIONS);
    let refused = get_session(&app, &oldest_device.access).await;
    refused.problem(401, "TOKEN_REVOKED");
}

/// Sends this many logins in parallel, distributed over the servers.
async fn log_in_in_parallel(apps: &[&App], ada: &Client, count: usize) {
    let logins = (0..count).map(|number| {
        let body = credentials(ada.email(), ada.password());
        let app = apps[number % apps.len()];
        app.anonymous().post(LOGIN, body).into_future()
    });
    for response in join_all(logins).await {
        response.ok();
    }
}

async fn parallel_logins_do_not_exceed_the_limit(app: App) {
    let UserWithSessions {
        ada, newest_device, ..
    } = user_with_sessions(&app, MAX_SESSIONS - 5).await;
    log_in_in_parallel(&[&app], &ada, 20).await;
    assert_eq!(session_count(&app, &newest_device).await, MAX_SESSIONS);
    assert_eq!(unrevoked_session_count(&app), MAX_SESSIONS as u64);
}

async fn parallel_logins_on_two_processes_do_not_exceed_the_limit(app: App) {
    let other_process = app.another_process().start();
    let UserWithSessions {
        ada, newest_device, ..
    } = user_with_sessions(&app, MAX_SESSIONS - 5).await;
    log_in_in_parallel(&[&app, &other_process], &ada, 20).await;
    assert_eq!(session_count(&app, &newest_device).await, MAX_SESSIONS);
    assert_eq!(unrevoked_session_count(&app), MAX_SESSIONS as u64);
}

async fn a_session_that_a_login_revoked_is_rejected_by_every_process(app: App) {
    let other_process = app.another_process().start();
    let UserWithSessions {
        ada, oldest_device, ..
    } = user_with_sessions(&app, MAX_SESSIONS).await;
    get_session(&other_process, &oldest_device.access)
        .await
        .ok();
    login(&app, &ada).await;
    let delay = until_rejected(&other_process, &oldest_device.access, "TOKEN_REVOKED").await;
    assert!(delay < MAX_REVOCATION_DELAY, "{delay:?}");
}

/// With this many copies of a session and two logins, an account is 514 sessions over the limit of 100. This is more
/// than five batches of 100.
const COPY_COUNT: usize = 612;

async fn a_login_revokes_every_session_over_the_limit(app: App) {
    let (_, eve_device) = user_with_device(&app, "eve").await;
    let (ada, oldest_device) = user_with_device(&app, "ada").await;
    clone_sessions(&app, &oldest_device.session, COPY_COUNT);
    app.clock.advance(SECOND);
    let device = login(&app, &ada).await;
    assert_eq!(session_count(&app, &device).await, MAX_SESSIONS);
    get_session(&app, &device.access).await.ok();
    // The sessions of the two registrations are revoked, and all but 100 of the copies and of Ada's two logins.
    assert_eq!(
        count(&app, "revocations"),
        2 + (COPY_COUNT as u64) + 2 - 100
    );
    refreshed(&app, &eve_device).await;
}

async fn a_logout_revokes_thousands_of_sessions(app: App) {
    let other_process = app.another_process().start();
    let (_, eve_device) = user_with_device(&app, "eve").await;
    let (_, device) = user_with_device(&app, "ada").await;
    clone_sessions(&app, &device.session, 2500);
    let others_response = by_access(&app, &device, json!({ "scope": "others" })).await;
    assert_eq!(others_response.ok()["revoked"], 2500);
    assert_eq!(session_count(&app, &device).await, 1);
    replace_copies(&app, &device, 2500);
    let all_response = by_access(&app, &device, json!({ "scope": "all" })).await;
    assert_logged_out(all_response, 2501);
    let delay = until_rejected(&other_process, &device.access, "TOKEN_REVOKED").await;
    assert!(delay < MAX_REVOCATION_DELAY, "{delay:?}");
    assert_eq!(unrevoked_session_count(&app), 1);
    refreshed(&app, &eve_device).await;
}

/// Deletes all copies that [`clone_sessions`] inserted, and inserts this many copies of the device's session.
fn replace_copies(app: &App, device: &Device, count: usize) {
    let delete_sql = "DELETE FROM sessions WHERE id LIKE '00000000-0000-7000-8000-%'";
    app.database().execute(delete_sql);
    clone_sessions(app, &device.session, count);
}

async fn a_change_of_password_revokes_thousands_of_sessions(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    clone_sessions(&app, &device.session, 2500);
    let body =
        json!({ "current_password": ada.password(), "new_password": "another good password" });
    let bearer = app.bearer(device.access.as_str());
    let new_device = Device::from_response(&bearer.post(CHANGE_PASSWORD, body).await.ok());
    assert_eq!(session_count(&app, &new_device).await, 1);
    assert_eq!(unrevoked_session_count(&app), 1);
}

async fn an_account_with_thousands_of_sessions_is_deleted(app: App) {
    let other_process = app.another_process().start();
    let (ada, device) = user_with_device(&app, "ada").await;
    clone_sessions(&app, &device.session, 2500);
    let body = json!({ "password": ada.password() });
    let bearer = app.bearer(device.access.as_str());
    bearer.delete(ACCOUNT).body(body).await.ok();
    assert_eq!(count(&app, "sessions"), 0);
    assert_eq!(count(&app, "users"), 0);
    assert_eq!(count(&app, "revocations"), 1 + 2501);
    let delay = until_rejected(&other_process, &device.access, "TOKEN_REVOKED").await;
    assert!(delay < MAX_REVOCATION_DELAY, "{delay:?}");
    let response = bearer.post(LOGOUT, json!({})).await;
    assert_eq!(response.ok()["revoked"], 0);
}

/// Returns how many writes of Eve succeed, one after the other, while the request of another account runs.
async fn count_writes_during(eve: &Client, request: e2e::Request) -> usize {
    let request = request.into_future();
    tokio::pin!(request);
    for write_count in 0.. {
        let write = eve.post(&eve.tasks(), json!({ "title": "meanwhile" }));
        tokio::select! {
            biased;
            response = &mut request => {
                response.ok();
                return write_count;
            }
            write_response = write.into_future() => drop(write_response.created()),
        }
    }
    unreachable!("the request ends")
}

async fn other_accounts_write_while_thousands_of_sessions_are_revoked(app: App) {
    let eve = app.user("eve").await;
    let (_, device) = user_with_device(&app, "ada").await;
    clone_sessions(&app, &device.session, 5000);
    let logout_request = by_access(&app, &device, json!({ "scope": "all" }));
    let write_count = count_writes_during(&eve, logout_request).await;
    assert!(write_count >= 5, "{write_count}");
    assert_eq!(unrevoked_session_count(&app), 1);
}

async fn no_statement_revokes_more_than_two_batches_and_one_session(app: App) {
    let (ada, first_device) = user_with_device(&app, "ada").await;
    clone_sessions(&app, &first_device.session, 1800);
    let max_rows_query = record_rows_per_statement(&app, "UPDATE");
    let device = login(&app, &ada).await;
    replace_copies(&app, &device, 1800);
    assert_logged_out(
        by_access(&app, &device, json!({ "scope": "all" })).await,
        1802,
    );
    // The largest statement is the last. It revokes the session of the request and the 200 sessions that the batches
    // have left.
    assert_eq!(app.database().value(max_rows_query).as_deref(), Some("201"));
}

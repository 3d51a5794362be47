//! The limit of 100 live sessions per account.

use std::time::Duration;

use e2e::{App, Client, on_both_engines, on_postgres};
use futures_util::future::join_all;
use serde_json::json;

use super::fixtures::{
    ACCOUNT, CHANGE_PASSWORD, Device, LOGOUT, MAX_REVOCATION_DELAY, SESSION_TTL, SESSIONS,
    clone_sessions, cloned, count, get_session, is_revoked, login, refresh, refreshed,
    rows_per_statement, until_refused, user_with_device,
};
use crate::auth::login::{LOGIN, credentials};
use crate::auth::logout::{assert_logged_out, by_access};

on_both_engines! {
    the_login_after_the_hundredth_session_ends_the_one_unused_longest,
    expired_and_revoked_sessions_do_not_count,
    a_sign_in_by_better_auth_counts_as_well,
    parallel_logins_do_not_exceed_the_limit,
    parallel_logins_on_two_processes_do_not_exceed_the_limit,
    a_replaced_session_is_rejected_by_every_process,
    a_login_brings_an_old_account_to_the_limit,
    a_logout_ends_thousands_of_sessions,
    a_change_of_password_ends_thousands_of_sessions,
    an_account_with_thousands_of_sessions_is_deleted,
    other_accounts_write_while_thousands_of_sessions_are_revoked,
}

on_postgres! {
    no_statement_ends_more_than_a_batch,
}

const LIMIT: usize = 100;
const SECOND: Duration = Duration::from_secs(1);

async fn listed(app: &App, device: &Device) -> usize {
    let sessions = app.bearer(device.access.as_str()).get(SESSIONS).await.ok();
    sessions.as_array().unwrap().len()
}

fn live_rows(app: &App) -> u64 {
    count(app, "sessions WHERE revoked_at IS NULL")
}

/// Returns a user with `before` sessions: an old device, clones of it that were used later, and a login.
async fn crowded(app: &App, before: usize) -> (Client, Device, Device) {
    let (ada, oldest) = user_with_device(app, "ada").await;
    clone_sessions(app, &oldest.session, before - 2);
    app.database().execute(
        "UPDATE sessions SET last_used_at = '2026-11-20 12:58:00' \
         WHERE id LIKE '00000000-0000-7000-8000-%'",
    );
    app.clock.advance(60 * SECOND);
    let device = login(app, &ada).await;
    (ada, oldest, device)
}

async fn the_login_after_the_hundredth_session_ends_the_one_unused_longest(app: App) {
    let (ada, oldest, device) = crowded(&app, LIMIT - 1).await;
    login(&app, &ada).await;
    assert_eq!(listed(&app, &device).await, LIMIT);
    get_session(&app, &oldest.access).await.ok();

    // A refresh counts as a use, so the clones are now the least recently used.
    let oldest = refreshed(&app, &oldest).await;
    login(&app, &ada).await;
    assert_eq!(listed(&app, &device).await, LIMIT);
    get_session(&app, &oldest.access).await.ok();
    assert!(is_revoked(&app, &cloned(1)));
    assert!(!is_revoked(&app, &cloned(2)));

    app.database().execute(&format!(
        "UPDATE sessions SET last_used_at = created_at WHERE id = '{}'",
        oldest.session
    ));
    login(&app, &ada).await;
    assert_eq!(listed(&app, &device).await, LIMIT);
    let refused = get_session(&app, &oldest.access).await;
    refused.problem(401, "TOKEN_REVOKED");
    let refused = refresh(&app, &oldest.refresh).await;
    refused.problem(401, "SESSION_EXPIRED");
}

async fn expired_and_revoked_sessions_do_not_count(app: App) {
    let (ada, ended, _) = crowded(&app, LIMIT).await;
    assert_logged_out(by_access(&app, &ended, json!({})).await, 1);
    let before = live_rows(&app);
    login(&app, &ada).await;
    assert_eq!(live_rows(&app), before + 1);

    app.clock.advance(SESSION_TTL);
    let before = live_rows(&app);
    let device = login(&app, &ada).await;
    assert_eq!(live_rows(&app), before + 1);
    assert_eq!(listed(&app, &device).await, 1);
}

async fn a_sign_in_by_better_auth_counts_as_well(app: App) {
    let (ada, oldest, device) = crowded(&app, LIMIT).await;
    let body = json!({ "email": ada.email(), "password": ada.password() });
    let signed_in = app.anonymous().post("/api/auth/sign-in/email", body).await;
    signed_in.ok();
    assert_eq!(listed(&app, &device).await, LIMIT);
    let refused = get_session(&app, &oldest.access).await;
    refused.problem(401, "TOKEN_REVOKED");
}

async fn log_in_at_once(apps: &[&App], ada: &Client, times: usize) {
    let logins = (0..times).map(|number| {
        let body = credentials(ada.email(), ada.password());
        let app = apps[number % apps.len()];
        app.anonymous().post(LOGIN, body).into_future()
    });
    for response in join_all(logins).await {
        response.ok();
    }
}

async fn parallel_logins_do_not_exceed_the_limit(app: App) {
    let (ada, _, device) = crowded(&app, LIMIT - 5).await;
    log_in_at_once(&[&app], &ada, 20).await;
    assert_eq!(listed(&app, &device).await, LIMIT);
    assert_eq!(live_rows(&app), LIMIT as u64);
}

async fn parallel_logins_on_two_processes_do_not_exceed_the_limit(app: App) {
    let other = app.another_process().start();
    let (ada, _, device) = crowded(&app, LIMIT - 5).await;
    log_in_at_once(&[&app, &other], &ada, 20).await;
    assert_eq!(listed(&app, &device).await, LIMIT);
    assert_eq!(live_rows(&app), LIMIT as u64);
}

async fn a_replaced_session_is_rejected_by_every_process(app: App) {
    let other = app.another_process().start();
    let (ada, oldest, _) = crowded(&app, LIMIT).await;
    get_session(&other, &oldest.access).await.ok();
    login(&app, &ada).await;
    let delay = until_refused(&other, &oldest.access, "TOKEN_REVOKED").await;
    assert!(delay < MAX_REVOCATION_DELAY, "{delay:?}");
}

/// More than two batches.
const OLD: usize = 612;

async fn a_login_brings_an_old_account_to_the_limit(app: App) {
    let (_, eves) = user_with_device(&app, "eve").await;
    let (ada, oldest) = user_with_device(&app, "ada").await;
    clone_sessions(&app, &oldest.session, OLD);
    app.clock.advance(SECOND);
    let device = login(&app, &ada).await;
    assert_eq!(listed(&app, &device).await, LIMIT);
    get_session(&app, &device.access).await.ok();
    assert_eq!(count(&app, "revocations"), 2 + (OLD as u64) + 2 - 100);
    refreshed(&app, &eves).await;
}

async fn a_logout_ends_thousands_of_sessions(app: App) {
    let other = app.another_process().start();
    let (_, eves) = user_with_device(&app, "eve").await;
    let (_, device) = user_with_device(&app, "ada").await;
    clone_sessions(&app, &device.session, 2500);
    let response = by_access(&app, &device, json!({ "scope": "others" })).await;
    assert_eq!(response.ok()["revoked"], 2500);
    assert_eq!(listed(&app, &device).await, 1);
    clone_again(&app, &device, 2500);
    let response = by_access(&app, &device, json!({ "scope": "all" })).await;
    assert_logged_out(response, 2501);
    let delay = until_refused(&other, &device.access, "TOKEN_REVOKED").await;
    assert!(delay < MAX_REVOCATION_DELAY, "{delay:?}");
    assert_eq!(live_rows(&app), 1);
    refreshed(&app, &eves).await;
}

fn clone_again(app: &App, device: &Device, times: usize) {
    let spent = "DELETE FROM sessions WHERE id LIKE '00000000-0000-7000-8000-%'";
    app.database().execute(spent);
    clone_sessions(app, &device.session, times);
}

async fn a_change_of_password_ends_thousands_of_sessions(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    clone_sessions(&app, &device.session, 2500);
    let body =
        json!({ "current_password": ada.password(), "new_password": "another good password" });
    let bearer = app.bearer(device.access.as_str());
    let next = Device::from_response(&bearer.post(CHANGE_PASSWORD, body).await.ok());
    assert_eq!(listed(&app, &next).await, 1);
    assert_eq!(live_rows(&app), 1);
}

async fn an_account_with_thousands_of_sessions_is_deleted(app: App) {
    let other = app.another_process().start();
    let (ada, device) = user_with_device(&app, "ada").await;
    clone_sessions(&app, &device.session, 2500);
    let body = json!({ "password": ada.password() });
    let bearer = app.bearer(device.access.as_str());
    bearer.delete(ACCOUNT).body(body).await.ok();
    assert_eq!(count(&app, "sessions"), 0);
    assert_eq!(count(&app, "users"), 0);
    assert_eq!(count(&app, "revocations"), 1 + 2501);
    let delay = until_refused(&other, &device.access, "TOKEN_REVOKED").await;
    assert!(delay < MAX_REVOCATION_DELAY, "{delay:?}");
    let refused = bearer.post(LOGOUT, json!({})).await;
    assert_eq!(refused.ok()["revoked"], 0);
}

/// Counts the sequential writes of another account that succeed while a request runs.
async fn writes_during(eve: &Client, request: e2e::Request) -> usize {
    let request = request.into_future();
    tokio::pin!(request);
    for writes in 0.. {
        let write = eve.post(&eve.tasks(), json!({ "title": "meanwhile" }));
        tokio::select! {
            biased;
            response = &mut request => {
                response.ok();
                return writes;
            }
            written = write.into_future() => drop(written.created()),
        }
    }
    unreachable!("requests end")
}

async fn other_accounts_write_while_thousands_of_sessions_are_revoked(app: App) {
    let eve = app.user("eve").await;
    let (_, device) = user_with_device(&app, "ada").await;
    clone_sessions(&app, &device.session, 5000);
    let logout = by_access(&app, &device, json!({ "scope": "all" }));
    let writes = writes_during(&eve, logout).await;
    assert!(writes >= 5, "{writes}");
    assert_eq!(live_rows(&app), 1);
}

async fn no_statement_ends_more_than_a_batch(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    clone_sessions(&app, &device.session, 1800);
    let most_rows = rows_per_statement(&app, "UPDATE");
    let device = login(&app, &ada).await;
    clone_again(&app, &device, 1800);
    assert_logged_out(
        by_access(&app, &device, json!({ "scope": "all" })).await,
        1802,
    );
    // Two batches, and the session of the request.
    assert_eq!(app.database().value(most_rows).as_deref(), Some("201"));
}

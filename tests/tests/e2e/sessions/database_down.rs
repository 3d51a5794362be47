//! Tests a server whose database is unreachable or locked. The server responds to a refresh with 503. It verifies
//! tokens with the revocations that were read before, or rejects them with 503 after a configured time. When the
//! database returns, the server reads the revocations of the outage.

use e2e::{App, Engine, Proxy, on_both_engines, on_postgres};
use serde_json::json;

use super::fixtures::{
    counter, get_session, login, refresh, refreshed, until_rejected, user_with_device, wait_until,
};
use crate::auth::logout::{assert_logged_out, by_access, by_body, by_cookies};

on_both_engines! {
    while_writes_are_blocked_a_refresh_is_503_and_later_the_same_token_is_accepted,
}

on_postgres! {
    a_process_that_cannot_read_revocations_for_too_long_rejects_tokens_with_503_if_configured,
    while_the_database_is_unreachable_a_refresh_is_503_and_later_the_same_token_is_accepted,
    a_disconnected_process_verifies_with_known_revocations_and_catches_up,
    a_process_whose_database_is_silent_verifies_with_known_revocations_and_catches_up,
}

async fn while_writes_are_blocked_a_refresh_is_503_and_later_the_same_token_is_accepted(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let second_device = login(&app, &ada).await;
    let mut transaction = app.database().open_session();
    transaction.execute(match &transaction {
        e2e::DatabaseSession::Sqlite(_) => "BEGIN IMMEDIATE",
        e2e::DatabaseSession::Postgres(_) => {
            "BEGIN; LOCK TABLE sessions, revocations, revocation_sequence"
        }
    });
    let (refresh_response, logout_response) = tokio::join!(
        refresh(&app, &device.refresh).into_future(),
        by_access(&app, &second_device, json!({})).into_future(),
    );
    refresh_response.problem(503, "DATABASE_UNAVAILABLE");
    assert!(logout_response.header_values("set-cookie").is_empty());
    logout_response.problem(503, "DATABASE_UNAVAILABLE");
    get_session(&app, &device.access).await.ok();
    transaction.execute("ROLLBACK");
    drop(transaction);
    // On PostgreSQL, the refresh that got a 503 may still run. A second refresh with the same token then finds that the
    // counter has advanced, and returns the tokens of the first refresh.
    let refreshed_device = refreshed(&app, &device).await;
    assert_eq!(counter(&app, &device.session), 1);
    refreshed(&app, &refreshed_device).await;
}

/// Two servers on one database, one of which connects through a proxy that a test can interrupt.
struct Servers {
    direct_server: App,
    proxied_server: App,
    proxy: Proxy,
}

async fn start_servers() -> Servers {
    let direct_server = App::on(Engine::Postgres).start();
    let proxy = Proxy::for_database(direct_server.database());
    let url = proxy.url(direct_server.database());
    let proxied_server = direct_server
        .another_process()
        .set("database-url", &url)
        .start();
    // Waits until the server has read the revocations: if this first read fails, the server stops.
    proxied_server.anonymous().get("/readyz").await.ok();
    Servers {
        direct_server,
        proxied_server,
        proxy,
    }
}

async fn while_the_database_is_unreachable_a_refresh_is_503_and_later_the_same_token_is_accepted(
    _: Engine,
) {
    let Servers {
        direct_server,
        proxied_server,
        proxy,
    } = start_servers().await;
    let (_, mut device) = user_with_device(&direct_server, "ada").await;
    for refresh_count in 1..=3 {
        proxy.cut();
        for _ in 0..3 {
            let refused = refresh(&proxied_server, &device.refresh).await;
            refused.problem(503, "DATABASE_UNAVAILABLE");
        }
        for log_out in [by_access, by_body, by_cookies] {
            let refused = log_out(&proxied_server, &device, json!({})).await;
            refused.problem(503, "DATABASE_UNAVAILABLE");
        }
        proxy.resume();
        wait_until("the server is ready again", async || {
            proxied_server.anonymous().get("/readyz").await.status() == 200
        })
        .await;
        device = refreshed(&proxied_server, &device).await;
        assert_eq!(counter(&direct_server, &device.session), refresh_count);
    }
}

async fn a_process_that_cannot_read_revocations_for_too_long_rejects_tokens_with_503_if_configured(
    _: Engine,
) {
    let direct_server = App::on(Engine::Postgres).start();
    let proxy = Proxy::for_database(direct_server.database());
    let url = proxy.url(direct_server.database());
    let proxied_server = direct_server
        .another_process()
        .set("database-url", &url)
        .set("revocation-stale-after", "3s")
        .start();
    let (ada, device) = user_with_device(&direct_server, "ada").await;
    let missed_device = login(&direct_server, &ada).await;
    get_session(&proxied_server, &device.access).await.ok();

    proxy.cut();
    assert_logged_out(
        by_access(&direct_server, &missed_device, json!({})).await,
        1,
    );
    wait_until("tokens are rejected", async || {
        get_session(&proxied_server, &device.access).await.status() == 503
    })
    .await;
    let refused = get_session(&proxied_server, &device.access).await;
    refused.problem(503, "DATABASE_UNAVAILABLE");
    // An invalid token gets a 401, because the caller need not try again.
    let invalid = get_session(&proxied_server, "no token").await;
    invalid.problem(401, "INVALID_TOKEN");
    // The process that reads revocations accepts the token.
    get_session(&direct_server, &device.access).await.ok();

    proxy.resume();
    wait_until("tokens are accepted again", async || {
        get_session(&proxied_server, &device.access).await.status() == 200
    })
    .await;
    // A token that was revoked during the outage is rejected as soon as tokens are accepted again.
    let revoked = get_session(&proxied_server, &missed_device.access).await;
    revoked.problem(401, "TOKEN_REVOKED");
}

/// Asserts that, while the connection to the database is interrupted, the server still rejects `known_device`, whose
/// session was revoked earlier. Later the server also rejects `missed_device`, whose session was revoked during the
/// interruption, and `late_device`, whose session was revoked after the interruption.
async fn assert_catches_up(interrupt: fn(&Proxy)) {
    let Servers {
        direct_server,
        proxied_server,
        proxy,
    } = start_servers().await;
    let (ada, known_device) = user_with_device(&direct_server, "ada").await;
    let (missed_device, live_device) = (
        login(&direct_server, &ada).await,
        login(&direct_server, &ada).await,
    );
    assert_logged_out(by_access(&direct_server, &known_device, json!({})).await, 1);
    until_rejected(&proxied_server, &known_device.access, "TOKEN_REVOKED").await;

    interrupt(&proxy);
    wait_until("the server is not ready", async || {
        proxied_server.anonymous().get("/readyz").await.status() == 503
    })
    .await;
    assert_logged_out(
        by_access(&direct_server, &missed_device, json!({})).await,
        1,
    );
    for device in [&missed_device, &live_device] {
        get_session(&proxied_server, &device.access).await.ok();
    }
    let refused = get_session(&proxied_server, &known_device.access).await;
    refused.problem(401, "TOKEN_REVOKED");
    let response = proxied_server.anonymous().get("/readyz").await;
    response.problem(503, "DATABASE_UNAVAILABLE");

    proxy.resume();
    until_rejected(&proxied_server, &missed_device.access, "TOKEN_REVOKED").await;
    wait_until("the server is ready again", async || {
        proxied_server.anonymous().get("/readyz").await.status() == 200
    })
    .await;
    get_session(&proxied_server, &live_device.access).await.ok();
    let late_device = login(&direct_server, &ada).await;
    assert_logged_out(by_access(&direct_server, &late_device, json!({})).await, 1);
    until_rejected(&proxied_server, &late_device.access, "TOKEN_REVOKED").await;
}

async fn a_disconnected_process_verifies_with_known_revocations_and_catches_up(_: Engine) {
    assert_catches_up(Proxy::cut).await;
}

async fn a_process_whose_database_is_silent_verifies_with_known_revocations_and_catches_up(
    _: Engine,
) {
    assert_catches_up(Proxy::silence).await;
}

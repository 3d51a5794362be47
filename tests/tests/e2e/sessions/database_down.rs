//! An unreachable database: tokens are verified with known revocations, refreshes wait, no revocation is missed.

use e2e::{App, Engine, Proxy, on_both_engines, on_postgres};
use serde_json::json;

use super::fixtures::{
    counter, eventually, get_session, login, refresh, refreshed, until_refused, user_with_device,
};
use crate::auth::logout::{assert_logged_out, by_access, by_body, by_cookies};

on_both_engines! {
    a_database_that_cannot_write_is_503_and_the_same_token_works_afterwards,
}

on_postgres! {
    an_unreachable_database_is_503_and_the_same_token_works_afterwards,
    a_disconnected_process_verifies_with_known_revocations_and_catches_up,
    a_process_with_a_silent_database_verifies_with_known_revocations_and_catches_up,
}

async fn a_database_that_cannot_write_is_503_and_the_same_token_works_afterwards(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let ended = login(&app, &ada).await;
    let mut other = app.database().session();
    other.execute(match &other {
        e2e::Session::Sqlite(_) => "BEGIN IMMEDIATE",
        e2e::Session::Postgres(_) => "BEGIN; LOCK TABLE sessions, revocations, revocation_sequence",
    });
    let (refreshing, logging_out) = tokio::join!(
        refresh(&app, &device.refresh).into_future(),
        by_access(&app, &ended, json!({})).into_future(),
    );
    refreshing.problem(503, "DATABASE_UNAVAILABLE");
    assert!(logging_out.all("set-cookie").is_empty());
    logging_out.problem(503, "DATABASE_UNAVAILABLE");
    get_session(&app, &device.access).await.ok();
    other.execute("ROLLBACK");
    drop(other);
    // A write that timed out may still arrive; then this one finds the counter advanced.
    let next = refreshed(&app, &device).await;
    assert_eq!(counter(&app, &device.session), 1);
    refreshed(&app, &next).await;
}

/// A server whose connection to the database can be cut, and one with a direct connection.
fn pair() -> (App, App, Proxy) {
    let direct = App::on(Engine::Postgres).start();
    let proxy = Proxy::before(direct.database());
    let url = proxy.url(direct.database());
    let through = direct.another_process().set("database-url", &url).start();
    (direct, through, proxy)
}

async fn an_unreachable_database_is_503_and_the_same_token_works_afterwards(_: Engine) {
    let (direct, through, proxy) = pair();
    let (_, mut device) = user_with_device(&direct, "ada").await;
    for step in 1..=3 {
        proxy.cut();
        for _ in 0..3 {
            let refused = refresh(&through, &device.refresh).await;
            refused.problem(503, "DATABASE_UNAVAILABLE");
        }
        for credential in [by_access, by_body, by_cookies] {
            let refused = credential(&through, &device, json!({})).await;
            refused.problem(503, "DATABASE_UNAVAILABLE");
        }
        proxy.mend();
        eventually("the database is back", async || {
            through.anonymous().get("/readyz").await.status() == 200
        })
        .await;
        device = refreshed(&through, &device).await;
        assert_eq!(counter(&direct, &device.session), step);
    }
}

async fn catches_up(hang_up: fn(&Proxy)) {
    let (direct, through, proxy) = pair();
    let (ada, known) = user_with_device(&direct, "ada").await;
    let (during, lives) = (login(&direct, &ada).await, login(&direct, &ada).await);
    assert_logged_out(by_access(&direct, &known, json!({})).await, 1);
    until_refused(&through, &known.access, "TOKEN_REVOKED").await;

    hang_up(&proxy);
    eventually("it reports the error", async || {
        through.anonymous().get("/readyz").await.status() == 503
    })
    .await;
    assert_logged_out(by_access(&direct, &during, json!({})).await, 1);
    for device in [&during, &lives] {
        get_session(&through, &device.access).await.ok();
    }
    let refused = get_session(&through, &known.access).await;
    refused.problem(401, "TOKEN_REVOKED");
    let unready = through.anonymous().get("/readyz").await;
    unready.problem(503, "DATABASE_UNAVAILABLE");

    proxy.mend();
    until_refused(&through, &during.access, "TOKEN_REVOKED").await;
    eventually("it is ready again", async || {
        through.anonymous().get("/readyz").await.status() == 200
    })
    .await;
    get_session(&through, &lives.access).await.ok();
    let more = login(&direct, &ada).await;
    assert_logged_out(by_access(&direct, &more, json!({})).await, 1);
    until_refused(&through, &more.access, "TOKEN_REVOKED").await;
}

async fn a_disconnected_process_verifies_with_known_revocations_and_catches_up(_: Engine) {
    catches_up(Proxy::cut).await;
}

async fn a_process_with_a_silent_database_verifies_with_known_revocations_and_catches_up(
    _: Engine,
) {
    catches_up(Proxy::silence).await;
}

//! An unreachable database: tokens are verified with the known revocations, a refresh is 503 and succeeds later, and no
//! revocation is missed.

use e2e::{App, Engine, Proxy, on_both_engines, on_postgres};
use serde_json::json;

use super::fixtures::{
    counter, eventually, get_session, login, refresh, refreshed, until_rejected, user_with_device,
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
    let other = login(&app, &ada).await;
    let mut lock = app.database().open_session();
    lock.execute(match &lock {
        e2e::DatabaseSession::Sqlite(_) => "BEGIN IMMEDIATE",
        e2e::DatabaseSession::Postgres(_) => {
            "BEGIN; LOCK TABLE sessions, revocations, revocation_sequence"
        }
    });
    let (refreshing, logging_out) = tokio::join!(
        refresh(&app, &device.refresh).into_future(),
        by_access(&app, &other, json!({})).into_future(),
    );
    refreshing.problem(503, "DATABASE_UNAVAILABLE");
    assert!(logging_out.all("set-cookie").is_empty());
    logging_out.problem(503, "DATABASE_UNAVAILABLE");
    get_session(&app, &device.access).await.ok();
    lock.execute("ROLLBACK");
    drop(lock);
    // A write that timed out may still run. This refresh then finds the counter advanced and returns the same tokens.
    let next = refreshed(&app, &device).await;
    assert_eq!(counter(&app, &device.session), 1);
    refreshed(&app, &next).await;
}

/// Two servers on one database. Tests interrupt the connection of one of them.
struct Servers {
    direct: App,
    behind_proxy: App,
    proxy: Proxy,
}

fn servers() -> Servers {
    let direct = App::on(Engine::Postgres).start();
    let proxy = Proxy::for_database(direct.database());
    let url = proxy.url(direct.database());
    let behind_proxy = direct.another_process().set("database-url", &url).start();
    Servers {
        direct,
        behind_proxy,
        proxy,
    }
}

async fn an_unreachable_database_is_503_and_the_same_token_works_afterwards(_: Engine) {
    let Servers {
        direct,
        behind_proxy,
        proxy,
    } = servers();
    let (_, mut device) = user_with_device(&direct, "ada").await;
    for step in 1..=3 {
        proxy.cut();
        for _ in 0..3 {
            let refused = refresh(&behind_proxy, &device.refresh).await;
            refused.problem(503, "DATABASE_UNAVAILABLE");
        }
        for credential in [by_access, by_body, by_cookies] {
            let refused = credential(&behind_proxy, &device, json!({})).await;
            refused.problem(503, "DATABASE_UNAVAILABLE");
        }
        proxy.resume();
        eventually("the server is ready again", async || {
            behind_proxy.anonymous().get("/readyz").await.status() == 200
        })
        .await;
        device = refreshed(&behind_proxy, &device).await;
        assert_eq!(counter(&direct, &device.session), step);
    }
}

async fn assert_catches_up(interrupt: fn(&Proxy)) {
    let Servers {
        direct,
        behind_proxy,
        proxy,
    } = servers();
    let (ada, revoked_before) = user_with_device(&direct, "ada").await;
    let (revoked_during, live) = (login(&direct, &ada).await, login(&direct, &ada).await);
    assert_logged_out(by_access(&direct, &revoked_before, json!({})).await, 1);
    until_rejected(&behind_proxy, &revoked_before.access, "TOKEN_REVOKED").await;

    interrupt(&proxy);
    eventually("the server is not ready", async || {
        behind_proxy.anonymous().get("/readyz").await.status() == 503
    })
    .await;
    assert_logged_out(by_access(&direct, &revoked_during, json!({})).await, 1);
    for device in [&revoked_during, &live] {
        get_session(&behind_proxy, &device.access).await.ok();
    }
    let refused = get_session(&behind_proxy, &revoked_before.access).await;
    refused.problem(401, "TOKEN_REVOKED");
    let unready = behind_proxy.anonymous().get("/readyz").await;
    unready.problem(503, "DATABASE_UNAVAILABLE");

    proxy.resume();
    until_rejected(&behind_proxy, &revoked_during.access, "TOKEN_REVOKED").await;
    eventually("the server is ready again", async || {
        behind_proxy.anonymous().get("/readyz").await.status() == 200
    })
    .await;
    get_session(&behind_proxy, &live.access).await.ok();
    let revoked_after = login(&direct, &ada).await;
    assert_logged_out(by_access(&direct, &revoked_after, json!({})).await, 1);
    until_rejected(&behind_proxy, &revoked_after.access, "TOKEN_REVOKED").await;
}

async fn a_disconnected_process_verifies_with_known_revocations_and_catches_up(_: Engine) {
    assert_catches_up(Proxy::cut).await;
}

async fn a_process_with_a_silent_database_verifies_with_known_revocations_and_catches_up(
    _: Engine,
) {
    assert_catches_up(Proxy::silence).await;
}

//! Tests the limit on the requests of one account that wait for the database, and that requests of other accounts are
//! served meanwhile.

use e2e::{App, Client, DatabaseSession, Engine, Response, on_both_engines, on_postgres};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::sessions::fixtures::{login, refresh, refreshed, wait_until};

on_both_engines! {
    requests_beyond_the_limit_of_an_account_are_429_and_other_accounts_are_served,
    the_limit_of_an_account_is_a_setting,
    requests_beyond_the_limit_of_the_server_are_503,
    other_accounts_are_served_while_an_account_searches,
    repeated_logouts_of_the_other_sessions_count_towards_the_limit_of_the_account,
    requests_without_an_account_count_towards_the_limit_of_their_network,
    requests_of_all_kinds_without_an_account_count_towards_the_limit_of_their_network,
}

// This test locks the rows of one account, which SQLite cannot do.
on_postgres! {
    all_sessions_of_an_account_share_one_limit,
}

/// More changes than the server accepts at the same time from one account: 256 can wait, and on SQLite 128 more can be
/// in the current transaction, together 384.
const CHANGE_COUNT: usize = 400;

/// The detail of a 429 beyond the limit.
const ACCOUNT_BUSY: &str = "Too many requests of this account or network at once; please try again";

/// The most changes that can be in the current transaction on SQLite.
const TRANSACTION_SIZE: usize = 128;

/// Locks a task, or on SQLite the database, until the session is dropped.
fn lock_task(app: &App, engine: Engine, task: &Value) -> DatabaseSession {
    let mut session = app.database().open_session();
    session.execute(&match engine {
        Engine::Sqlite => "BEGIN IMMEDIATE".to_owned(),
        Engine::Postgres => {
            let id = &task["id"];
            format!("BEGIN; SELECT 1 FROM tasks WHERE id = {id} FOR UPDATE")
        }
    });
    session
}

/// Sends this many changes of a locked task, and asserts that each response is a 429 or a 503. Returns the number of
/// responses with 429, and of those with 503.
async fn send_changes(client: &Client, task: &Value, count: usize) -> (usize, usize) {
    let body = json!({ "title": "Buy oat milk" });
    let path = client.task(&task["id"]);
    let changes = (0..count).map(|_| client.patch(&path, body.clone()).into_future());
    let (mut rejected_count, mut unavailable_count) = (0, 0);
    for response in join_all(changes).await {
        if response.status() == 503 {
            response.problem(503, "DATABASE_UNAVAILABLE");
            unavailable_count += 1;
            continue;
        }
        assert_eq!(response.header("retry-after"), Some("1"));
        let problem = response.problem(429, "TOO_MANY_REQUESTS");
        assert_eq!(problem["detail"], ACCOUNT_BUSY);
        rejected_count += 1;
    }
    (rejected_count, unavailable_count)
}

async fn requests_beyond_the_limit_of_an_account_are_429_and_other_accounts_are_served(
    engine: Engine,
) {
    let app = App::on(engine).start();
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let ada_task = ada.new_task("Buy tea").await;
    let locked_task = eve.new_task("Buy milk").await;
    let mut locking_session = lock_task(&app, engine, &locked_task);
    let requests_of_ada = async {
        for _ in 0..10 {
            assert_eq!(ada.all_tasks().await, json!([ada_task]));
            ada.get("/api/auth/account").await.ok();
            if engine == Engine::Postgres {
                ada.patch(&ada.task(&ada_task["id"]), json!({})).await.ok();
            }
        }
    };
    let ((rejected_count, unavailable_count), ()) = tokio::join!(
        send_changes(&eve, &locked_task, CHANGE_COUNT),
        requests_of_ada
    );
    assert!(
        rejected_count >= CHANGE_COUNT - 256 - TRANSACTION_SIZE,
        "{rejected_count}"
    );
    assert!(unavailable_count > 0, "{unavailable_count}");
    locking_session.execute("ROLLBACK");
    wait_until(
        "the requests that were given up leave the queue",
        async || {
            let body = json!({ "title": "Buy oat milk" });
            eve.patch(&eve.task(&locked_task["id"]), body)
                .await
                .status()
                == 200
        },
    )
    .await;
}

async fn the_limit_of_an_account_is_a_setting(engine: Engine) {
    let options = App::on(engine).set("max-waiting-queries-per-account", "8");
    let app = options.start();
    let ada = app.user("ada").await;
    let task = ada.new_task("Buy milk").await;
    let _locking_session = lock_task(&app, engine, &task);
    let (rejected_count, _) = send_changes(&ada, &task, 200).await;
    assert!(
        rejected_count >= 200 - 8 - TRANSACTION_SIZE,
        "{rejected_count}"
    );
}

async fn requests_beyond_the_limit_of_the_server_are_503(engine: Engine) {
    let options = App::on(engine).set("max-waiting-queries", "8");
    let app = options.set("max-waiting-queries-per-account", "7").start();
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let mut locking_session = app.database().open_session();
    locking_session.execute(match engine {
        Engine::Sqlite => "BEGIN IMMEDIATE",
        Engine::Postgres => "BEGIN; LOCK TABLE users",
    });
    let changes = (0..CHANGE_COUNT).map(|number| {
        let caller = if number % 2 == 0 { &ada } else { &eve };
        let request = caller.patch("/api/auth/account", json!({ "name": "Ada" }));
        request.into_future()
    });
    let responses = join_all(changes).await;
    let is_expected = |response: &Response| matches!(response.status(), 429 | 503);
    assert!(responses.iter().all(is_expected), "{responses:?}");
    let is_overload = |response: &&Response| response.code() == "OVERLOADED";
    let overload_count = responses.iter().filter(is_overload).count();
    // The queue has 8 places, and each of the two users gets at most 7 of them. When the queue is full, at least one
    // user has fewer than 7, and gets `OVERLOADED` for each further request. The other user may get a 429 instead.
    let least_count = CHANGE_COUNT / 2 - 8 - TRANSACTION_SIZE;
    assert!(overload_count >= least_count, "{overload_count}");
}

async fn other_accounts_are_served_while_an_account_searches(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let task = ada.new_task("Buy milk").await;
    for _ in 0..30 {
        let body = json!({ "title": "x", "description": "x".repeat(10_000) });
        eve.post("/api/tasks", body).await.created();
    }
    let searches_of_eve = async {
        let searches = (0..64).map(|_| eve.get("/api/tasks?q=bread").into_future());
        for response in join_all(searches).await {
            match response.status() {
                200 => assert_eq!(response.ok(), json!([])),
                _ => drop(response.problem(429, "TOO_MANY_REQUESTS")),
            }
        }
    };
    let list_requests_of_ada = async {
        for _ in 0..20 {
            assert_eq!(ada.all_tasks().await, json!([task]));
        }
    };
    tokio::join!(searches_of_eve, list_requests_of_ada);
}

async fn repeated_logouts_of_the_other_sessions_count_towards_the_limit_of_the_account(
    engine: Engine,
) {
    let app = App::on(engine).start();
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let task = ada.new_task("Buy tea").await;
    // The refresh records the account of the session; before it, the session counts as an account of its own.
    let device = login(&app, &eve).await;
    let device = refreshed(&app, &device).await;
    let mut locking_session = app.database().open_session();
    locking_session.execute(&match engine {
        Engine::Sqlite => "BEGIN IMMEDIATE".to_owned(),
        Engine::Postgres => format!(
            "BEGIN; SELECT 1 FROM users WHERE id = '{}' FOR UPDATE",
            eve.id()
        ),
    });
    let caller = app.bearer(&device.access);
    let logouts = (0..CHANGE_COUNT).map(|_| {
        let request = caller.post("/api/auth/logout", json!({ "scope": "others" }));
        request.into_future()
    });
    let list_requests_of_ada = async {
        for _ in 0..10 {
            assert_eq!(ada.all_tasks().await, json!([task]));
        }
    };
    let (responses, ()) = tokio::join!(join_all(logouts), list_requests_of_ada);
    let statuses: Vec<u16> = responses.iter().map(Response::status).collect();
    assert!(statuses.iter().all(|status| matches!(status, 429 | 503)));
    let rejected_count = statuses.iter().filter(|status| **status == 429).count();
    let least_count = CHANGE_COUNT - 256 - TRANSACTION_SIZE;
    assert!(rejected_count >= least_count, "{statuses:?}");
    locking_session.execute("ROLLBACK");
    caller.post("/api/auth/logout", json!({})).await.ok();
}

async fn all_sessions_of_an_account_share_one_limit(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let task = ada.new_task("Buy tea").await;
    let mut devices = Vec::new();
    for _ in 0..24 {
        let device = login(&app, &eve).await;
        devices.push(refreshed(&app, &device).await);
    }
    let mut locking_session = app.database().open_session();
    locking_session.execute(&format!(
        "BEGIN; SELECT 1 FROM sessions WHERE user_id = '{}' FOR UPDATE",
        eve.id()
    ));
    let refreshes = devices
        .iter()
        .map(|device| refresh(&app, &device.refresh).into_future());
    let list_requests_of_ada = async {
        for _ in 0..10 {
            assert_eq!(ada.all_tasks().await, json!([task]));
        }
    };
    let (responses, ()) = tokio::join!(join_all(refreshes), list_requests_of_ada);
    for response in responses {
        assert!(matches!(response.status(), 429 | 503), "{response:?}");
    }
    locking_session.execute("ROLLBACK");
}

/// Returns the body of a confirmation with a wrong code. Confirming a change of an email address needs no session.
fn wrong_code() -> Value {
    json!({ "challenge_id": "01a1f94f-16aa-7226-bd98-4498a57be982", "code": "wrong" })
}

async fn requests_without_an_account_count_towards_the_limit_of_their_network(engine: Engine) {
    // On PostgreSQL, the locked table blocks eight of the ten database threads: seven with requests of the network, and
    // one with a query of the sender of mails.
    let options = App::on(engine).set("database-pool-size", "10");
    let app = options.behind_proxy().start();
    let ada = app.user("ada").await;
    let caller = app.anonymous();
    let confirmation = |ip_address: &str| {
        let request = caller.post("/api/auth/email-change/confirm", wrong_code());
        request.header("x-forwarded-for", ip_address).into_future()
    };
    let mut locking_session = app.database().open_session();
    locking_session.execute(match engine {
        Engine::Sqlite => "BEGIN IMMEDIATE",
        Engine::Postgres => "BEGIN; LOCK TABLE outbox",
    });
    let flood = async {
        let responses = join_all((0..CHANGE_COUNT).map(|_| confirmation("198.51.100.7"))).await;
        responses
            .iter()
            .filter(|response| response.status() == 429)
            .count()
    };
    let requests_of_ada = async {
        for _ in 0..10 {
            ada.get("/api/auth/account").await.ok();
        }
        // The queue has space for the request of another network, which waits until the time limit.
        confirmation("198.51.100.8")
            .await
            .problem(503, "DATABASE_UNAVAILABLE");
    };
    let (rejected_count, ()) = tokio::join!(flood, requests_of_ada);
    assert!(
        rejected_count >= CHANGE_COUNT - 256 - TRANSACTION_SIZE,
        "{rejected_count}"
    );
    locking_session.execute("ROLLBACK");
    wait_until("the network can confirm again", async || {
        confirmation("198.51.100.7").await.status() == 400
    })
    .await;
}

async fn requests_of_all_kinds_without_an_account_count_towards_the_limit_of_their_network(
    engine: Engine,
) {
    let options = App::on(engine).set("max-waiting-queries-per-account", "2");
    let app = options.behind_proxy().start();
    let ada = app.user("ada").await;
    let device = login(&app, &ada).await;
    let mut locking_session = app.database().open_session();
    locking_session.execute(match engine {
        Engine::Sqlite => "BEGIN IMMEDIATE",
        Engine::Postgres => "BEGIN; LOCK TABLE outbox, sessions, users",
    });
    let caller = app.anonymous();
    let flood = |path: &str, body: &Value| {
        let requests = (0..200).map(|_| {
            let request = caller.post(path, body.clone());
            request
                .header("x-forwarded-for", "198.51.100.7")
                .into_future()
        });
        join_all(requests.collect::<Vec<_>>())
    };
    for (path, body) in [
        ("/api/auth/email-change/confirm", &wrong_code()),
        (
            "/api/auth/password-reset",
            &json!({ "email": "eve@example.com" }),
        ),
        (
            "/api/auth/logout",
            &json!({ "refresh_token": device.refresh }),
        ),
    ] {
        let responses = flood(path, body).await;
        let is_rejected = |response: &&Response| {
            response.status() == 429 && response.text().contains(ACCOUNT_BUSY)
        };
        assert!(
            responses.iter().any(|response| is_rejected(&response)),
            "{path}: {responses:?}"
        );
    }
    locking_session.execute("ROLLBACK");
}

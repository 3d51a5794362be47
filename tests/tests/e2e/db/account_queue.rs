//! The share of the database that one account may use.

use e2e::{App, Client, Engine, on_both_engines, on_postgres};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::sessions::fixtures::{eventually, login, refresh, refreshed};

on_both_engines! {
    requests_beyond_the_share_of_an_account_are_429_and_others_are_served,
    others_are_served_while_an_account_searches,
}

// Only PostgreSQL can lock the rows of one account.
on_postgres! {
    all_sessions_of_an_account_have_one_share,
}

/// More than the 256 requests that one account may have waiting plus the 128 writes of one commit.
const CHANGES: usize = 400;

/// Sends [`CHANGES`] changes of a locked task; returns the numbers of 429 and 503 responses.
async fn changes_of(client: &Client, task: &Value) -> (usize, usize) {
    let change = json!({ "title": "Buy oat milk" });
    let path = client.task(&task["id"]);
    let changes = (0..CHANGES).map(|_| client.patch(&path, change.clone()).into_future());
    let (mut refused, mut too_late) = (0, 0);
    for response in join_all(changes).await {
        if response.status() == 503 {
            response.problem(503, "DATABASE_UNAVAILABLE");
            too_late += 1;
            continue;
        }
        assert_eq!(response.header("retry-after"), Some("1"));
        let problem = response.problem(429, "TOO_MANY_REQUESTS");
        let detail = "Too many requests of this account at once; please try again";
        assert_eq!(problem["detail"], detail);
        refused += 1;
    }
    (refused, too_late)
}

async fn requests_beyond_the_share_of_an_account_are_429_and_others_are_served(engine: Engine) {
    let app = App::on(engine).start();
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let ada_task = ada.new_task("Buy tea").await;
    let locked = eve.new_task("Buy milk").await;
    let mut session = app.database().open_session();
    session.execute(&match engine {
        Engine::Sqlite => "BEGIN IMMEDIATE".to_owned(),
        Engine::Postgres => format!(
            "BEGIN; SELECT 1 FROM tasks WHERE id = {} FOR UPDATE",
            locked["id"]
        ),
    });
    let others = async {
        for _ in 0..10 {
            assert_eq!(ada.all_tasks().await, json!([ada_task]));
            ada.get("/api/auth/account").await.ok();
            if engine == Engine::Postgres {
                ada.patch(&ada.task(&ada_task["id"]), json!({})).await.ok();
            }
        }
    };
    let ((refused, too_late), ()) = tokio::join!(changes_of(&eve, &locked), others);
    assert!(refused >= CHANGES - 256 - 128, "{refused}");
    assert!(too_late > 0, "{too_late}");
    session.execute("ROLLBACK");
    eventually(
        "the requests that were given up leave the queue",
        async || {
            let change = json!({ "title": "Buy oat milk" });
            eve.patch(&eve.task(&locked["id"]), change).await.status() == 200
        },
    )
    .await;
}

async fn others_are_served_while_an_account_searches(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let task = ada.new_task("Buy milk").await;
    for _ in 0..30 {
        let body = json!({ "title": "x", "description": "x".repeat(10_000) });
        eve.post("/api/tasks", body).await.created();
    }
    let searches = async {
        let searches = (0..64).map(|_| eve.get("/api/tasks?q=bread").into_future());
        for response in join_all(searches).await {
            match response.status() {
                200 => assert_eq!(response.ok(), json!([])),
                _ => drop(response.problem(429, "TOO_MANY_REQUESTS")),
            }
        }
    };
    let others = async {
        for _ in 0..20 {
            assert_eq!(ada.all_tasks().await, json!([task]));
        }
    };
    tokio::join!(searches, others);
}

async fn all_sessions_of_an_account_have_one_share(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let task = ada.new_task("Buy tea").await;
    let mut devices = Vec::new();
    for _ in 0..24 {
        let device = login(&app, &eve).await;
        devices.push(refreshed(&app, &device).await);
    }
    let mut transaction = app.database().open_session();
    transaction.execute(&format!(
        "BEGIN; SELECT 1 FROM sessions WHERE user_id = '{}' FOR UPDATE",
        eve.id()
    ));
    let refreshes = devices
        .iter()
        .map(|device| refresh(&app, &device.refresh).into_future());
    let others = async {
        for _ in 0..10 {
            assert_eq!(ada.all_tasks().await, json!([task]));
        }
    };
    let (responses, ()) = tokio::join!(join_all(refreshes), others);
    for response in responses {
        assert!(matches!(response.status(), 429 | 503), "{response:?}");
    }
    transaction.execute("ROLLBACK");
}

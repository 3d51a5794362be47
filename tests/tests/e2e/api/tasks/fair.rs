//! An account's share of the database

use e2e::{App, Engine, on_both_engines};
use futures_util::future::join_all;
use serde_json::json;

on_both_engines! {
    what_an_account_asks_for_at_once_waits_and_then_is_429,
    others_are_served_while_an_account_asks_for_much,
}

/// More than the 256 requests of one account that may wait.
const STORM: usize = 400;

/// Many searches through long descriptions, at once. How many of them had a turn.
async fn storm(app: &App) -> usize {
    let eve = app.user("eve").await;
    let description = "x".repeat(10_000);
    for _ in 0..30 {
        let body = json!({ "title": "x", "description": description });
        eve.post("/api/tasks", body).await.created();
    }
    let searches = (0..STORM).map(|_| eve.get("/api/tasks?q=bread").into_future());
    let mut served = 0;
    for response in join_all(searches).await {
        if response.status() == 200 {
            served += 1;
            continue;
        }
        assert_eq!(response.header("retry-after"), Some("1"));
        let problem = response.refused(429, "TOO_MANY_REQUESTS");
        let detail = "Too many requests of this account at once; please try again";
        assert_eq!(problem["detail"], detail);
    }
    served
}

async fn what_an_account_asks_for_at_once_waits_and_then_is_429(engine: Engine) {
    let app = App::on(engine).start();
    let served = storm(&app).await;
    assert!((1..=STORM).contains(&served), "{served}");
}

async fn others_are_served_while_an_account_asks_for_much(engine: Engine) {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    let task = ada.new_task("Buy milk").await;
    let others = async {
        for _ in 0..50 {
            assert_eq!(ada.get("/api/tasks").await.ok(), json!([task]));
            ada.get("/api/auth/account").await.ok();
        }
    };
    tokio::join!(storm(&app), others);
}

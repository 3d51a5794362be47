//! `GET /api/{user_id}/tasks` with large pages and slow searches

use std::time::Duration;

use e2e::{App, Client, Engine, on_both_engines};
use serde_json::Value;

use super::page::{follow, next};

on_both_engines! {
    a_page_ends_at_a_mebibyte_and_the_link_goes_on,
    a_hostile_search_takes_no_longer_than_a_plain_one,
    a_search_that_takes_too_long_goes_on_at_the_next_page,
    a_letter_that_grows_when_lowered_is_found,
}

const MEBIBYTE: usize = 1 << 20;

/// Adds tasks directly in the database, which is faster than requests.
fn add(app: &App, client: &Client, count: usize, description: &str) {
    let row = format!(
        "('{}', 'Buy milk', '{description}', false, '2026-11-20 12:00:00', '2026-11-20 12:00:00')",
        client.id()
    );
    let mut session = app.database().session();
    for rows in vec![row; count].chunks(100) {
        session.execute(&format!(
            "INSERT INTO tasks (user_id, title, description, completed, created_at, updated_at) VALUES {}",
            rows.join(", ")
        ));
    }
}

async fn a_page_ends_at_a_mebibyte_and_the_link_goes_on(app: App) {
    let ada = app.user("ada").await;
    add(&app, &ada, 250, &"x".repeat(10_000));
    let first = ada.get("/api/tasks?limit=500").await;
    let bytes = first.text().len();
    assert!(bytes <= MEBIBYTE, "{bytes}");
    // One more task would not have fitted.
    let tasks = first.ok();
    let task = tasks[0].to_string().len();
    assert!(bytes + task > MEBIBYTE, "{bytes} + {task}");

    let pages = follow(&ada, "/api/tasks?limit=500").await;
    assert_eq!(pages.len(), 3);
    let ids = pages.concat();
    let ids = ids.iter().map(|task| task["id"].as_i64().unwrap());
    let ids: Vec<_> = ids.collect();
    assert_eq!(ids.len(), 250);
    assert!(ids.is_sorted_by(|newer, older| newer > older));
    // `limit` applies if it is the smaller bound.
    let few = ada.get("/api/tasks?limit=50").await.ok();
    assert_eq!(few.as_array().unwrap().len(), 50);
    let searched = follow(&ada, "/api/tasks?limit=500&q=XXX").await;
    assert_eq!(searched, pages);
}

/// Measures a search for this text in a task with 10 000 times `a`.
async fn searched(client: &Client, text: &str) -> Duration {
    let started = std::time::Instant::now();
    let found = client.get(&format!("/api/tasks?q={text}")).await.ok();
    assert_eq!(found, Value::Array(Vec::new()), "{text}");
    started.elapsed()
}

async fn a_hostile_search_takes_no_longer_than_a_plain_one(app: App) {
    let ada = app.user("ada").await;
    add(&app, &ada, 300, &"a".repeat(10_000));
    let hostile = format!("{}b", "a".repeat(199));
    let behind = format!("b{}", "a".repeat(199));
    let amid = format!("{}b{}", "a".repeat(99), "a".repeat(100));
    for text in [&hostile, &behind, &amid] {
        let mut ratios = Vec::new();
        // Takes the best of some tries, since other processes disturb the others.
        for _ in 0..5 {
            let plain = searched(&ada, "bread").await;
            ratios.push(searched(&ada, text).await.as_secs_f64() / plain.as_secs_f64());
        }
        let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        assert!(least < 8.0, "{text}: {ratios:?}");
    }
}

async fn a_search_that_takes_too_long_goes_on_at_the_next_page(engine: Engine) {
    let no_time = |limits: &mut api_server::limits::Limits| limits.list_timeout = Duration::ZERO;
    let app = App::on(engine).limits(no_time).start();
    let ada = app.user("ada").await;
    let oldest = ada.new_task("Find me").await;
    add(&app, &ada, 250, "");
    let newest = ada.new_task("Find me too").await;
    let first = ada.get("/api/tasks?q=FIND").await;
    let link = next(first.header("link").unwrap());
    assert_eq!(first.ok(), Value::from(vec![newest.clone()]));
    let second = ada.get(&link).await;
    assert!(second.header("link").is_some());
    assert_eq!(second.ok(), Value::from(vec![] as Vec<Value>));
    let found = follow(&ada, "/api/tasks?q=FIND").await.concat();
    assert_eq!(found, [newest, oldest]);
}

async fn a_letter_that_grows_when_lowered_is_found(app: App) {
    let ada = app.user("ada").await;
    let title = "İ".repeat(200);
    let task = ada.new_task(&title).await;
    for text in ["%C4%B0".repeat(200), "i%CC%87".repeat(100)] {
        let found = ada.get(&format!("/api/tasks?q={text}")).await.ok();
        assert_eq!(found, Value::from(vec![task.clone()]));
    }
}

//! Tests the pages of `GET /api/{user_id}/tasks` and the links between them.

use std::time::Duration;

use e2e::{App, Client, Engine, on_both_engines};
use serde_json::{Value, json};

use super::{base_paths, insert_tasks};

on_both_engines! {
    following_the_links_lists_every_task_once,
    a_full_last_page_has_no_next_link,
    the_default_page_has_100_tasks,
    a_link_keeps_the_filters,
    a_page_does_not_shift_when_a_task_is_added_or_deleted,
    a_page_has_at_most_a_mebibyte_and_links_to_the_next_page,
    a_search_that_takes_too_long_continues_on_the_next_page,
}

/// The largest page, in bytes.
const MAX_PAGE_BYTES: usize = 1 << 20;

/// Creates this many tasks. Returns the tasks in the order of a list, newest first.
async fn create_tasks(client: &Client, count: usize) -> Vec<Value> {
    let mut tasks = Vec::new();
    for number in 0..count {
        tasks.insert(0, client.new_task(&format!("task {number}")).await);
    }
    tasks
}

/// Returns the path and query of a `Link` header in the form `<…>; rel="next"`.
fn next_path(link: &str) -> String {
    let path = link.strip_prefix('<').unwrap();
    path.strip_suffix(r#">; rel="next""#).unwrap().to_owned()
}

/// Reads all pages, from the page at this path to the last page.
async fn read_pages(client: &Client, first_path: &str) -> Vec<Vec<Value>> {
    let mut pages = Vec::new();
    let mut unread_path = Some(first_path.to_owned());
    while let Some(path) = unread_path {
        let response = client.get(&path).await;
        unread_path = response.header("link").map(next_path);
        pages.push(response.ok().as_array().unwrap().clone());
        assert!(pages.len() < 100, "the links have no end");
    }
    pages
}

async fn following_the_links_lists_every_task_once(app: App) {
    let ada = app.user("ada").await;
    let expected = create_tasks(&ada, 7).await;
    create_tasks(&app.user("eve").await, 3).await;
    for base in base_paths(&ada) {
        let pages = read_pages(&ada, &format!("{base}?limit=3")).await;
        let page_sizes: Vec<_> = pages.iter().map(Vec::len).collect();
        assert_eq!(page_sizes, [3, 3, 1]);
        assert_eq!(pages.concat(), expected);
    }
}

async fn a_full_last_page_has_no_next_link(app: App) {
    let ada = app.user("ada").await;
    let expected = create_tasks(&ada, 6).await;
    for (limit, page_sizes) in [(6, vec![6]), (3, vec![3, 3]), (5, vec![5, 1]), (7, vec![6])] {
        let pages = read_pages(&ada, &format!("/api/tasks?limit={limit}")).await;
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), page_sizes);
        assert_eq!(pages.concat(), expected);
    }
}

async fn the_default_page_has_100_tasks(app: App) {
    let ada = app.user("ada").await;
    let mut expected = create_tasks(&ada, 100).await;
    let pages_of_100_tasks = read_pages(&ada, "/api/tasks").await;
    assert_eq!(pages_of_100_tasks, [expected.clone()]);
    expected.insert(0, ada.new_task("one more").await);
    let pages = read_pages(&ada, "/api/tasks").await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [100, 1]);
    assert_eq!(pages.concat(), expected);
    assert_eq!(ada.all_tasks().await, Value::from(expected));
}

async fn a_link_keeps_the_filters(app: App) {
    let ada = app.user("ada").await;
    let mut expected = Vec::new();
    for number in 0..6 {
        let body = json!({ "title": format!("50% & more {number}") });
        let task = ada.post("/api/tasks", body).await.created();
        ada.new_task(&format!("less {number}")).await;
        if number % 2 == 0 {
            let complete_path = format!("{}/complete", ada.task(&task["id"]));
            expected.insert(0, ada.request("PATCH", &complete_path).await.ok());
        }
    }
    let first_path = "/api/tasks?limit=2&q=50%25+%26+MORE&completed=true&unknown=1";
    let pages = read_pages(&ada, first_path).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(pages.concat(), expected);
}

async fn a_page_does_not_shift_when_a_task_is_added_or_deleted(app: App) {
    let ada = app.user("ada").await;
    let original_tasks = create_tasks(&ada, 4).await;
    let first_page = ada.get("/api/tasks?limit=2").await;
    let second_path = next_path(first_page.header("link").unwrap());
    assert_eq!(first_page.ok(), Value::from(original_tasks[..2].to_vec()));

    ada.new_task("added").await;
    ada.delete(&ada.task(&original_tasks[1]["id"])).await.ok();
    let second_page = ada.get(&second_path).await;
    assert_eq!(second_page.header("link"), None);
    assert_eq!(second_page.ok(), Value::from(original_tasks[2..].to_vec()));
}

async fn a_page_has_at_most_a_mebibyte_and_links_to_the_next_page(app: App) {
    let ada = app.user("ada").await;
    insert_tasks(&app, &ada, 250, &"x".repeat(10_000));
    let first_page = ada.get("/api/tasks?limit=500").await;
    let page_bytes = first_page.text().len();
    assert!(page_bytes <= MAX_PAGE_BYTES, "{page_bytes}");
    // Another task would not fit on the page.
    let tasks = first_page.ok();
    let task_bytes = tasks[0].to_string().len();
    assert!(
        page_bytes + task_bytes > MAX_PAGE_BYTES,
        "{page_bytes} + {task_bytes}"
    );

    let pages = read_pages(&ada, "/api/tasks?limit=500").await;
    assert_eq!(pages.len(), 3);
    let mut ids = Vec::new();
    for task in pages.concat() {
        ids.push(task["id"].as_i64().unwrap());
    }
    assert_eq!(ids.len(), 250);
    assert!(ids.is_sorted_by(|newer, older| newer > older));
    // 50 of these tasks fit on a page (about 0.5 MB), so the parameter `limit` determines the number of tasks.
    let fifty_tasks = ada.get("/api/tasks?limit=50").await.ok();
    assert_eq!(fifty_tasks.as_array().unwrap().len(), 50);
    let search_pages = read_pages(&ada, "/api/tasks?limit=500&q=XXX").await;
    assert_eq!(search_pages, pages);
}

async fn a_search_that_takes_too_long_continues_on_the_next_page(engine: Engine) {
    let allow_no_time =
        |limits: &mut api_server::limits::Limits| limits.task_page_timeout = Duration::ZERO;
    let app = App::on(engine).limits(allow_no_time).start();
    let ada = app.user("ada").await;
    let oldest_task = ada.new_task("Find me").await;
    insert_tasks(&app, &ada, 250, "");
    let newest_task = ada.new_task("Find me too").await;
    let first_page = ada.get("/api/tasks?q=FIND").await;
    let second_path = next_path(first_page.header("link").unwrap());
    assert_eq!(first_page.ok(), Value::from(vec![newest_task.clone()]));
    let second_page = ada.get(&second_path).await;
    assert!(second_page.header("link").is_some());
    assert_eq!(second_page.ok(), Value::from(vec![] as Vec<Value>));
    let found_tasks = read_pages(&ada, "/api/tasks?q=FIND").await.concat();
    assert_eq!(found_tasks, [newest_task, oldest_task]);
}

use super::{MAX_PAGE_BYTES, Page, PageQuery, SMALL_PAGE_BYTES};
use crate::db::Timestamp;
use crate::http::large_response::LargeResponseLimiter;
use crate::tasks::task::Task;
use crate::users::id::UserId;

/// Returns a task with a description of this length, in bytes.
fn task(id: i64, description_bytes: usize) -> Task {
    Task {
        id,
        user_id: "ada".to_owned(),
        title: "Buy milk".to_owned(),
        description: Some("x".repeat(description_bytes)),
        completed: false,
        created_at: Timestamp::from_unix_micros(0),
        updated_at: Timestamp::from_unix_micros(0),
    }
}

fn empty_page(limiter: &LargeResponseLimiter, limit: i64) -> Page {
    let owner = UserId::stored("ada".to_owned());
    let query = PageQuery {
        completed: None,
        text: None,
        before_id: None,
        limit,
    };
    Page::new(owner, query, limiter.clone())
}

/// Returns how many bytes the description of one task must have so that a page of tasks with these ids has `page_bytes`
/// bytes, if the other descriptions are empty.
fn description_bytes(page_bytes: usize, ids: std::ops::Range<i64>) -> usize {
    let tasks: Vec<_> = ids.map(|id| task(id, 0)).collect();
    page_bytes - serde_json::to_vec(&tasks).unwrap().len()
}

/// Adds two tasks to an empty page. A page with both tasks would have `page_bytes` bytes. Returns how many tasks fit,
/// and the next cursor.
fn add_two_tasks(limiter: &LargeResponseLimiter, page_bytes: usize) -> (usize, Option<i64>) {
    let mut page = empty_page(limiter, 2);
    let tasks = vec![task(2, 0), task(1, description_bytes(page_bytes, 1..3))];
    page.append(tasks, true).unwrap();
    let finished_page = page.finish();
    let tasks: serde_json::Value = serde_json::from_slice(&finished_page.json).unwrap();
    (tasks.as_array().unwrap().len(), finished_page.next_cursor)
}

#[test]
fn a_page_has_at_most_one_mebibyte() {
    let limiter = LargeResponseLimiter::default();
    assert_eq!(add_two_tasks(&limiter, MAX_PAGE_BYTES - 1), (2, None));
    assert_eq!(add_two_tasks(&limiter, MAX_PAGE_BYTES), (2, None));
    assert_eq!(add_two_tasks(&limiter, MAX_PAGE_BYTES + 1), (1, Some(2)));
}

#[test]
fn a_page_without_a_memory_reservation_is_small() {
    let limiter = LargeResponseLimiter::default();
    let _reservations: Vec<_> = std::iter::from_fn(|| limiter.reserve("ada")).collect();
    assert_eq!(add_two_tasks(&limiter, SMALL_PAGE_BYTES), (2, None));
    assert_eq!(add_two_tasks(&limiter, SMALL_PAGE_BYTES + 1), (1, Some(2)));
}

#[test]
fn a_page_has_at_least_one_task_of_any_size() {
    let limiter = LargeResponseLimiter::default();
    let mut page = empty_page(&limiter, 100);
    page.append(vec![task(2, 2 * MAX_PAGE_BYTES), task(1, 0)], true)
        .unwrap();
    let finished_page = page.finish();
    assert!(finished_page.json.len() > MAX_PAGE_BYTES);
    assert_eq!(finished_page.next_cursor, Some(2));
}

#[test]
fn a_page_has_no_more_tasks_than_its_limit() {
    let limiter = LargeResponseLimiter::default();
    for (task_count, next_cursor) in [(1, None), (2, None), (3, Some(2))] {
        let mut page = empty_page(&limiter, 2);
        let tasks = (1..=task_count).rev().map(|id| task(id, 0)).collect();
        page.append(tasks, true).unwrap();
        assert_eq!(page.finish().next_cursor, next_cursor, "{task_count}");
    }
}

use super::{MAX_BYTES, Page, SMALL_BYTES};
use crate::db::Timestamp;
use crate::http::page_memory::PageMemory;
use crate::tasks::task::Task;
use crate::users::id::UserId;

fn task(id: i64, description: usize) -> Task {
    Task {
        id,
        user_id: "ada".to_owned(),
        title: "Buy milk".to_owned(),
        description: Some("x".repeat(description)),
        completed: false,
        created_at: Timestamp::from_unix_micros(0),
        updated_at: Timestamp::from_unix_micros(0),
    }
}

fn page(memory: &PageMemory, limit: i64) -> Page {
    let owner = UserId::stored("ada".to_owned());
    Page::new(owner, (None, None), (None, limit), memory.clone())
}

/// How many bytes the description may have, so that a page of tasks of these ids has exactly so many.
fn description_for(bytes: usize, ids: std::ops::Range<i64>) -> usize {
    let tasks: Vec<_> = ids.map(|id| task(id, 0)).collect();
    bytes - serde_json::to_vec(&tasks).unwrap().len()
}

/// Pages that would have so many bytes if two tasks fitted.
fn two_tasks(memory: &PageMemory, bytes: usize) -> (usize, Option<i64>) {
    let mut page = page(memory, 2);
    let tasks = vec![task(2, 0), task(1, description_for(bytes, 1..3))];
    page.take(tasks, true).unwrap();
    let (json, _, next) = page.finish();
    let read: serde_json::Value = serde_json::from_slice(&json).unwrap();
    (read.as_array().unwrap().len(), next)
}

#[test]
fn a_page_ends_at_a_mebibyte() {
    let memory = PageMemory::default();
    assert_eq!(two_tasks(&memory, MAX_BYTES - 1), (2, None));
    assert_eq!(two_tasks(&memory, MAX_BYTES), (2, None));
    assert_eq!(two_tasks(&memory, MAX_BYTES + 1), (1, Some(2)));
}

#[test]
fn a_page_without_a_reservation_is_small() {
    let memory = PageMemory::default();
    let _reservations: Vec<_> = std::iter::from_fn(|| memory.reserve("ada")).collect();
    assert_eq!(two_tasks(&memory, SMALL_BYTES), (2, None));
    assert_eq!(two_tasks(&memory, SMALL_BYTES + 1), (1, Some(2)));
}

#[test]
fn a_page_has_one_task_however_large() {
    let memory = PageMemory::default();
    let mut page = page(&memory, 100);
    page.take(vec![task(2, 2 * MAX_BYTES), task(1, 0)], true)
        .unwrap();
    let (json, _, next) = page.finish();
    assert!(json.len() > MAX_BYTES);
    assert_eq!(next, Some(2));
}

#[test]
fn a_page_has_no_more_tasks_than_its_limit() {
    let memory = PageMemory::default();
    for (found, next) in [(1, None), (2, None), (3, Some(2))] {
        let mut page = page(&memory, 2);
        let tasks = (1..=found).rev().map(|id| task(id, 0)).collect();
        page.take(tasks, true).unwrap();
        assert_eq!(page.finish().2, next, "{found}");
    }
}

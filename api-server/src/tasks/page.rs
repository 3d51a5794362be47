//! Writes a page of tasks as JSON, task by task, in the thread that runs the query. Therefore no more rows are read
//! when the page is full, and at most `SLICE_ROWS` rows are in memory in addition to the JSON.

use actix_web::web::Bytes;

use super::search::Matcher;
use super::store::{self, Selection};
use super::task::Task;
use crate::db::{DbConnection, QueryResult};
use crate::http::large_response::{LargeResponseLimiter, MemoryReservation};
use crate::users::id::UserId;

/// The largest page of several tasks, in bytes of JSON. A page may reach this size with fewer tasks than `limit`.
pub(super) const MAX_PAGE_BYTES: usize = 1 << 20;
/// The largest page of several tasks, in bytes of JSON, if no memory for a large page can be reserved.
const SMALL_PAGE_BYTES: usize = 64 << 10;
/// The most bytes of JSON that one task takes: a description of 10 000 characters, each escaped as 6 bytes, and the
/// other fields.
const MAX_TASK_BYTES: usize = 64 << 10;
/// The most rows that one database job reads: 100 for a page of the default limit, and one more row that shows whether
/// there is a next page.
const SLICE_ROWS: i64 = 101;

#[derive(Clone, Copy)]
pub(super) struct PageQuery<'a> {
    pub(super) completed: Option<bool>,
    /// Only tasks that contain this text.
    pub(super) text: Option<&'a str>,
    /// Only tasks older than the task with this id.
    pub(super) before_id: Option<i64>,
    pub(super) limit: i64,
}

/// The JSON of a page, and what the response needs in addition.
pub(super) struct FinishedPage {
    pub(super) json: Bytes,
    /// The reservation of memory for more than [`SMALL_PAGE_BYTES`]; `None` if nothing was reserved.
    pub(super) reservation: Option<MemoryReservation>,
    /// The cursor of the next page; `None` for the last page.
    pub(super) next_cursor: Option<i64>,
}

/// A page that is being written.
pub(super) struct Page {
    owner: UserId,
    completed: Option<bool>,
    matcher: Option<Matcher>,
    limit: i64,
    limiter: LargeResponseLimiter,
    json: Vec<u8>,
    task_count: i64,
    max_bytes: usize,
    reservation: Option<MemoryReservation>,
    /// The tasks that remain to be checked are older than the task with this id; `None` at the start of the list.
    last_read_id: Option<i64>,
    end: Option<PageEnd>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PageEnd {
    /// There are no more tasks.
    Exhausted,
    /// The page is full, and there are more tasks.
    Full,
}

impl Page {
    pub(super) fn new(owner: UserId, query: PageQuery<'_>, limiter: LargeResponseLimiter) -> Self {
        Self {
            owner,
            completed: query.completed,
            matcher: query.text.map(Matcher::new),
            limit: query.limit,
            limiter,
            json: vec![b'['],
            task_count: 0,
            max_bytes: SMALL_PAGE_BYTES,
            reservation: None,
            last_read_id: query.before_id,
            end: None,
        }
    }

    pub(super) fn owner(&self) -> &UserId {
        &self.owner
    }

    pub(super) fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    /// Reads the next slice of rows from the database and appends the matching tasks to the page.
    pub(super) fn read_slice(
        mut self: Box<Self>,
        connection: &mut DbConnection,
    ) -> QueryResult<serde_json::Result<Box<Self>>> {
        let selection = self.next_selection();
        let tasks = store::list(connection, &self.owner, &selection)?;
        let is_last_slice = i64::try_from(tasks.len()).is_ok_and(|count| count < selection.limit);
        Ok(self.append(tasks, is_last_slice).map(|()| self))
    }

    fn next_selection(&self) -> Selection {
        let wanted_row_count = self.limit - self.task_count + 1;
        Selection {
            completed: self.completed,
            before_id: self.last_read_id,
            // A search also reads tasks that do not match, so it may need more rows than the page has tasks.
            limit: if self.matcher.is_some() {
                SLICE_ROWS
            } else {
                wanted_row_count.min(SLICE_ROWS)
            },
        }
    }

    fn append(&mut self, tasks: Vec<Task>, is_last_slice: bool) -> serde_json::Result<()> {
        // Reserves memory in advance, because growing step by step would copy the JSON. 384 bytes are enough for a task
        // with a short title and description. Memory for more than 20 tasks could stay unused if few tasks match.
        self.json.reserve(tasks.len().min(20) * 384);
        for task in tasks {
            let is_match = self
                .matcher
                .as_mut()
                .is_none_or(|matcher| matcher.matches(&task));
            if is_match && !self.push(&task)? {
                self.end = Some(PageEnd::Full);
                return Ok(());
            }
            self.last_read_id = Some(task.id);
        }
        self.end = is_last_slice.then_some(PageEnd::Exhausted);
        Ok(())
    }

    /// Writes a task to the page. Returns `false` and writes nothing if the task does not fit.
    fn push(&mut self, task: &Task) -> serde_json::Result<bool> {
        if self.task_count == self.limit {
            return Ok(false);
        }
        let length_before = self.json.len();
        if self.task_count > 0 {
            self.json.push(b',');
        }
        serde_json::to_writer(&mut self.json, task)?;
        if self.task_count > 0 && !self.fits_after_reserving() {
            self.json.truncate(length_before);
            return Ok(false);
        }
        self.task_count += 1;
        Ok(true)
    }

    /// Returns whether the JSON with its closing bracket is small enough. Reserves memory for a large page if needed.
    fn fits_after_reserving(&mut self) -> bool {
        let length = self.json.len() + 1;
        if length > self.max_bytes && self.reservation.is_none() {
            self.reservation = self.limiter.reserve(self.owner.as_str());
            if self.reservation.is_some() {
                self.max_bytes = MAX_PAGE_BYTES;
                // Allocates once, because a buffer that grows step by step can get twice as large.
                let max_length = MAX_PAGE_BYTES + MAX_TASK_BYTES;
                self.json.reserve_exact(max_length.saturating_sub(length));
            }
        }
        length <= self.max_bytes
    }

    pub(super) fn finish(mut self) -> FinishedPage {
        self.json.push(b']');
        FinishedPage {
            json: self.json.into(),
            reservation: self.reservation,
            next_cursor: self
                .last_read_id
                .filter(|_| self.end != Some(PageEnd::Exhausted)),
        }
    }
}

#[cfg(test)]
mod tests;

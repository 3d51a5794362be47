//! A page of tasks: written task by task on the thread of the query, so it stops where it is full and never holds more
//! rows than a slice.

use actix_web::web::Bytes;

use super::search::Matcher;
use super::store;
use super::store::Selection;
use super::task::Task;
use crate::db::{DbConnection, QueryResult};
use crate::http::page_memory::{MemoryReservation, PageMemory};
use crate::users::id::UserId;

/// A page ends at this much JSON, whatever `limit` says.
pub(super) const MAX_BYTES: usize = 1 << 20;
/// A page that gets no grant of memory ends at this much.
const SMALL_BYTES: usize = 64 << 10;
/// How many rows one job reads: the default page and one more, which tells whether there is a next page.
const SLICE: i64 = 101;

/// A page that is being written.
pub(super) struct Page {
    owner: UserId,
    completed: Option<bool>,
    matcher: Option<Matcher>,
    limit: i64,
    memory: PageMemory,
    json: Vec<u8>,
    count: i64,
    max_bytes: usize,
    reservation: Option<MemoryReservation>,
    /// The task that was looked at last; the rest is older.
    seen: Option<i64>,
    end: Option<End>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// There are no more tasks.
    Exhausted,
    /// There are more, for the next page.
    Full,
}

impl Page {
    /// An empty one, which begins after the task `before`.
    pub(super) fn new(
        owner: UserId,
        (completed, text): (Option<bool>, Option<&str>),
        (before, limit): (Option<i64>, i64),
        memory: PageMemory,
    ) -> Self {
        Self {
            owner,
            completed,
            matcher: text.map(Matcher::new),
            limit,
            memory,
            json: vec![b'['],
            count: 0,
            max_bytes: SMALL_BYTES,
            reservation: None,
            seen: before,
            end: None,
        }
    }

    pub(super) fn owner(&self) -> &UserId {
        &self.owner
    }

    pub(super) fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    /// Reads some more tasks.
    pub(super) fn fill(
        mut self,
        connection: &mut DbConnection,
    ) -> QueryResult<serde_json::Result<Self>> {
        let selection = self.next_slice();
        let tasks = store::list(connection, &self.owner, &selection)?;
        let is_last = i64::try_from(tasks.len()).is_ok_and(|found| found < selection.limit);
        Ok(self.take(tasks, is_last).map(|()| self))
    }

    fn next_slice(&self) -> Selection {
        let missing = self.limit - self.count + 1;
        Selection {
            completed: self.completed,
            before: self.seen,
            // What a search leaves out is read as well.
            limit: if self.matcher.is_some() {
                SLICE
            } else {
                missing.min(SLICE)
            },
        }
    }

    fn take(&mut self, tasks: Vec<Task>, is_last: bool) -> serde_json::Result<()> {
        // Preallocated to avoid regrowth.
        self.json.reserve(tasks.len().min(20) * 384);
        for task in tasks {
            let is_found = self
                .matcher
                .as_mut()
                .is_none_or(|matcher| matcher.finds(&task));
            if is_found && !self.push(&task)? {
                self.end = Some(End::Full);
                return Ok(());
            }
            self.seen = Some(task.id);
        }
        self.end = is_last.then_some(End::Exhausted);
        Ok(())
    }

    /// Whether it had room.
    fn push(&mut self, task: &Task) -> serde_json::Result<bool> {
        if self.count == self.limit {
            return Ok(false);
        }
        let before = self.json.len();
        if self.count > 0 {
            self.json.push(b',');
        }
        serde_json::to_writer(&mut self.json, task)?;
        if self.count > 0 && !self.has_room() {
            self.json.truncate(before);
            return Ok(false);
        }
        self.count += 1;
        Ok(true)
    }

    /// Whether what is written fits, with its closing bracket. Only a large page asks for a reservation.
    fn has_room(&mut self) -> bool {
        let length = self.json.len() + 1;
        if length > self.max_bytes && self.reservation.is_none() {
            self.reservation = self.memory.reserve(self.owner.as_str());
            if self.reservation.is_some() {
                self.max_bytes = MAX_BYTES;
            }
        }
        length <= self.max_bytes
    }

    /// The JSON, and the cursor of the next page unless this is the last.
    pub(super) fn finish(mut self) -> (Bytes, Option<MemoryReservation>, Option<i64>) {
        self.json.push(b']');
        let next = self.seen.filter(|_| self.end != Some(End::Exhausted));
        (self.json.into(), self.reservation, next)
    }
}

#[cfg(test)]
mod tests;

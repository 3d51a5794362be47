//! Limits how many tasks an account may have. The last count of its tasks is kept in memory, because counting thousands
//! of rows for every new task would cost more than the insert.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::users::id::UserId;

/// The smallest distance from [`TaskQuota::lock_threshold`] to the limit, in tasks. It must be more than the number of
/// tasks that requests add to one account at the same time, in all processes together.
const LIMIT_MARGIN: i64 = 64;
/// The tasks of an account are counted again after this many additions, because each check of the limit reads the index
/// entries of the tasks that were added since the count.
const RECOUNT_AFTER: u32 = 64;
/// The most accounts with a count in memory. If so many accounts have one, all counts are dropped before the next count
/// is stored. The tasks of an account are then counted again when needed.
const MAX_ACCOUNTS: usize = 10_000;

/// The limit, and the counts that this process has in memory. Clones share the counts.
#[derive(Clone)]
pub(crate) struct TaskQuota {
    max_tasks: u32,
    counts: Arc<Mutex<HashMap<u64, TaskCount>>>,
    key_hasher: RandomState,
}

/// The last count of an account's tasks: `count` tasks had an id up to `max_id`. Since then the number can only have
/// fallen, because new tasks have larger ids. Limitation: on PostgreSQL, the count may miss tasks that concurrent
/// requests were adding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct TaskCount {
    pub(super) max_id: i64,
    pub(super) count: i64,
    /// The number of tasks that this process has added without a lock since the count.
    additions: u32,
}

impl TaskQuota {
    pub(crate) fn new(max_tasks: u32) -> Self {
        Self {
            max_tasks,
            counts: Arc::default(),
            key_hasher: RandomState::new(),
        }
    }

    pub(super) fn max_tasks(&self) -> i64 {
        self.max_tasks.into()
    }

    /// Returns the number of tasks from which on an account gets new tasks one at a time, under a lock. Without the
    /// lock, concurrent inserts do not count each other's rows, and could exceed the limit. With a low limit, the
    /// number is not positive, so every insert takes the lock.
    pub(super) fn lock_threshold(&self) -> i64 {
        self.max_tasks() - LIMIT_MARGIN.max(self.max_tasks() / 8)
    }

    /// Returns the last count of the account's tasks; zero if none is in memory.
    pub(super) fn last_count(&self, owner: &UserId) -> TaskCount {
        let counts = self.lock();
        counts.get(&self.key(owner)).copied().unwrap_or_default()
    }

    /// Records that a task was added without a lock. Returns `true` if the tasks must be counted again.
    pub(super) fn record_added(&self, owner: &UserId) -> bool {
        let mut counts = self.lock();
        make_room(&mut counts);
        let count = counts.entry(self.key(owner)).or_default();
        count.additions = count.additions.saturating_add(1);
        count.additions >= RECOUNT_AFTER
    }

    /// Records that `count` tasks of this account have an id up to `max_id`.
    pub(super) fn record_count(&self, owner: &UserId, max_id: i64, count: i64) {
        let task_count = TaskCount {
            max_id,
            count,
            additions: 0,
        };
        let mut counts = self.lock();
        make_room(&mut counts);
        counts.insert(self.key(owner), task_count);
    }

    fn key(&self, owner: &UserId) -> u64 {
        self.key_hasher.hash_one(owner.as_str())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, TaskCount>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drops all counts if [`MAX_ACCOUNTS`] accounts have one.
fn make_room(counts: &mut HashMap<u64, TaskCount>) {
    if counts.len() >= MAX_ACCOUNTS {
        counts.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_ACCOUNTS, RECOUNT_AFTER, TaskQuota};
    use crate::users::id::UserId;

    fn user(id: &str) -> UserId {
        UserId::stored(id.to_owned())
    }

    #[test]
    fn tasks_are_counted_again_after_64_additions() {
        let quota = TaskQuota::new(10_000);
        for _ in 0..2 {
            for _ in 1..RECOUNT_AFTER {
                assert!(!quota.record_added(&user("ada")));
            }
            assert!(quota.record_added(&user("ada")));
            quota.record_count(&user("ada"), 100, 64);
            let count = quota.last_count(&user("ada"));
            assert_eq!((count.max_id, count.count), (100, 64));
        }
        assert_eq!(quota.last_count(&user("bob")).count, 0);
    }

    #[test]
    fn the_lock_threshold_is_an_eighth_and_at_least_64_tasks_below_the_limit() {
        for (max_tasks, threshold) in [(1, -63), (64, 0), (200, 136), (512, 448), (10_000, 8750)] {
            assert_eq!(
                TaskQuota::new(max_tasks).lock_threshold(),
                threshold,
                "{max_tasks}"
            );
        }
    }

    #[test]
    fn the_counts_of_too_many_accounts_are_dropped() {
        let quota = TaskQuota::new(1);
        for number in 0..=MAX_ACCOUNTS {
            quota.record_added(&user(&number.to_string()));
        }
        assert_eq!(quota.lock().len(), 1);
        for number in 1..MAX_ACCOUNTS {
            quota.record_count(&user(&number.to_string()), 1, 1);
        }
        assert_eq!(quota.lock().len(), MAX_ACCOUNTS);
        quota.record_count(&user("ada"), 1, 1);
        assert_eq!(quota.lock().len(), 1);
    }
}

//! How many tasks an account may have, and what is known of how many it has: counting thousands of them for each new one
//! would cost more than adding it.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::users::id::UserId;

/// More tasks than one account's requests can add at once, on all nodes.
const LIMIT_MARGIN: i64 = 64;
/// What was added since the last count is counted again when it is so many.
const RECOUNT_AFTER: u32 = 64;
/// Accounts that are remembered. One that is forgotten is counted once more.
const MAX_KNOWN: usize = 10_000;

/// The limit, and counts of this process. Cheap to clone.
#[derive(Clone)]
pub(crate) struct TaskQuota {
    max: u32,
    known: Arc<Mutex<HashMap<u64, TaskCount>>>,
    keys: RandomState,
}

/// At most `count` tasks of an account have an id up to `through`. It stays true: ids grow, and tasks are only deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct TaskCount {
    pub(super) through: i64,
    pub(super) count: i64,
    added: u32,
}

impl TaskQuota {
    pub(crate) fn new(max: u32) -> Self {
        Self {
            max,
            known: Arc::default(),
            keys: RandomState::new(),
        }
    }

    pub(super) fn max(&self) -> i64 {
        self.max.into()
    }

    /// From here on tasks are added one by one: two at once may not see each other.
    pub(super) fn near(&self) -> i64 {
        self.max() - LIMIT_MARGIN.max(self.max() / 8)
    }

    pub(super) fn known(&self, owner: &UserId) -> TaskCount {
        let known = self.lock();
        known.get(&self.key(owner)).copied().unwrap_or_default()
    }

    /// A task was added; whether it is time to count.
    pub(super) fn added(&self, owner: &UserId) -> bool {
        let mut known = self.lock();
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        let known = known.entry(self.key(owner)).or_default();
        known.added = known.added.saturating_add(1);
        known.added >= RECOUNT_AFTER
    }

    /// So many tasks of this account have an id up to `through`.
    pub(super) fn counted(&self, owner: &UserId, through: i64, count: i64) {
        let counted = TaskCount {
            through,
            count,
            added: 0,
        };
        self.lock().insert(self.key(owner), counted);
    }

    fn key(&self, owner: &UserId) -> u64 {
        self.keys.hash_one(owner.as_str())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, TaskCount>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_KNOWN, RECOUNT_AFTER, TaskQuota};
    use crate::users::id::UserId;

    fn user(id: &str) -> UserId {
        UserId::stored(id.to_owned())
    }

    #[test]
    fn tasks_are_counted_now_and_then() {
        let quota = TaskQuota::new(10_000);
        for _ in 0..2 {
            for _ in 1..RECOUNT_AFTER {
                assert!(!quota.added(&user("ada")));
            }
            assert!(quota.added(&user("ada")));
            quota.counted(&user("ada"), 100, 64);
            let known = quota.known(&user("ada"));
            assert_eq!((known.through, known.count), (100, 64));
        }
        assert_eq!(quota.known(&user("eve")).count, 0);
    }

    #[test]
    fn tasks_are_added_one_by_one_from_seven_eighths_on() {
        for (max, near) in [(1, -63), (64, 0), (200, 136), (512, 448), (10_000, 8750)] {
            assert_eq!(TaskQuota::new(max).near(), near, "{max}");
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let quota = TaskQuota::new(1);
        for number in 0..=MAX_KNOWN {
            quota.added(&user(&number.to_string()));
        }
        assert_eq!(quota.lock().len(), 1);
    }
}

//! Limits the number of attempts per key within a time window. The caller passes the time and locks the budget. If too
//! many keys are in memory, some of the keys without attempts in progress are evicted.
//!
//! Each attempt is reserved before it starts and settled when it ends, so concurrent attempts cannot exceed the limit.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, SystemTime};

/// The time to wait if attempts in progress use up the limit. These attempts may be refunded soon.
const RESERVED_RETRY_DELAY: Duration = Duration::from_secs(1);
/// The largest difference by which the time that a caller passes may lie before the start of the window. The caller may
/// have read the clock before a concurrent attempt that started the window. A larger difference means that the clock
/// was set back.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(60);
/// The divisor for the number of keys to evict: a full budget in which no window is over evicts up to a sixteenth of
/// its keys at once, so that evictions are rare.
const EVICTION_DIVISOR: usize = 16;

/// The outcome of a reserved attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttemptOutcome {
    /// The attempt is counted towards the limit.
    Counted,
    /// The attempt is not counted.
    Refunded,
    /// The attempt is not counted, and the count of earlier attempts is reset.
    Cleared,
}

/// Counts attempts per key, each key in a window that begins with the first attempt that is counted.
pub(crate) struct Budget<K> {
    window: Duration,
    max_keys: usize,
    entries: HashMap<K, Entry>,
}

/// The numbers of spent and reserved attempts of one key, and its window.
#[derive(Clone, Copy)]
struct Entry {
    spent: u32,
    reserved: u32,
    window_start: SystemTime,
}

impl Entry {
    fn new(now: SystemTime) -> Self {
        Self {
            spent: 0,
            reserved: 0,
            window_start: now,
        }
    }

    /// Returns the time until the window ends; zero if the window is over, or if the clock was set back by more than
    /// [`CLOCK_TOLERANCE`].
    fn remaining(&self, now: SystemTime, window: Duration) -> Duration {
        let elapsed = match now.duration_since(self.window_start) {
            Ok(elapsed) => elapsed,
            Err(error) if error.duration() <= CLOCK_TOLERANCE => Duration::ZERO,
            Err(_clock_set_back) => window,
        };
        window.saturating_sub(elapsed)
    }

    /// Starts a new window if the current window is over or has no counted attempt.
    fn renew(&mut self, now: SystemTime, window: Duration) {
        if self.spent == 0 || self.remaining(now, window).is_zero() {
            self.spent = 0;
            self.window_start = now;
        }
    }

    fn is_idle(&self) -> bool {
        self.spent == 0 && self.reserved == 0
    }
}

impl<K: Eq + Hash> Budget<K> {
    pub(crate) fn new(window: Duration, max_keys: usize) -> Self {
        Self {
            window,
            max_keys,
            entries: HashMap::new(),
        }
    }

    /// Reserves one of `max` attempts. If no attempt is left, the error is the time to wait.
    pub(crate) fn reserve(&mut self, key: K, max: u32, now: SystemTime) -> Result<(), Duration> {
        let window = self.window;
        if self.entries.len() >= self.max_keys && !self.entries.contains_key(&key) {
            self.evict(now);
        }
        let entry = self.entries.entry(key).or_insert_with(|| Entry::new(now));
        entry.renew(now, window);
        if entry.spent >= max {
            return Err(entry.remaining(now, window));
        }
        if entry.spent.saturating_add(entry.reserved) >= max {
            return Err(RESERVED_RETRY_DELAY);
        }
        entry.reserved = entry.reserved.saturating_add(1);
        Ok(())
    }

    /// Ends an attempt that [`reserve`](Self::reserve) began.
    pub(crate) fn settle(&mut self, key: &K, outcome: AttemptOutcome, now: SystemTime) {
        let window = self.window;
        let Some(entry) = self.entries.get_mut(key) else {
            return;
        };
        entry.reserved = entry.reserved.saturating_sub(1);
        match outcome {
            AttemptOutcome::Counted => {
                entry.renew(now, window);
                entry.spent = entry.spent.saturating_add(1);
            }
            AttemptOutcome::Refunded => {}
            AttemptOutcome::Cleared => entry.spent = 0,
        }
        if entry.is_idle() {
            self.entries.remove(key);
        }
    }

    /// Removes the entries whose window is over. If the budget is still full, removes some of the entries with the
    /// fewest spent attempts: many new keys must not remove the count of a long attack. Entries with reserved attempts
    /// stay.
    fn evict(&mut self, now: SystemTime) {
        let window = self.window;
        self.entries
            .retain(|_, entry| entry.reserved > 0 || !entry.remaining(now, window).is_zero());
        if self.entries.len() < self.max_keys {
            return;
        }
        let mut evictions_left = (self.max_keys / EVICTION_DIVISOR).max(1);
        let evictable = self.entries.values().filter(|entry| entry.reserved == 0);
        let mut spent_counts: Vec<u32> = evictable.map(|entry| entry.spent).collect();
        if spent_counts.is_empty() {
            return;
        }
        let last_evicted_index = evictions_left.min(spent_counts.len()).saturating_sub(1);
        let (_, &mut threshold, _) = spent_counts.select_nth_unstable(last_evicted_index);
        self.entries.retain(|_, entry| {
            let is_evicted = evictions_left > 0 && entry.reserved == 0 && entry.spent <= threshold;
            evictions_left = evictions_left.saturating_sub(usize::from(is_evicted));
            !is_evicted
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{AttemptOutcome, Budget, CLOCK_TOLERANCE, RESERVED_RETRY_DELAY};
    use std::time::{Duration, SystemTime};

    const WINDOW: Duration = Duration::from_secs(900);
    const CAPACITY: usize = 64;

    fn budget<K: Eq + std::hash::Hash>() -> (Budget<K>, SystemTime) {
        (
            Budget::new(WINDOW, CAPACITY),
            SystemTime::UNIX_EPOCH + 9 * WINDOW,
        )
    }

    fn spend(budget: &mut Budget<u32>, key: u32, times: u32, now: SystemTime) {
        for _ in 0..times {
            budget.reserve(key, u32::MAX, now).unwrap();
            budget.settle(&key, AttemptOutcome::Counted, now);
        }
    }

    #[test]
    fn a_spent_budget_is_available_again_after_its_window() {
        let (mut budget, now) = budget();
        spend(&mut budget, 1, 9, now);
        assert_eq!(budget.reserve(1, 10, now), Ok(()));
        budget.settle(&1, AttemptOutcome::Counted, now);
        assert_eq!(budget.reserve(1, 10, now), Err(WINDOW));
        let one_second = Duration::from_secs(1);
        assert_eq!(
            budget.reserve(1, 10, now + WINDOW - one_second),
            Err(one_second)
        );
        assert_eq!(budget.reserve(1, 10, now + WINDOW), Ok(()));
        assert_eq!(budget.reserve(2, 10, now), Ok(()));
    }

    #[test]
    fn a_reserved_attempt_uses_up_the_limit_until_it_is_refunded() {
        let (mut budget, now) = budget();
        spend(&mut budget, 1, 7, now);
        for _ in 0..3 {
            assert_eq!(budget.reserve(1, 10, now), Ok(()));
        }
        assert_eq!(budget.reserve(1, 10, now), Err(RESERVED_RETRY_DELAY));
        budget.settle(&1, AttemptOutcome::Refunded, now);
        assert_eq!(budget.reserve(1, 10, now), Ok(()));
    }

    #[test]
    fn refunded_attempts_leave_no_entry() {
        let (mut budget, now) = budget();
        for key in 0..1000 {
            budget.reserve(key, 1, now).unwrap();
            budget.settle(&key, AttemptOutcome::Refunded, now);
        }
        assert!(budget.entries.is_empty());
    }

    #[test]
    fn clearing_removes_spent_attempts_and_keeps_reserved_attempts() {
        let (mut budget, now) = budget();
        spend(&mut budget, 1, 8, now);
        budget.reserve(1, 10, now).unwrap();
        budget.reserve(1, 10, now).unwrap();
        budget.settle(&1, AttemptOutcome::Cleared, now);
        for _ in 0..9 {
            assert_eq!(budget.reserve(1, 10, now), Ok(()));
        }
        assert_eq!(budget.reserve(1, 10, now), Err(RESERVED_RETRY_DELAY));
    }

    #[test]
    fn a_window_begins_with_the_first_attempt_that_is_counted() {
        let (mut budget, now) = budget();
        budget.reserve(1, 1, now).unwrap();
        let end_of_attempt = now + Duration::from_secs(600);
        budget.settle(&1, AttemptOutcome::Counted, end_of_attempt);
        assert_eq!(budget.reserve(1, 1, end_of_attempt), Err(WINDOW));
    }

    #[test]
    fn setting_the_clock_back_by_more_than_a_minute_ends_the_window() {
        let tolerance_micros = CLOCK_TOLERANCE.as_secs() * 1_000_000;
        for (difference_micros, expected) in [
            (tolerance_micros - 1, Err(WINDOW)),
            (tolerance_micros, Err(WINDOW)),
            (tolerance_micros + 1, Ok(())),
        ] {
            let difference = Duration::from_micros(difference_micros);
            let (mut budget, now) = budget();
            spend(&mut budget, 1, 10, now);
            assert_eq!(budget.reserve(1, 10, now - difference), expected);
        }
    }

    #[test]
    fn many_new_keys_stay_within_capacity_and_do_not_evict_keys_that_spent_more() {
        let (mut budget, now) = budget();
        spend(&mut budget, 1, 10, now);
        spend(&mut budget, 2, 2, now);
        budget.reserve(3, 10, now).unwrap();
        for key in 100..100_000 {
            spend(&mut budget, key, 1, now);
            assert!(budget.entries.len() <= CAPACITY);
        }
        assert_eq!(budget.reserve(1, 10, now), Err(WINDOW));
        assert_eq!(budget.reserve(2, 2, now), Err(WINDOW));
        assert_eq!(budget.reserve(3, 1, now), Err(RESERVED_RETRY_DELAY));
    }

    #[test]
    fn an_attempt_whose_time_is_before_the_start_of_the_window_is_counted_in_the_window() {
        let (mut budget, now) = (Budget::new(WINDOW, CAPACITY), SystemTime::now());
        let one_second_ago = now - Duration::from_secs(1);
        for (max, time) in [(2, one_second_ago), (2, now)] {
            budget.reserve('a', max, time).unwrap();
        }
        budget.settle(&'a', AttemptOutcome::Counted, now);
        budget.settle(&'a', AttemptOutcome::Counted, one_second_ago);
        assert!(budget.reserve('a', 2, now).is_err());
        assert!(budget.reserve('a', 2, one_second_ago).is_err());
    }

    #[test]
    fn entries_whose_window_is_over_are_evicted_first() {
        let (mut budget, now) = budget();
        let window_end = now + WINDOW;
        for key in 0..32 {
            spend(&mut budget, key, 5, now);
        }
        for key in 100..132 {
            spend(&mut budget, key, 1, window_end);
        }
        spend(&mut budget, 1_000, 1, window_end);
        for key in 100..132 {
            assert_eq!(budget.reserve(key, 1, window_end), Err(WINDOW));
        }
    }

    #[test]
    fn attempts_in_progress_do_not_prevent_the_eviction_of_other_keys() {
        let (mut budget, now) = budget();
        for key in 0..10 {
            budget.reserve(key, 5, now).unwrap();
        }
        for key in 100..154 {
            spend(&mut budget, key, 1, now);
        }
        assert_eq!(budget.entries.len(), CAPACITY);
        spend(&mut budget, 1_000, 1, now);
        assert!(budget.entries.len() <= CAPACITY);
    }
}

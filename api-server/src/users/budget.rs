//! A budget: how often something may be done within a window, counted per key. Pure; bounded in memory.
//!
//! An attempt is reserved before its work and settled after it, so that attempts in parallel cannot overshoot.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, SystemTime};

/// When all that stands in the way is still under way.
const RETRY_SOON: Duration = Duration::from_secs(1);
/// How much later than another an attempt may end that began before it.
const OVERTAKEN: Duration = Duration::from_secs(60);
/// Making room forgets this part of the entries at once, so that its cost is spread over as many attempts.
const FORGOTTEN_PART: usize = 16;

/// What became of a reserved attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It counts.
    Spent,
    /// It does not count.
    Refunded,
    /// It does not count, and neither do those before it.
    Cleared,
}

/// Counts per key, each within a window that begins with its first count.
pub(crate) struct Budget<K> {
    window: Duration,
    capacity: usize,
    entries: HashMap<K, Entry>,
}

#[derive(Clone, Copy)]
struct Entry {
    spent: u32,
    reserved: u32,
    since: SystemTime,
}

impl Entry {
    fn new(now: SystemTime) -> Self {
        Self {
            spent: 0,
            reserved: 0,
            since: now,
        }
    }

    /// How long the window still lasts; zero when it is over or the clock was set back. A time up to a minute before the
    /// window is that of an attempt which began earlier and ends later than the one that opened it.
    fn remaining(&self, now: SystemTime, window: Duration) -> Duration {
        let elapsed = match now.duration_since(self.since) {
            Ok(elapsed) => elapsed,
            Err(ahead) if ahead.duration() <= OVERTAKEN => Duration::ZERO,
            Err(_set_back) => window,
        };
        window.saturating_sub(elapsed)
    }

    /// Starts a new window when this one is over.
    fn renew(&mut self, now: SystemTime, window: Duration) {
        if self.spent == 0 || self.remaining(now, window).is_zero() {
            self.spent = 0;
            self.since = now;
        }
    }

    fn is_idle(&self) -> bool {
        self.spent == 0 && self.reserved == 0
    }
}

impl<K: Eq + Hash> Budget<K> {
    pub(crate) fn new(window: Duration, capacity: usize) -> Self {
        Self {
            window,
            capacity,
            entries: HashMap::new(),
        }
    }

    /// Takes one of `max`, or says when there may be one again.
    pub(crate) fn reserve(&mut self, key: K, max: u32, now: SystemTime) -> Result<(), Duration> {
        let window = self.window;
        if self.entries.len() >= self.capacity && !self.entries.contains_key(&key) {
            self.make_room(now);
        }
        let entry = self.entries.entry(key).or_insert_with(|| Entry::new(now));
        entry.renew(now, window);
        if entry.spent >= max {
            return Err(entry.remaining(now, window));
        }
        if entry.spent.saturating_add(entry.reserved) >= max {
            return Err(RETRY_SOON);
        }
        entry.reserved = entry.reserved.saturating_add(1);
        Ok(())
    }

    /// Ends what [`reserve`](Self::reserve) began.
    pub(crate) fn settle(&mut self, key: &K, outcome: Outcome, now: SystemTime) {
        let window = self.window;
        let Some(entry) = self.entries.get_mut(key) else {
            return;
        };
        entry.reserved = entry.reserved.saturating_sub(1);
        match outcome {
            Outcome::Spent => {
                entry.renew(now, window);
                entry.spent = entry.spent.saturating_add(1);
            }
            Outcome::Refunded => {}
            Outcome::Cleared => entry.spent = 0,
        }
        if entry.is_idle() {
            self.entries.remove(key);
        }
    }

    /// Forgets what is over; if that is nothing, some of those who spent least: a flood of new keys must not hide a long
    /// attack. What is reserved stays.
    fn make_room(&mut self, now: SystemTime) {
        let window = self.window;
        self.entries
            .retain(|_, entry| entry.reserved > 0 || !entry.remaining(now, window).is_zero());
        if self.entries.len() < self.capacity {
            return;
        }
        let mut to_forget = (self.capacity / FORGOTTEN_PART).max(1);
        let mut spent: Vec<u32> = self.entries.values().map(|entry| entry.spent).collect();
        let at = to_forget.min(spent.len()).saturating_sub(1);
        let (_, most, _) = spent.select_nth_unstable(at);
        let most = *most;
        self.entries.retain(|_, entry| {
            let forget = to_forget > 0 && entry.reserved == 0 && entry.spent <= most;
            to_forget = to_forget.saturating_sub(usize::from(forget));
            !forget
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{Budget, OVERTAKEN, Outcome, RETRY_SOON};
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
            budget.settle(&key, Outcome::Spent, now);
        }
    }

    #[test]
    fn the_last_of_the_budget_closes_it_and_the_window_opens_it() {
        let (mut budget, now) = budget();
        spend(&mut budget, 1, 9, now);
        assert_eq!(budget.reserve(1, 10, now), Ok(()));
        budget.settle(&1, Outcome::Spent, now);
        assert_eq!(budget.reserve(1, 10, now), Err(WINDOW));
        let second = Duration::from_secs(1);
        assert_eq!(budget.reserve(1, 10, now + WINDOW - second), Err(second));
        assert_eq!(budget.reserve(1, 10, now + WINDOW), Ok(()));
        assert_eq!(budget.reserve(2, 10, now), Ok(()));
    }

    #[test]
    fn what_is_under_way_counts_until_it_is_refunded() {
        let (mut budget, now) = budget();
        spend(&mut budget, 1, 7, now);
        for _ in 0..3 {
            assert_eq!(budget.reserve(1, 10, now), Ok(()));
        }
        assert_eq!(budget.reserve(1, 10, now), Err(RETRY_SOON));
        budget.settle(&1, Outcome::Refunded, now);
        assert_eq!(budget.reserve(1, 10, now), Ok(()));
    }

    #[test]
    fn what_is_refunded_leaves_nothing_behind() {
        let (mut budget, now) = budget();
        for key in 0..1000 {
            budget.reserve(key, 1, now).unwrap();
            budget.settle(&key, Outcome::Refunded, now);
        }
        assert!(budget.entries.is_empty());
    }

    #[test]
    fn clearing_starts_over_and_keeps_what_is_under_way() {
        let (mut budget, now) = budget();
        spend(&mut budget, 1, 8, now);
        budget.reserve(1, 10, now).unwrap();
        budget.reserve(1, 10, now).unwrap();
        budget.settle(&1, Outcome::Cleared, now);
        for _ in 0..9 {
            assert_eq!(budget.reserve(1, 10, now), Ok(()));
        }
        assert_eq!(budget.reserve(1, 10, now), Err(RETRY_SOON));
    }

    #[test]
    fn a_window_begins_with_its_first_count() {
        let (mut budget, now) = budget();
        budget.reserve(1, 1, now).unwrap();
        let later = now + Duration::from_secs(600);
        budget.settle(&1, Outcome::Spent, later);
        assert_eq!(budget.reserve(1, 1, later), Err(WINDOW));
    }

    #[test]
    fn a_clock_that_is_set_back_by_more_than_a_minute_opens_it() {
        let micros = OVERTAKEN.as_secs() * 1_000_000;
        for (back, expected) in [
            (micros - 1, Err(WINDOW)),
            (micros, Err(WINDOW)),
            (micros + 1, Ok(())),
        ] {
            let back = Duration::from_micros(back);
            let (mut budget, now) = budget();
            spend(&mut budget, 1, 10, now);
            assert_eq!(budget.reserve(1, 10, now - back), expected);
        }
    }

    #[test]
    fn a_flood_of_keys_is_bounded_and_does_not_hide_those_who_spent_more() {
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
        assert_eq!(budget.reserve(3, 1, now), Err(RETRY_SOON));
    }

    #[test]
    fn an_attempt_that_began_before_the_window_and_ends_later_counts_in_it() {
        let (mut budget, now) = (Budget::new(WINDOW, CAPACITY), SystemTime::now());
        let earlier = now - Duration::from_secs(1);
        for (max, time) in [(2, earlier), (2, now)] {
            budget.reserve('a', max, time).unwrap();
        }
        budget.settle(&'a', Outcome::Spent, now);
        budget.settle(&'a', Outcome::Spent, earlier);
        assert!(budget.reserve('a', 2, now).is_err());
        assert!(budget.reserve('a', 2, earlier).is_err());
    }

    #[test]
    fn what_is_over_makes_room_first() {
        let (mut budget, now) = budget();
        let later = now + WINDOW;
        for key in 0..32 {
            spend(&mut budget, key, 5, now);
        }
        for key in 100..132 {
            spend(&mut budget, key, 1, later);
        }
        spend(&mut budget, 1_000, 1, later);
        for key in 100..132 {
            assert_eq!(budget.reserve(key, 1, later), Err(WINDOW));
        }
    }
}

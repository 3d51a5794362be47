//! A queue of jobs in which accounts take turns: what one account asks for waits behind what it asked for before, and
//! holds a share of the threads at a time, so however much it asks, others wait for one of its jobs at most.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// An account, as a number that only this process knows. Two accounts of one number would share a turn.
pub(super) type AccountKey = u64;

/// Bounds of a queue.
#[derive(Debug, Clone, Copy)]
pub(super) struct QueueLimits {
    /// How many jobs may wait altogether.
    pub(super) waiting: usize,
    /// How many jobs of one account may wait.
    pub(super) waiting_per_account: usize,
    /// How many jobs of one account may run at a time.
    pub(super) running_per_account: usize,
}

/// Why a job was turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QueueFull {
    /// Too many jobs wait.
    Queue,
    /// Too many jobs of this account wait.
    Account,
}

/// Jobs that wait, and the accounts that have some running.
pub(super) struct AccountQueue<J> {
    limits: QueueLimits,
    turns: Mutex<Turns<J>>,
    ready: Condvar,
}

struct Turns<J> {
    /// Who is next. An account stands here once, while it may start a job.
    ring: VecDeque<Turn<J>>,
    accounts: HashMap<AccountKey, Account<J>>,
    waiting: usize,
    is_closed: bool,
}

enum Turn<J> {
    /// A job of no account.
    Single(J),
    Account(AccountKey),
}

struct Account<J> {
    jobs: VecDeque<J>,
    running: usize,
    in_ring: bool,
    /// How many jobs the database was there for.
    served: Arc<AtomicU64>,
}

/// Tells a caller whose job waits whether other jobs of its account had their turn meanwhile.
#[derive(Debug)]
pub(super) struct Served {
    count: Arc<AtomicU64>,
    before: u64,
}

impl Served {
    pub(super) fn has_grown(&self) -> bool {
        self.count.load(Ordering::Relaxed) > self.before
    }
}

/// What a worker gets from the queue.
pub(super) enum Next<J> {
    /// Run it, then tell [`AccountQueue::finish`] whose it was.
    Job(J, Option<AccountKey>),
    /// Nothing came for that long.
    Idle,
    /// Nothing will come any more.
    Closed,
}

impl<J> AccountQueue<J> {
    pub(super) fn new(limits: QueueLimits) -> Self {
        Self {
            limits,
            turns: Mutex::new(Turns {
                ring: VecDeque::new(),
                accounts: HashMap::new(),
                waiting: 0,
                is_closed: false,
            }),
            ready: Condvar::new(),
        }
    }

    pub(super) fn push(
        &self,
        job: J,
        account: Option<AccountKey>,
    ) -> Result<Option<Served>, QueueFull> {
        let (is_runnable, served) = self.lock().push(job, account, &self.limits)?;
        if is_runnable {
            self.ready.notify_one();
        }
        Ok(served)
    }

    /// Waits for a job, for at most `idle`; for ever without it.
    pub(super) fn pop(&self, idle: Option<Duration>) -> Next<J> {
        let mut turns = self.lock();
        loop {
            if let Some((job, account)) = turns.pop(self.limits.running_per_account) {
                // One wake-up may stand for several jobs of one account.
                if !turns.ring.is_empty() {
                    self.ready.notify_one();
                }
                return Next::Job(job, account);
            }
            if turns.is_closed {
                return Next::Closed;
            }
            turns = match idle {
                None => self
                    .ready
                    .wait(turns)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(idle) => {
                    let (turns, waited) = self
                        .ready
                        .wait_timeout(turns, idle)
                        .unwrap_or_else(PoisonError::into_inner);
                    if waited.timed_out() && turns.ring.is_empty() && !turns.is_closed {
                        return Next::Idle;
                    }
                    turns
                }
            };
        }
    }

    /// The next job, if one waits.
    pub(super) fn try_pop(&self) -> Option<(J, Option<AccountKey>)> {
        self.lock().pop(self.limits.running_per_account)
    }

    /// A job of this account has run, and the database was there for it or not. The worker that says so takes the next
    /// job, so none is woken.
    pub(super) fn finish(&self, account: Option<AccountKey>, was_served: bool) {
        if let Some(key) = account {
            let share = self.limits.running_per_account;
            self.lock().finish(key, was_served, share);
        }
    }

    /// Lets the workers end once nothing waits.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.ready.notify_all();
    }

    /// A panic under the lock leaves nothing half done that matters.
    fn lock(&self) -> MutexGuard<'_, Turns<J>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J> Turns<J> {
    /// Whether a worker may take it now.
    fn push(
        &mut self,
        job: J,
        account: Option<AccountKey>,
        limits: &QueueLimits,
    ) -> Result<(bool, Option<Served>), QueueFull> {
        if self.waiting >= limits.waiting {
            return Err(QueueFull::Queue);
        }
        let Some(key) = account else {
            self.waiting += 1;
            self.ring.push_back(Turn::Single(job));
            return Ok((true, None));
        };
        let account = self.accounts.entry(key).or_insert_with(Account::new);
        if account.jobs.len() >= limits.waiting_per_account {
            return Err(QueueFull::Account);
        }
        self.waiting += 1;
        account.jobs.push_back(job);
        let served = Served {
            count: Arc::clone(&account.served),
            before: account.served.load(Ordering::Relaxed),
        };
        let is_runnable = account.enter(key, limits.running_per_account, &mut self.ring);
        Ok((is_runnable, Some(served)))
    }

    fn pop(&mut self, share: usize) -> Option<(J, Option<AccountKey>)> {
        loop {
            match self.ring.pop_front()? {
                Turn::Single(job) => {
                    self.waiting -= 1;
                    return Some((job, None));
                }
                Turn::Account(key) => {
                    let Some(account) = self.accounts.get_mut(&key) else {
                        continue;
                    };
                    account.in_ring = false;
                    let Some(job) = account.jobs.pop_front() else {
                        continue;
                    };
                    account.running += 1;
                    account.enter(key, share, &mut self.ring);
                    self.waiting -= 1;
                    return Some((job, Some(key)));
                }
            }
        }
    }

    fn finish(&mut self, key: AccountKey, was_served: bool, share: usize) {
        let Some(account) = self.accounts.get_mut(&key) else {
            return;
        };
        account.running = account.running.saturating_sub(1);
        if was_served {
            account.served.fetch_add(1, Ordering::Relaxed);
        }
        if account.running == 0 && account.jobs.is_empty() {
            self.accounts.remove(&key);
            return;
        }
        account.enter(key, share, &mut self.ring);
    }
}

impl<J> Account<J> {
    fn new() -> Self {
        Self {
            jobs: VecDeque::with_capacity(1),
            running: 0,
            in_ring: false,
            served: Arc::default(),
        }
    }

    /// Takes a place among those whose turn will come, if it may start a job and has none yet.
    fn enter(&mut self, key: AccountKey, share: usize, ring: &mut VecDeque<Turn<J>>) -> bool {
        let enters = !self.in_ring && !self.jobs.is_empty() && self.running < share;
        if enters {
            self.in_ring = true;
            ring.push_back(Turn::Account(key));
        }
        enters
    }
}

#[cfg(test)]
mod tests;

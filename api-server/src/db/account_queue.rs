//! A queue of jobs that serves accounts in round-robin order, so that an account with many jobs does not delay the jobs
//! of other accounts. The jobs of one account run in their order, and only a limited number of them at the same time.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Hash of a user id or a session id, keyed with a random secret of this process, so that callers cannot choose ids
/// that collide. Two accounts with the same hash would share one account's limits.
pub(super) type AccountKey = u64;

/// Maximum number of waiting jobs in a queue; further jobs are rejected.
const MAX_WAITING: usize = 1024;
/// Maximum number of waiting jobs of one account in a queue.
const MAX_WAITING_PER_ACCOUNT: usize = 256;

/// Limits of a queue.
#[derive(Debug, Clone, Copy)]
pub(super) struct QueueLimits {
    /// Maximum number of waiting jobs.
    pub(super) waiting: usize,
    /// Maximum number of waiting jobs of one account.
    pub(super) waiting_per_account: usize,
    /// Maximum number of jobs of one account that run at the same time.
    pub(super) running_per_account: usize,
}

impl QueueLimits {
    /// The limits of both queues, which differ only in how many jobs of one account run at the same time.
    pub(super) const fn with_running_per_account(running_per_account: usize) -> Self {
        Self {
            waiting: MAX_WAITING,
            waiting_per_account: MAX_WAITING_PER_ACCOUNT,
            running_per_account,
        }
    }
}

/// Why a job was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QueueFull {
    /// Too many jobs wait in the queue.
    Queue,
    /// Too many jobs of this account wait.
    Account,
}

/// The waiting jobs, and the accounts with waiting or running jobs.
pub(super) struct AccountQueue<J> {
    limits: QueueLimits,
    state: Mutex<QueueState<J>>,
    /// Wakes a worker when an entry becomes ready.
    entry_ready: Condvar,
}

/// A queue that is closed when this value is dropped, so that its workers end.
pub(super) struct ClosingQueue<J>(pub(super) Arc<AccountQueue<J>>);

impl<J> Drop for ClosingQueue<J> {
    fn drop(&mut self) {
        self.0.close();
    }
}

struct QueueState<J> {
    /// The jobs and accounts that run next, in round-robin order. An account is in this list at most once, while it may
    /// start a job.
    ready: VecDeque<ReadyEntry<J>>,
    accounts: HashMap<AccountKey, Account<J>>,
    /// Number of waiting jobs.
    waiting: usize,
    is_closed: bool,
}

enum ReadyEntry<J> {
    /// A job without an account.
    Job(J),
    /// An account whose oldest waiting job runs next.
    Account(AccountKey),
}

struct Account<J> {
    /// The waiting jobs, the oldest first.
    jobs: VecDeque<J>,
    /// Number of running jobs.
    running: usize,
    /// Whether the account is in the list of ready entries.
    is_ready: bool,
    /// Number of finished jobs for which the database was available.
    served: Arc<AtomicU64>,
}

/// Counts the finished jobs of an account while one of its jobs waits. Jobs that failed because the database was
/// unavailable do not count.
#[derive(Debug)]
pub(super) struct ServedCounter {
    count: Arc<AtomicU64>,
    /// The count when the waiting job was queued.
    initial: u64,
}

impl ServedCounter {
    /// Whether another job of the account has finished since the waiting job was queued.
    pub(super) fn has_increased(&self) -> bool {
        self.count.load(Ordering::Relaxed) > self.initial
    }
}

/// What [`AccountQueue::pop`] returns to a worker.
pub(super) enum Next<J> {
    /// A job and its account. After running the job, the worker must call [`AccountQueue::finish`].
    Job(J, Option<AccountKey>),
    /// No job was queued within the time limit.
    Idle,
    /// The queue is closed and empty.
    Closed,
}

impl<J> AccountQueue<J> {
    pub(super) fn new(limits: QueueLimits) -> Self {
        Self {
            limits,
            state: Mutex::new(QueueState {
                ready: VecDeque::new(),
                accounts: HashMap::new(),
                waiting: 0,
                is_closed: false,
            }),
            entry_ready: Condvar::new(),
        }
    }

    /// Queues a job. Returns the counter of its account, if it has one.
    pub(super) fn push(
        &self,
        job: J,
        account: Option<AccountKey>,
    ) -> Result<Option<ServedCounter>, QueueFull> {
        let pushed = self.lock().push(job, account, &self.limits)?;
        if pushed.adds_ready_entry {
            self.entry_ready.notify_one();
        }
        Ok(pushed.served)
    }

    /// Waits for a job, at most `max_wait`; without a time limit if it is `None`.
    pub(super) fn pop(&self, max_wait: Option<Duration>) -> Next<J> {
        let mut state = self.lock();
        loop {
            if let Some((job, account)) = state.pop(self.limits.running_per_account) {
                // Popping a job may make the same account ready again, for which no worker has been woken.
                if !state.ready.is_empty() {
                    self.entry_ready.notify_one();
                }
                return Next::Job(job, account);
            }
            if state.is_closed {
                return Next::Closed;
            }
            state = match max_wait {
                None => self
                    .entry_ready
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(max_wait) => {
                    let (state, waited) = self
                        .entry_ready
                        .wait_timeout(state, max_wait)
                        .unwrap_or_else(PoisonError::into_inner);
                    if waited.timed_out() && state.ready.is_empty() && !state.is_closed {
                        return Next::Idle;
                    }
                    state
                }
            };
        }
    }

    /// The next job and its account, without waiting; `None` if no job may start.
    pub(super) fn try_pop(&self) -> Option<(J, Option<AccountKey>)> {
        self.lock().pop(self.limits.running_per_account)
    }

    /// Records that a job of this account has run, and whether the database was available for it. Wakes no worker,
    /// because the caller is a worker and pops the next job itself.
    pub(super) fn finish(&self, account: Option<AccountKey>, was_available: bool) {
        if let Some(key) = account {
            let max_running = self.limits.running_per_account;
            self.lock().finish(key, was_available, max_running);
        }
    }

    /// Closes the queue: the workers still run the waiting jobs and then end.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.entry_ready.notify_all();
    }

    /// Ignores poisoning: a panic while the lock is held leaves the state usable.
    fn lock(&self) -> MutexGuard<'_, QueueState<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The result of queueing a job.
struct Pushed {
    /// Whether a worker must be woken, because there is one more ready entry.
    adds_ready_entry: bool,
    served: Option<ServedCounter>,
}

impl<J> QueueState<J> {
    fn push(
        &mut self,
        job: J,
        account: Option<AccountKey>,
        limits: &QueueLimits,
    ) -> Result<Pushed, QueueFull> {
        if self.waiting >= limits.waiting {
            return Err(QueueFull::Queue);
        }
        let Some(key) = account else {
            self.waiting += 1;
            self.ready.push_back(ReadyEntry::Job(job));
            return Ok(Pushed {
                adds_ready_entry: true,
                served: None,
            });
        };
        let account = self.accounts.entry(key).or_insert_with(Account::new);
        if account.jobs.len() >= limits.waiting_per_account {
            return Err(QueueFull::Account);
        }
        self.waiting += 1;
        account.jobs.push_back(job);
        let served = ServedCounter {
            count: Arc::clone(&account.served),
            initial: account.served.load(Ordering::Relaxed),
        };
        let max_running = limits.running_per_account;
        Ok(Pushed {
            adds_ready_entry: account.enqueue_if_ready(key, max_running, &mut self.ready),
            served: Some(served),
        })
    }

    fn pop(&mut self, max_running: usize) -> Option<(J, Option<AccountKey>)> {
        loop {
            match self.ready.pop_front()? {
                ReadyEntry::Job(job) => {
                    self.waiting -= 1;
                    return Some((job, None));
                }
                ReadyEntry::Account(key) => {
                    let Some(account) = self.accounts.get_mut(&key) else {
                        continue;
                    };
                    account.is_ready = false;
                    let Some(job) = account.jobs.pop_front() else {
                        continue;
                    };
                    account.running += 1;
                    account.enqueue_if_ready(key, max_running, &mut self.ready);
                    self.waiting -= 1;
                    return Some((job, Some(key)));
                }
            }
        }
    }

    fn finish(&mut self, key: AccountKey, was_available: bool, max_running: usize) {
        let Some(account) = self.accounts.get_mut(&key) else {
            return;
        };
        account.running = account.running.saturating_sub(1);
        if was_available {
            account.served.fetch_add(1, Ordering::Relaxed);
        }
        if account.running == 0 && account.jobs.is_empty() {
            self.accounts.remove(&key);
            return;
        }
        account.enqueue_if_ready(key, max_running, &mut self.ready);
    }
}

impl<J> Account<J> {
    fn new() -> Self {
        Self {
            jobs: VecDeque::with_capacity(1),
            running: 0,
            is_ready: false,
            served: Arc::default(),
        }
    }

    /// Appends the account to the ready entries if it may start a job and is not among them. Returns whether it was
    /// appended.
    fn enqueue_if_ready(
        &mut self,
        key: AccountKey,
        max_running: usize,
        ready: &mut VecDeque<ReadyEntry<J>>,
    ) -> bool {
        let becomes_ready = !self.is_ready && !self.jobs.is_empty() && self.running < max_running;
        if becomes_ready {
            self.is_ready = true;
            ready.push_back(ReadyEntry::Account(key));
        }
        becomes_ready
    }
}

#[cfg(test)]
mod tests;

//! A queue of jobs that serves accounts in round-robin order, so that an account with many jobs does not delay the jobs
//! of other accounts. The jobs of one account start in order, and only a limited number of them run at the same time.

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
    /// Returns the limits of a queue that runs at most this many jobs of one account at the same time.
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
    /// The jobs and accounts that run next, in round-robin order. An account is in this list at most once, and only
    /// while it may start a job.
    ready_entries: VecDeque<ReadyEntry<J>>,
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
    served_jobs: Arc<AtomicU64>,
}

/// Counts the finished jobs of an account while one of its jobs waits. Jobs that failed because the database was
/// unavailable do not count.
#[derive(Debug)]
pub(super) struct ServedCounter {
    count: Arc<AtomicU64>,
    /// The count when the waiting job was queued.
    initial_count: u64,
}

impl ServedCounter {
    /// Whether another job of the account has finished since the waiting job was queued.
    pub(super) fn has_increased(&self) -> bool {
        self.count.load(Ordering::Relaxed) > self.initial_count
    }
}

/// The result of [`AccountQueue::pop`] for a worker.
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
                ready_entries: VecDeque::new(),
                accounts: HashMap::new(),
                waiting: 0,
                is_closed: false,
            }),
            entry_ready: Condvar::new(),
        }
    }

    /// Queues a job. Returns the counter of the job's account; `None` for a job without an account.
    pub(super) fn push(
        &self,
        job: J,
        account: Option<AccountKey>,
    ) -> Result<Option<ServedCounter>, QueueFull> {
        let outcome = self.lock().push(job, account, &self.limits)?;
        if outcome.adds_ready_entry {
            self.entry_ready.notify_one();
        }
        Ok(outcome.served_counter)
    }

    /// Waits for a job for at most `max_wait`; `None` waits without a time limit.
    pub(super) fn pop(&self, max_wait: Option<Duration>) -> Next<J> {
        let mut state = self.lock();
        loop {
            if let Some((job, account)) = state.pop(self.limits.running_per_account) {
                // Popping a job may add a ready entry for the same account, and no worker was woken for this entry.
                if !state.ready_entries.is_empty() {
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
                    let (state, result) = self
                        .entry_ready
                        .wait_timeout(state, max_wait)
                        .unwrap_or_else(PoisonError::into_inner);
                    if result.timed_out() && state.ready_entries.is_empty() && !state.is_closed {
                        return Next::Idle;
                    }
                    state
                }
            };
        }
    }

    /// Returns the next job and its account without waiting; `None` if no job may start.
    pub(super) fn try_pop(&self) -> Option<(J, Option<AccountKey>)> {
        self.lock().pop(self.limits.running_per_account)
    }

    /// Records that a job of this account has run, and whether the database was available for the job. Wakes no worker,
    /// because the caller is a worker and pops the next job itself.
    pub(super) fn finish(&self, account: Option<AccountKey>, database_was_available: bool) {
        if let Some(key) = account {
            let max_running = self.limits.running_per_account;
            self.lock().finish(key, database_was_available, max_running);
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

/// The result of adding a job to the queue.
struct PushOutcome {
    /// Whether a worker must be woken, because there is one more ready entry.
    adds_ready_entry: bool,
    served_counter: Option<ServedCounter>,
}

impl<J> QueueState<J> {
    fn push(
        &mut self,
        job: J,
        account: Option<AccountKey>,
        limits: &QueueLimits,
    ) -> Result<PushOutcome, QueueFull> {
        if self.waiting >= limits.waiting {
            return Err(QueueFull::Queue);
        }
        let Some(key) = account else {
            self.waiting += 1;
            self.ready_entries.push_back(ReadyEntry::Job(job));
            return Ok(PushOutcome {
                adds_ready_entry: true,
                served_counter: None,
            });
        };
        let account = self.accounts.entry(key).or_insert_with(Account::new);
        if account.jobs.len() >= limits.waiting_per_account {
            return Err(QueueFull::Account);
        }
        self.waiting += 1;
        account.jobs.push_back(job);
        let served_counter = ServedCounter {
            count: Arc::clone(&account.served_jobs),
            initial_count: account.served_jobs.load(Ordering::Relaxed),
        };
        let max_running = limits.running_per_account;
        Ok(PushOutcome {
            adds_ready_entry: account.enqueue_if_ready(key, max_running, &mut self.ready_entries),
            served_counter: Some(served_counter),
        })
    }

    fn pop(&mut self, max_running: usize) -> Option<(J, Option<AccountKey>)> {
        loop {
            match self.ready_entries.pop_front()? {
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
                    account.enqueue_if_ready(key, max_running, &mut self.ready_entries);
                    self.waiting -= 1;
                    return Some((job, Some(key)));
                }
            }
        }
    }

    fn finish(&mut self, key: AccountKey, database_was_available: bool, max_running: usize) {
        let Some(account) = self.accounts.get_mut(&key) else {
            return;
        };
        account.running = account.running.saturating_sub(1);
        if database_was_available {
            account.served_jobs.fetch_add(1, Ordering::Relaxed);
        }
        if account.running == 0 && account.jobs.is_empty() {
            self.accounts.remove(&key);
            return;
        }
        account.enqueue_if_ready(key, max_running, &mut self.ready_entries);
    }
}

impl<J> Account<J> {
    fn new() -> Self {
        Self {
            jobs: VecDeque::with_capacity(1),
            running: 0,
            is_ready: false,
            served_jobs: Arc::default(),
        }
    }

    /// Appends the account to the ready entries if the account may start a job and is not in this list. Returns whether
    /// the account was appended.
    fn enqueue_if_ready(
        &mut self,
        key: AccountKey,
        max_running: usize,
        ready_entries: &mut VecDeque<ReadyEntry<J>>,
    ) -> bool {
        let becomes_ready = !self.is_ready && !self.jobs.is_empty() && self.running < max_running;
        if becomes_ready {
            self.is_ready = true;
            ready_entries.push_back(ReadyEntry::Account(key));
        }
        becomes_ready
    }
}

#[cfg(test)]
mod tests;

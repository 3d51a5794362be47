//! A queue of jobs that serves accounts in round-robin order, so that other accounts do not wait for all the jobs of an
//! account with many. The jobs of one account start in order, and only a limited number of them run at the same time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread, yield_now};
use std::time::{Duration, Instant};

mod state;

use state::QueueState;
pub(super) use state::{JobAccount, ServedJobCounter};

/// Hash of a user id, a session id or a network, keyed with a random secret of this process, so that callers cannot
/// choose ids that collide. Two accounts with the same hash would share one account's limits. The lowest bit is 1 for a
/// network, which takes the place of the account for requests without one.
pub(super) type AccountKey = u64;

/// Returns the key of an account with this hash.
pub(super) const fn account_key(hash: u64) -> AccountKey {
    hash & !1
}

/// Returns the key of a network with this hash.
pub(super) const fn network_key(hash: u64) -> AccountKey {
    hash | 1
}

/// The number of times that a worker without a job yields to other threads before it sleeps. Under load the next job
/// usually arrives during these yields, and yielding costs less than waking a sleeping thread.
const YIELDS_BEFORE_SLEEP: usize = 8;

/// The maximum numbers of jobs that wait in a queue; further jobs are rejected.
#[derive(Debug, Clone, Copy)]
pub struct WaitingJobLimits {
    /// Maximum number of waiting jobs. Jobs without an account may exceed it by `RESERVED_FOR_SERVER`.
    total: usize,
    /// Maximum number of waiting jobs of one account or network.
    per_account: usize,
}

impl WaitingJobLimits {
    /// Creates limits for the waiting jobs in total and for those of one account.
    #[must_use]
    pub const fn new(total: usize, per_account: usize) -> Self {
        Self { total, per_account }
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct QueueLimits {
    pub(super) waiting: WaitingJobLimits,
    /// Maximum number of jobs of one account that run at the same time.
    pub(super) running_per_account: usize,
    /// Maximum number of jobs of one network that run at the same time.
    pub(super) running_per_network: usize,
}

impl QueueLimits {
    const fn max_running(&self, key: AccountKey) -> usize {
        if key & 1 == 1 {
            self.running_per_network
        } else {
            self.running_per_account
        }
    }
}

/// The reason why a job was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QueueFull {
    /// Too many jobs wait in the queue.
    Queue,
    /// Too many jobs of this account or network wait.
    Account,
}

/// The waiting jobs, and the accounts with waiting or running jobs.
pub(super) struct AccountQueue<J> {
    limits: QueueLimits,
    state: Mutex<QueueState<J>>,
    /// Whether `state` has a ready entry, that is, a job that may start. A worker reads this without the lock of
    /// `state`.
    has_ready_entry: AtomicBool,
}

/// A queue that is closed when this value is dropped, so that its workers end.
pub(super) struct ClosingQueue<J>(pub(super) Arc<AccountQueue<J>>);

impl<J> Drop for ClosingQueue<J> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// The result of [`AccountQueue::pop`] for a worker.
pub(super) enum NextJob<J> {
    /// A job and its account. After running the job, the worker must give the account to [`AccountQueue::pop`] or
    /// [`AccountQueue::finish`].
    Job(J, Option<JobAccount>),
    /// No job was ready for this worker when its time limit ended.
    Idle,
    /// The queue is closed, and no job is ready.
    Closed,
}

impl<J> AccountQueue<J> {
    pub(super) fn new(limits: QueueLimits) -> Self {
        Self {
            limits,
            state: Mutex::new(QueueState::new()),
            has_ready_entry: AtomicBool::new(false),
        }
    }

    /// Returns the number of waiting jobs.
    pub(super) fn waiting_count(&self) -> usize {
        self.lock().waiting_count()
    }

    /// Queues a job. Returns a counter of the account's jobs that are served while this job waits; `None` for a job
    /// without an account.
    pub(super) fn push(
        &self,
        job: J,
        account: Option<AccountKey>,
    ) -> Result<Option<ServedJobCounter>, QueueFull> {
        let mut state = self.lock();
        let outcome = state.push(job, account, &self.limits)?;
        let woken_worker = outcome
            .adds_ready_entry
            .then(|| state.sleeping_workers.pop());
        self.update_has_ready_entry(&state);
        drop(state);
        wake(woken_worker.flatten());
        Ok(outcome.served_job_counter)
    }

    /// Finishes a job of the account `finished`, if any, and waits for the next job. Returns [`NextJob::Idle`] after a
    /// sleep of `max_wait` without a job. If the worker is woken for a job that another worker then takes, the sleep
    /// starts again. Without `max_wait`, waits without a time limit.
    pub(super) fn pop(
        &self,
        finished: Option<JobAccount>,
        max_wait: Option<Duration>,
    ) -> NextJob<J> {
        let mut state = self.lock();
        if let Some(finished) = finished {
            state.finish(&finished, &self.limits);
        }
        let mut has_yielded = false;
        loop {
            if let Some((job, account)) = state.pop(&self.limits) {
                self.update_has_ready_entry(&state);
                // Popping a job or finishing one may add a ready entry without waking a worker, so a worker is woken
                // here.
                let has_more = !state.ready_entries.is_empty();
                let woken_worker = has_more.then(|| state.sleeping_workers.pop());
                drop(state);
                wake(woken_worker.flatten());
                return NextJob::Job(job, account);
            }
            if state.is_closed {
                return NextJob::Closed;
            }
            if !has_yielded {
                self.update_has_ready_entry(&state);
                drop(state);
                self.yield_until_ready();
                has_yielded = true;
                state = self.lock();
                continue;
            }
            let (woken_state, is_timeout) = self.sleep(state, max_wait);
            state = woken_state;
            if is_timeout && state.ready_entries.is_empty() && !state.is_closed {
                return NextJob::Idle;
            }
        }
    }

    /// Yields to other threads until there is a ready entry, at most [`YIELDS_BEFORE_SLEEP`] times.
    fn yield_until_ready(&self) {
        for _ in 0..YIELDS_BEFORE_SLEEP {
            if self.has_ready_entry.load(Ordering::Relaxed) {
                return;
            }
            yield_now();
        }
    }

    /// Sleeps until the worker is woken or `max_wait` has passed. Returns the lock, and whether `max_wait` has passed.
    fn sleep<'a>(
        &'a self,
        mut state: MutexGuard<'a, QueueState<J>>,
        max_wait: Option<Duration>,
    ) -> (MutexGuard<'a, QueueState<J>>, bool) {
        let worker = thread::current();
        let deadline = max_wait.map(|max_wait| Instant::now() + max_wait);
        state.sleeping_workers.push(worker.clone());
        loop {
            drop(state);
            match deadline {
                None => thread::park(),
                Some(deadline) => thread::park_timeout(deadline - Instant::now()),
            }
            state = self.lock();
            let is_sleeping = |sleeper: &Thread| sleeper.id() == worker.id();
            let Some(position) = state.sleeping_workers.iter().position(is_sleeping) else {
                return (state, false);
            };
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                state.sleeping_workers.remove(position);
                return (state, true);
            }
        }
    }

    /// Updates [`has_ready_entry`](Self::has_ready_entry), which workers read without the lock.
    fn update_has_ready_entry(&self, state: &QueueState<J>) {
        let has_ready_entry = !state.ready_entries.is_empty();
        self.has_ready_entry
            .store(has_ready_entry, Ordering::Relaxed);
    }

    /// Returns the next job and its account without waiting; `None` if no job may start.
    pub(super) fn try_pop(&self) -> Option<(J, Option<JobAccount>)> {
        let mut state = self.lock();
        let job = state.pop(&self.limits);
        self.update_has_ready_entry(&state);
        job
    }

    /// Records that a worker has run a job of the account. Wakes no worker, because the caller is a worker and then
    /// calls [`pop`](Self::pop).
    pub(super) fn finish(&self, account: &JobAccount) {
        let mut state = self.lock();
        state.finish(account, &self.limits);
        self.update_has_ready_entry(&state);
    }

    /// Closes the queue: the workers still run the waiting jobs, and then their [`pop`](Self::pop) returns
    /// [`NextJob::Closed`].
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        for worker in state.sleeping_workers.drain(..) {
            worker.unpark();
        }
    }

    /// Ignores poisoning: a panic while the lock is held leaves the state usable.
    fn lock(&self) -> MutexGuard<'_, QueueState<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wake(worker: Option<Thread>) {
    if let Some(worker) = worker {
        worker.unpark();
    }
}

#[cfg(test)]
mod tests;

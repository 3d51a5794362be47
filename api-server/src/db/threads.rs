//! Threads that run blocking database jobs, so that async threads do not block. A thread keeps its connection between
//! jobs and returns it to the pool after a second without a job, so under load most jobs do not use the pool.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::Builder;

use tokio::sync::oneshot;

use super::account_queue::{
    AccountKey, AccountQueue, ClosingQueue, FinishedJob, Next, QueueFull, QueueLimits,
    ServedJobCounter,
};
use super::error::DbError;
use super::pool::{Lease, MAX_TRUSTED_IDLE, Pool};
use crate::metrics::Metrics;

/// The part of the threads that one account may use at the same time, rounded down, but at least one thread.
const ACCOUNT_SHARE_PERCENT: usize = 40;

/// A job for a thread. The job returns whether it ran and the database was available.
type Job = Box<dyn FnOnce(&mut Lease) -> bool + Send>;

/// Submits jobs to the threads. Cheap to clone; the threads end after the last clone is dropped.
#[derive(Clone)]
pub(super) struct Threads(Arc<ClosingQueue<Job>>);

impl Threads {
    pub(super) fn start(count: u32, pool: &Pool, metrics: &Metrics) -> io::Result<Self> {
        let thread_count = usize::try_from(count).unwrap_or(usize::MAX);
        let running_per_account = (thread_count * ACCOUNT_SHARE_PERCENT / 100).max(1);
        let limits = QueueLimits::with_running_per_account(running_per_account);
        let queue = Arc::new(AccountQueue::new(limits));
        let threads = Self(Arc::new(ClosingQueue(Arc::clone(&queue))));
        for _ in 0..count {
            let queue = Arc::clone(&queue);
            let lease = Lease::new(pool.clone(), metrics.clone());
            Builder::new()
                .name("db".to_owned())
                .spawn(move || run_jobs_until_closed(&queue, lease))?;
        }
        Ok(threads)
    }

    /// Returns the number of jobs that wait for a thread.
    pub(super) fn waiting_count(&self) -> usize {
        self.0.0.waiting_count()
    }

    /// Queues a job. The job is skipped if its caller has stopped waiting before a thread starts the job.
    pub(super) fn submit<T: Send + 'static>(
        &self,
        account: Option<AccountKey>,
        job: impl FnOnce(&mut Lease) -> Result<T, DbError> + Send + 'static,
    ) -> Result<PendingJob<T>, DbError> {
        let (sender, receiver) = oneshot::channel();
        let job = Box::new(move |lease: &mut Lease| {
            if sender.is_closed() {
                return false;
            }
            let outcome = job(lease);
            let database_was_available = !matches!(outcome, Err(DbError::Unavailable(_)));
            // Sending fails if the caller has stopped waiting.
            let _caller_gone = sender.send(outcome);
            database_was_available
        });
        let served_job_counter = self.0.0.push(job, account)?;
        Ok(PendingJob {
            receiver,
            served_job_counter,
        })
    }
}

/// A queued job whose caller waits for the result.
pub(super) struct PendingJob<T> {
    /// Receives the result. The sender is dropped without a result if the job panicked or could not be committed.
    pub(super) receiver: oneshot::Receiver<Result<T, DbError>>,
    /// Counts the jobs of the account that finish while this job waits; `None` for a job without an account.
    pub(super) served_job_counter: Option<ServedJobCounter>,
}

impl From<QueueFull> for DbError {
    fn from(reason: QueueFull) -> Self {
        match reason {
            QueueFull::Queue => Self::Overloaded,
            QueueFull::Account => Self::AccountBusy,
        }
    }
}

fn run_jobs_until_closed(queue: &AccountQueue<Job>, mut lease: Lease) {
    let mut finished = None;
    while let Some((job, account)) = next_job(queue, finished, &mut lease) {
        let outcome = catch_unwind(AssertUnwindSafe(|| job(&mut lease)));
        if outcome.is_err() {
            lease.discard();
        }
        finished = Some(FinishedJob {
            account,
            database_was_available: outcome.unwrap_or_default(),
        });
    }
}

/// Records the finished job and waits for the next job and its account; `None` if the queue is closed and has no ready
/// job. After a wait of [`MAX_TRUSTED_IDLE`] without a job, returns the connection to the pool and waits again.
fn next_job(
    queue: &AccountQueue<Job>,
    finished: Option<FinishedJob>,
    lease: &mut Lease,
) -> Option<(Job, Option<AccountKey>)> {
    let mut next = queue.pop(finished, Some(MAX_TRUSTED_IDLE));
    if matches!(next, Next::Idle) {
        lease.release();
        next = queue.pop(None, None);
    }
    match next {
        Next::Job(job, account) => Some((job, account)),
        Next::Idle | Next::Closed => None,
    }
}

//! Threads that run blocking database jobs, so that async threads do not block. A thread keeps its connection between
//! jobs and returns it to the pool after a second without a job, so under load most jobs do not use the pool.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::Builder;

use tokio::sync::oneshot;

use super::account_queue::{
    AccountKey, AccountQueue, ClosingQueue, JobAccount, NextJob, QueueFull, QueueLimits,
    ServedJobCounter, WaitingJobLimits,
};
use super::error::DbError;
use super::pool::{MAX_TRUSTED_IDLE, Pool, ThreadConnection};
use crate::metrics::Metrics;

/// The share of the threads, in percent, that one account may use at the same time; at least one thread.
const ACCOUNT_SHARE_PERCENT: usize = 40;
/// The share of the threads, in percent, for the requests of one network that have no account; at least one thread.
/// More than for an account, because many users may share a network.
const NETWORK_SHARE_PERCENT: usize = 75;

/// A job for a thread. The thread passes its connection and the account of the job.
type Job = Box<dyn FnOnce(&mut ThreadConnection, Option<&JobAccount>) + Send>;

/// Submits jobs to the threads. Cheap to clone; the threads end after the last clone is dropped.
#[derive(Clone)]
pub(super) struct JobThreads(Arc<ClosingQueue<Job>>);

impl JobThreads {
    pub(super) fn start(
        count: u32,
        waiting: WaitingJobLimits,
        pool: &Pool,
        metrics: &Metrics,
    ) -> io::Result<Self> {
        let thread_count = usize::try_from(count).unwrap_or(usize::MAX);
        let queue = Arc::new(AccountQueue::new(QueueLimits {
            waiting,
            running_per_account: (thread_count * ACCOUNT_SHARE_PERCENT / 100).max(1),
            running_per_network: (thread_count * NETWORK_SHARE_PERCENT / 100).max(1),
        }));
        let threads = Self(Arc::new(ClosingQueue(Arc::clone(&queue))));
        for _ in 0..count {
            let queue = Arc::clone(&queue);
            let lease = ThreadConnection::new(pool.clone(), metrics.clone());
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
        job: impl FnOnce(&mut ThreadConnection) -> Result<T, DbError> + Send + 'static,
    ) -> Result<PendingJob<T>, DbError> {
        let (sender, receiver) = oneshot::channel();
        let job = Box::new(
            move |lease: &mut ThreadConnection, account: Option<&JobAccount>| {
                if sender.is_closed() {
                    return;
                }
                let outcome = job(lease);
                if let Some(account) = account
                    && !matches!(outcome, Err(DbError::Unavailable(_)))
                {
                    account.count_served_job();
                }
                // Sending fails if the caller has stopped waiting.
                let _caller_gone = sender.send(outcome);
            },
        );
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
    /// Counts the jobs of the account that are served while this job waits; `None` for a job without an account.
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

fn run_jobs_until_closed(queue: &AccountQueue<Job>, mut lease: ThreadConnection) {
    let mut finished = None;
    while let Some((job, account)) = next_job(queue, finished, &mut lease) {
        let outcome = catch_unwind(AssertUnwindSafe(|| job(&mut lease, account.as_ref())));
        if outcome.is_err() {
            lease.discard();
        }
        finished = account;
    }
}

/// Records that a job of the account `finished` has run, waits for the next job, and returns it with its account;
/// `None` if the queue is closed and has no ready job. After a wait of [`MAX_TRUSTED_IDLE`] without a job, returns the
/// connection to the pool and waits again.
fn next_job(
    queue: &AccountQueue<Job>,
    finished: Option<JobAccount>,
    lease: &mut ThreadConnection,
) -> Option<(Job, Option<JobAccount>)> {
    let mut next = queue.pop(finished, Some(MAX_TRUSTED_IDLE));
    if matches!(next, NextJob::Idle) {
        lease.release();
        next = queue.pop(None, None);
    }
    match next {
        NextJob::Job(job, account) => Some((job, account)),
        NextJob::Idle | NextJob::Closed => None,
    }
}

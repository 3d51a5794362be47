//! The state of a queue: the waiting jobs, and the accounts in round-robin order.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::Thread;

use super::{AccountKey, QueueFull, QueueLimits};

/// The number of jobs without an account that may wait although the queue is full, so that requests cannot prevent the
/// work of the server itself, such as reading which sessions have ended.
pub(super) const RESERVED_FOR_SERVER: usize = 64;

/// Uses an account key itself as its hash, because the key is already the result of a keyed hash.
#[derive(Default)]
pub(super) struct AccountKeyHasher(u64);

impl Hasher for AccountKeyHasher {
    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

type AccountMap<V> = HashMap<AccountKey, V, BuildHasherDefault<AccountKeyHasher>>;

pub(super) struct QueueState<J> {
    /// The jobs without an account, and the accounts that may start a job, in the order in which they are served. An
    /// account is in this list at most once.
    pub(super) ready_entries: VecDeque<ReadyEntry<J>>,
    pub(super) accounts: AccountMap<AccountJobs<J>>,
    /// Number of waiting jobs, with and without an account.
    waiting: usize,
    /// The workers that sleep until they are woken. The worker that fell asleep last is woken first, because its
    /// connection is most likely to be in the CPU's cache.
    pub(super) sleeping_workers: Vec<Thread>,
    pub(super) is_closed: bool,
}

pub(super) enum ReadyEntry<J> {
    /// A job without an account.
    Job(J),
    /// An account whose oldest waiting job runs next.
    Account(AccountKey),
}

pub(super) struct AccountJobs<J> {
    /// The waiting jobs, the oldest first.
    jobs: VecDeque<J>,
    /// Number of running jobs.
    running: usize,
    /// Whether [`QueueState::ready_entries`] contains this account.
    is_ready: bool,
    /// Number of jobs for which the database was available, since the account was added to the queue.
    served_jobs: Arc<AtomicU64>,
}

/// The account of a job that a worker runs.
#[derive(Debug)]
pub(in crate::db) struct JobAccount {
    key: AccountKey,
    served_jobs: Arc<AtomicU64>,
}

impl JobAccount {
    /// Counts the job as one for which the database was available. A worker does this before the caller gets the
    /// result, because jobs that the caller queues afterwards must not find that this job was served while they waited.
    pub(in crate::db) fn count_served_job(&self) {
        self.served_jobs.fetch_add(1, Ordering::Relaxed);
    }
}

/// Counts the jobs of an account that are served while another job of the account waits. Only jobs for which the
/// database was available are counted.
#[derive(Debug)]
pub(in crate::db) struct ServedJobCounter {
    count: Arc<AtomicU64>,
    /// The count when the waiting job was queued.
    initial_count: u64,
}

impl ServedJobCounter {
    /// Returns whether the database was available for another job of the account since the waiting job was queued.
    pub(in crate::db) fn has_increased(&self) -> bool {
        self.count.load(Ordering::Relaxed) > self.initial_count
    }
}

/// The result of adding a job to the queue.
pub(super) struct PushOutcome {
    /// Whether there is one more ready entry, so that a sleeping worker must be woken.
    pub(super) adds_ready_entry: bool,
    pub(super) served_job_counter: Option<ServedJobCounter>,
}

impl<J> QueueState<J> {
    pub(super) fn new() -> Self {
        Self {
            ready_entries: VecDeque::new(),
            accounts: AccountMap::default(),
            waiting: 0,
            sleeping_workers: Vec::new(),
            is_closed: false,
        }
    }

    pub(super) const fn waiting_count(&self) -> usize {
        self.waiting
    }

    pub(super) fn push(
        &mut self,
        job: J,
        account: Option<AccountKey>,
        limits: &QueueLimits,
    ) -> Result<PushOutcome, QueueFull> {
        let reserved = if account.is_none() {
            RESERVED_FOR_SERVER
        } else {
            0
        };
        if self.waiting >= limits.waiting.total.saturating_add(reserved) {
            return Err(QueueFull::Queue);
        }
        let Some(key) = account else {
            self.waiting += 1;
            self.ready_entries.push_back(ReadyEntry::Job(job));
            return Ok(PushOutcome {
                adds_ready_entry: true,
                served_job_counter: None,
            });
        };
        let account = self.accounts.entry(key).or_insert_with(AccountJobs::new);
        if account.jobs.len() >= limits.waiting.per_account {
            return Err(QueueFull::Account);
        }
        self.waiting += 1;
        account.jobs.push_back(job);
        let served_job_counter = ServedJobCounter {
            count: Arc::clone(&account.served_jobs),
            initial_count: account.served_jobs.load(Ordering::Relaxed),
        };
        let max_running = limits.max_running(key);
        Ok(PushOutcome {
            adds_ready_entry: account.enqueue_if_ready(key, max_running, &mut self.ready_entries),
            served_job_counter: Some(served_job_counter),
        })
    }

    pub(super) fn pop(&mut self, limits: &QueueLimits) -> Option<(J, Option<JobAccount>)> {
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
                    account.enqueue_if_ready(key, limits.max_running(key), &mut self.ready_entries);
                    self.waiting -= 1;
                    let served_jobs = Arc::clone(&account.served_jobs);
                    return Some((job, Some(JobAccount { key, served_jobs })));
                }
            }
        }
    }

    pub(super) fn finish(&mut self, finished: &JobAccount, limits: &QueueLimits) {
        let key = finished.key;
        let Some(account) = self.accounts.get_mut(&key) else {
            return;
        };
        account.running = account.running.saturating_sub(1);
        if account.running == 0 && account.jobs.is_empty() {
            self.accounts.remove(&key);
            return;
        }
        account.enqueue_if_ready(key, limits.max_running(key), &mut self.ready_entries);
    }
}

impl<J> AccountJobs<J> {
    fn new() -> Self {
        Self {
            jobs: VecDeque::with_capacity(1),
            running: 0,
            is_ready: false,
            served_jobs: Arc::default(),
        }
    }

    /// Appends the account to `ready_entries` if it may start a job and is not in this list. Returns whether it was
    /// appended.
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

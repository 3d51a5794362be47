//! The async interface to the database. Jobs run on threads that may block. Callers wait up to a time limit.

use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::result::QueryResult;
use tokio::time::timeout_at;

use super::DbConnection;
use super::account_aliases::AccountAliases;
use super::account_queue::{AccountKey, WaitingJobLimits, account_key, network_key};
use super::dialect;
use super::error::DbError;
use super::pool::{Pool, PoolEntry, ThreadConnection, new_pool, ping};
use super::threads::{JobThreads, PendingJob};
use super::url::DatabaseUrl;
use super::writer::Writer;
use crate::metrics::{Metrics, Wait};
use crate::network::Network;

/// Longest wait for the result of a job, including its time in the queue.
const RESULT_TIMEOUT: Duration = Duration::from_millis(2500);

/// Access to the database from async code. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    pool: Pool,
    threads: JobThreads,
    metrics: Metrics,
    /// Commits waiting writes together. `None` on PostgreSQL, which does this itself.
    writer: Option<Writer>,
    /// Computes account keys with a random seed, so that callers cannot choose ids whose keys collide.
    account_hasher: RandomState,
    aliases: Arc<AccountAliases>,
}

/// The connections and the waiting jobs at one time.
pub(crate) struct DbState {
    pub(crate) connections: u32,
    /// The connections that no thread holds.
    pub(crate) idle_connections: u32,
    pub(crate) max_connections: u32,
    pub(crate) waiting_jobs: usize,
}

/// Access to the database for the jobs of one account or network, or of the server itself.
pub(crate) struct DbShare<'a> {
    db: &'a Db,
    /// The account or network whose limits apply to the jobs; `None` if only the limit of the whole queue applies.
    account: Option<AccountKey>,
}

impl Db {
    /// Starts the threads and creates a pool for `max_connections` connections; SQLite gets at least 2. Opens no
    /// connection yet.
    ///
    /// # Errors
    ///
    /// If the operating system cannot start a thread.
    pub fn new(
        url: DatabaseUrl,
        max_connections: u32,
        waiting: WaitingJobLimits,
        metrics: Metrics,
    ) -> io::Result<Self> {
        let has_writer = dialect::needs_group_commit(&url);
        let thread_count = dialect::thread_count(&url, max_connections);
        // Enough connections for each thread and for the writer, if any, so that none of them waits for a connection.
        let pool_size = max_connections.max(thread_count + u32::from(has_writer));
        let pool = new_pool(url, pool_size);
        Ok(Self {
            threads: JobThreads::start(thread_count, waiting, &pool, &metrics)?,
            writer: has_writer
                .then(|| Writer::start(waiting, pool.clone(), metrics.clone()))
                .transpose()?,
            pool,
            metrics,
            account_hasher: RandomState::new(),
            aliases: Arc::default(),
        })
    }

    /// Returns the connections and the waiting jobs.
    pub(crate) fn state(&self) -> DbState {
        let pool_state = self.pool.state();
        let waiting_writes = self.writer.as_ref().map_or(0, Writer::waiting_count);
        DbState {
            connections: pool_state.connections,
            idle_connections: pool_state.idle_connections,
            max_connections: self.pool.max_size(),
            waiting_jobs: self.threads.waiting_count() + waiting_writes,
        }
    }

    /// Hashes an id. The hash of a user id is the key of the account; the hash of a session id is an alias of the
    /// account (see [`AccountAliases`]).
    fn key_of_id(&self, id: &str) -> AccountKey {
        account_key(self.account_hasher.hash_one(id))
    }

    /// Returns access to the database for the account with this user id.
    pub(crate) fn of_account(&self, user_id: &str) -> DbShare<'_> {
        DbShare {
            db: self,
            account: Some(self.key_of_id(user_id)),
        }
    }

    /// Returns access to the database for all requests to an endpoint together, which share the limits of one account.
    pub(crate) fn of_endpoint(&self, path: &'static str) -> DbShare<'_> {
        // Unlike the text alone, the pair never has the hash of a user id.
        let hash = self.account_hasher.hash_one(("endpoint", path));
        DbShare {
            db: self,
            account: Some(account_key(hash)),
        }
    }

    /// Returns access to the database for the account of a session. A session that
    /// [`record_session`](Self::record_session) has not recorded recently counts as a separate account.
    pub(crate) fn of_session(&self, session_id: &str) -> DbShare<'_> {
        let alias = self.key_of_id(session_id);
        DbShare {
            db: self,
            account: Some(self.aliases.account_of(alias)),
        }
    }

    /// Returns access to the database for the account of a session if the session was recorded recently, and otherwise
    /// for the network. So a caller with the ids of many sessions that are not recorded, such as ended ones, has only
    /// the share of its network.
    pub(crate) fn of_session_or_network(
        &self,
        session_id: &str,
        network: impl FnOnce() -> Option<Network>,
    ) -> DbShare<'_> {
        let alias = self.key_of_id(session_id);
        match self.aliases.recorded_account(alias) {
            None => self.of_network(network()),
            account => DbShare { db: self, account },
        }
    }

    /// Records the user of a session, so that the jobs of all sessions of an account count towards the same limits.
    pub(crate) fn record_session(&self, session_id: &str, user_id: &str) {
        let [alias, account] = [session_id, user_id].map(|id| self.key_of_id(id));
        self.aliases.record(alias, account);
    }

    /// Returns access to the database for requests of a network that have no account, or whose account must not delay
    /// them. The limits are those of an account, but with a larger share of the threads. All IPv6 networks in a /48
    /// share these limits, and so do all clients without a network.
    pub(crate) fn of_network(&self, network: Option<Network>) -> DbShare<'_> {
        let site = network.map(Network::site);
        DbShare {
            db: self,
            account: Some(network_key(self.account_hasher.hash_one(site))),
        }
    }

    /// Returns access to the database for the jobs of the server itself, without the limits of an account. Also
    /// used for requests whose number is limited elsewhere, for example by the queue for password hashing.
    pub(crate) const fn of_server(&self) -> DbShare<'_> {
        DbShare {
            db: self,
            account: None,
        }
    }

    /// Runs queries that only read.
    ///
    /// # Errors
    ///
    /// [`DbError`], after 2.5 s at the latest, even if the database does not respond. If the job has started by then,
    /// it continues in the background.
    pub async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut DbConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, DbError> {
        self.of_server().read(job).await
    }

    /// Runs queries that write. Statements that must take effect together also need `write_transaction`.
    ///
    /// # Errors
    ///
    /// The same errors as [`read`](Self::read).
    pub async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut DbConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, DbError> {
        self.of_server().write(job).await
    }
}

impl DbShare<'_> {
    /// Runs queries that only read.
    ///
    /// # Errors
    ///
    /// The same errors as [`Db::read`], and [`DbError::AccountBusy`] if too many jobs of the account wait, or if this
    /// job had to wait too long while other jobs of the account were served.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut DbConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, DbError> {
        let result = self.run_on_job_thread(job).await;
        result.inspect_err(|error| self.db.metrics.count(error.event()))
    }

    async fn run_on_job_thread<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut DbConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, DbError> {
        let queued_at = Instant::now();
        let job = move |lease: &mut ThreadConnection| run_with_connection(lease, queued_at, job);
        let pending_job = self.db.threads.submit(self.account, job)?;
        let dropped_cause = "the query panicked";
        wait_for_result(pending_job, queued_at + RESULT_TIMEOUT, dropped_cause).await
    }

    /// Runs queries that write.
    ///
    /// # Errors
    ///
    /// The same errors as [`read`](Self::read).
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut DbConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, DbError> {
        let result = match &self.db.writer {
            None => self.run_on_job_thread(job).await,
            Some(writer) => self.run_on_writer_thread(writer, job).await,
        };
        result.inspect_err(|error| self.db.metrics.count(error.event()))
    }

    async fn run_on_writer_thread<T: Send + 'static>(
        &self,
        writer: &Writer,
        job: impl FnOnce(&mut DbConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, DbError> {
        let deadline = Instant::now() + RESULT_TIMEOUT;
        let pending_job = writer.submit(self.account, job)?;
        let dropped_cause = "the write could not be committed";
        wait_for_result(pending_job, deadline, dropped_cause).await
    }
}

/// Waits for the result until the deadline. If the job's sender is dropped without a result, the error contains
/// `dropped_cause`.
async fn wait_for_result<T>(
    pending_job: PendingJob<T>,
    deadline: Instant,
    dropped_cause: &'static str,
) -> Result<T, DbError> {
    let outcome = match timeout_at(deadline.into(), pending_job.receiver).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_sender_dropped)) => return Err(DbError::Unavailable(dropped_cause.to_owned())),
        Err(_elapsed) => Err(DbError::Unavailable(format!(
            "no response within {RESULT_TIMEOUT:?}"
        ))),
    };
    match outcome {
        // Other jobs of the account were served during the wait, so the database works: the account has too many jobs.
        Err(DbError::Unavailable(_))
            if Instant::now() >= deadline
                && pending_job
                    .served_job_counter
                    .is_some_and(|counter| counter.has_increased()) =>
        {
            Err(DbError::AccountBusy)
        }
        outcome => outcome,
    }
}

/// Runs the job, unless no connection is available before the timeout.
fn run_with_connection<T>(
    lease: &mut ThreadConnection,
    queued_at: Instant,
    job: impl FnOnce(&mut DbConnection) -> QueryResult<T>,
) -> Result<T, DbError> {
    let (entry, metrics) = lease
        .entry()
        .map_err(|error| DbError::Unavailable(error.to_string()))?;
    let wait = queued_at.elapsed();
    metrics.record_wait(Wait::DatabaseJob, wait);
    // After the timeout the caller receives an error, so the job must not start then.
    if wait >= RESULT_TIMEOUT {
        return Err(DbError::Unavailable(
            "no connection was free in time".to_owned(),
        ));
    }
    let result = job(&mut entry.connection);
    entry.last_used = Instant::now();
    result.map_err(|error| classify_error(error, entry))
}

/// Classifies the error of a query. If the connection no longer works, the result is [`DbError::Unavailable`], and the
/// pool closes the connection.
fn classify_error(error: diesel::result::Error, entry: &mut PoolEntry) -> DbError {
    if matches!(error, diesel::result::Error::NotFound) {
        return DbError::Query(error);
    }
    if ping(&mut entry.connection).is_err() {
        entry.must_close = true;
        return DbError::Unavailable(error.to_string());
    }
    DbError::from_query_error(error)
}

//! The async interface to the database. Jobs run on blocking threads, within a time limit.

use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::result::QueryResult;
use tokio::time::timeout_at;

use super::DbConnection;
use super::account_aliases::AccountAliases;
use super::account_queue::AccountKey;
use super::dialect;
use super::error::DbError;
use super::pool::{Lease, Pooled, ping, pool};
use super::threads::{Pending, Threads};
use super::url::DatabaseUrl;
use super::writer::Writer;

/// Longest wait for the result of a job, including its time in the queue.
const RESULT_TIMEOUT: Duration = Duration::from_millis(2500);

/// Access to the database from async code. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    threads: Threads,
    /// Commits waiting writes together; `None` on PostgreSQL, which does so itself.
    writer: Option<Writer>,
    /// Computes account keys. It is random, so that callers cannot choose ids whose keys collide.
    account_hasher: RandomState,
    aliases: Arc<AccountAliases>,
}

/// Access to the database for one account. Its jobs use only a part of the threads at the same time; further jobs wait.
pub(crate) struct AccountDb<'a> {
    db: &'a Db,
    /// `None` for jobs without an account, to which no limit per account applies.
    account: Option<AccountKey>,
}

impl Db {
    /// Starts the threads and creates a pool of `connections`, on SQLite at least 2. Opens no connection yet.
    ///
    /// # Errors
    ///
    /// If the operating system cannot start a thread.
    pub fn new(url: DatabaseUrl, connections: u32) -> io::Result<Self> {
        let has_writer = dialect::needs_group_commit(&url);
        let threads = dialect::thread_count(&url, connections);
        // The writer has a connection of its own, so that reads and writes do not wait for each other's connection.
        let pool = pool(url, connections.max(threads + u32::from(has_writer)));
        Ok(Self {
            threads: Threads::start(threads, &pool)?,
            writer: has_writer.then(|| Writer::start(pool)).transpose()?,
            account_hasher: RandomState::new(),
            aliases: Arc::default(),
        })
    }

    /// Access to the database for the account with this user id.
    pub(crate) fn of_account(&self, user_id: &str) -> AccountDb<'_> {
        AccountDb {
            db: self,
            account: Some(self.account_hasher.hash_one(user_id)),
        }
    }

    /// Access to the database for the account of a session. Until [`record_session`](Self::record_session), the session
    /// counts as an account of its own.
    pub(crate) fn of_session(&self, session_id: &str) -> AccountDb<'_> {
        let alias = self.account_hasher.hash_one(session_id);
        AccountDb {
            db: self,
            account: Some(self.aliases.account_of(alias)),
        }
    }

    /// Records whose session this is, so that all sessions of an account have one share of the database.
    pub(crate) fn record_session(&self, session_id: &str, user_id: &str) {
        let [alias, account] = [session_id, user_id].map(|id| self.account_hasher.hash_one(id));
        self.aliases.record(alias, account);
    }

    /// Access for jobs of the server itself and of callers that are not authenticated. No limit per account applies.
    const fn of_server(&self) -> AccountDb<'_> {
        AccountDb {
            db: self,
            account: None,
        }
    }

    /// Runs queries that only read.
    ///
    /// # Errors
    ///
    /// [`DbError`], after at most 3 s even if the database does not respond. A job that has already started then
    /// continues in the background.
    pub async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut DbConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, DbError> {
        self.of_server().read(job).await
    }

    /// Runs queries that write.
    ///
    /// # Errors
    ///
    /// The same errors as [`read`](Self::read). Statements that must take effect together also need
    /// `write_transaction`.
    pub async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut DbConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, DbError> {
        self.of_server().write(job).await
    }
}

impl AccountDb<'_> {
    /// Runs queries that only read.
    ///
    /// # Errors
    ///
    /// The same errors as [`Db::read`], and [`DbError::AccountBusy`] if other jobs of the same account were served
    /// while this one waited in vain.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut DbConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, DbError> {
        let deadline = Instant::now() + RESULT_TIMEOUT;
        let job = move |lease: &mut Lease| run_with_connection(lease, deadline, job);
        let pending = self.db.threads.submit(self.account, job)?;
        let dropped_cause = "the query panicked";
        wait_for_result(pending, deadline, dropped_cause).await
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
        let Some(writer) = &self.db.writer else {
            return self.read(job).await;
        };
        let deadline = Instant::now() + RESULT_TIMEOUT;
        let pending = writer.submit(self.account, job)?;
        let dropped_cause = "the write could not be committed";
        wait_for_result(pending, deadline, dropped_cause).await
    }
}

/// Waits for the result until the deadline. `dropped_cause` describes why the sender was dropped without a result.
async fn wait_for_result<T>(
    pending: Pending<T>,
    deadline: Instant,
    dropped_cause: &'static str,
) -> Result<T, DbError> {
    let outcome = match timeout_at(deadline.into(), pending.receiver).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_sender_dropped)) => return Err(DbError::Unavailable(dropped_cause.to_owned())),
        Err(_elapsed) => Err(DbError::Unavailable(format!(
            "no response within {RESULT_TIMEOUT:?}"
        ))),
    };
    match outcome {
        // Other jobs of the account were served meanwhile, so the database works: the account itself has too many jobs.
        Err(DbError::Unavailable(_))
            if Instant::now() >= deadline
                && pending.served.is_some_and(|served| served.has_increased()) =>
        {
            Err(DbError::AccountBusy)
        }
        outcome => outcome,
    }
}

/// Runs the job, unless no connection is available before the deadline.
fn run_with_connection<T>(
    lease: &mut Lease,
    deadline: Instant,
    job: impl FnOnce(&mut DbConnection) -> QueryResult<T>,
) -> Result<T, DbError> {
    let pooled = lease
        .connection()
        .map_err(|error| DbError::Unavailable(error.to_string()))?;
    // The caller has already received a 503 response, so the job must not run later.
    if Instant::now() >= deadline {
        return Err(DbError::Unavailable(
            "no connection was free in time".to_owned(),
        ));
    }
    let result = job(&mut pooled.connection);
    pooled.last_used = Instant::now();
    result.map_err(|error| classify_error(error, pooled))
}

/// Classifies the error of a query: if the connection no longer works, the database is unavailable.
fn classify_error(error: diesel::result::Error, pooled: &mut Pooled) -> DbError {
    if matches!(error, diesel::result::Error::NotFound) {
        return DbError::Query(error);
    }
    if ping(&mut pooled.connection).is_err() {
        pooled.must_close = true;
        return DbError::Unavailable(error.to_string());
    }
    DbError::from_query_error(error)
}

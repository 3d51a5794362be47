//! From async code to a blocking connection and back, within bounds.

use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::time::{Duration, Instant};

use diesel::result::QueryResult;
use tokio::time::timeout_at;

use super::DbConnection;
use super::account_queue::AccountKey;
use super::dialect;
use super::error::DbError;
use super::pool::{Lease, Pooled, pool};
use super::threads::{Pending, Threads};
use super::url::DatabaseUrl;
use super::writer::Writer;

/// How long a request waits for the database altogether.
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(2500);

/// The database, as async code sees it. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    threads: Threads,
    /// Where the engine gains from committing writes together.
    writer: Option<Writer>,
    /// Makes the keys of accounts, which callers cannot guess.
    keys: RandomState,
}

/// The database as one account may use it: its requests hold a small part of the threads at a time, the others wait.
pub(crate) struct AccountDb<'a> {
    db: &'a Db,
    account: Option<AccountKey>,
}

impl Db {
    /// Prepares a pool of `connections` (on SQLite at least 2); opens none yet.
    ///
    /// # Errors
    ///
    /// If the operating system gives no thread.
    pub fn new(url: DatabaseUrl, connections: u32) -> io::Result<Self> {
        let together = dialect::commits_together(&url);
        let threads = dialect::useful_threads(&url, connections);
        // Also where one is all that is allowed, reads and writes do not wait for each other's connection.
        let pool = pool(url, connections.max(threads + u32::from(together)));
        Ok(Self {
            threads: Threads::start(threads, &pool)?,
            writer: together.then(|| Writer::start(pool)).transpose()?,
            keys: RandomState::new(),
        })
    }

    /// The way to the database for what an account asks for. `id` is the user's id, or that of a session.
    pub(crate) fn of_account(&self, id: &str) -> AccountDb<'_> {
        AccountDb {
            db: self,
            account: Some(self.keys.hash_one(id)),
        }
    }

    /// The way to the database for what the server asks for itself, and for callers that are not known yet.
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
    /// [`DbError`]; within 3 s, even if the database hangs. A job that has begun may then still end in the background.
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
    /// As [`read`](Self::read). Several statements that belong together still need `write_transaction`.
    pub async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut DbConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, DbError> {
        self.of_server().write(job).await
    }
}

impl AccountDb<'_> {
    /// As [`Db::read`].
    ///
    /// # Errors
    ///
    /// As [`Db::read`]; [`DbError::AccountBusy`] if the account's own requests left this one no turn.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut DbConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, DbError> {
        let deadline = Instant::now() + RESPONSE_TIMEOUT;
        let job = move |lease: &mut Lease| on_a_connection(lease, deadline, job);
        let pending = self.db.threads.submit(self.account, job)?;
        let dropped = "the query panicked";
        within_patience(pending, deadline, dropped).await
    }

    /// As [`Db::write`].
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut DbConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, DbError> {
        let Some(writer) = &self.db.writer else {
            return self.read(job).await;
        };
        let deadline = Instant::now() + RESPONSE_TIMEOUT;
        let pending = writer.submit(self.account, job)?;
        let dropped = "the write could not be committed";
        within_patience(pending, deadline, dropped).await
    }
}

async fn within_patience<T>(
    pending: Pending<T>,
    deadline: Instant,
    dropped: &'static str,
) -> Result<T, DbError> {
    let outcome = match timeout_at(deadline.into(), pending.response).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_dropped)) => return Err(DbError::Unavailable(dropped.to_owned())),
        Err(_elapsed) => Err(DbError::Unavailable(format!(
            "no answer in {RESPONSE_TIMEOUT:?}"
        ))),
    };
    match outcome {
        // While the account was served, what came too late waited for the account's own requests.
        Err(DbError::Unavailable(_))
            if Instant::now() >= deadline
                && pending.served.is_some_and(|served| served.has_grown()) =>
        {
            Err(DbError::AccountBusy)
        }
        outcome => outcome,
    }
}

fn on_a_connection<T>(
    lease: &mut Lease,
    deadline: Instant,
    job: impl FnOnce(&mut DbConnection) -> QueryResult<T>,
) -> Result<T, DbError> {
    let pooled = lease
        .connection()
        .map_err(|error| DbError::Unavailable(error.to_string()))?;
    // The caller has got its 503 by now, so a query that has not begun must not run.
    if Instant::now() >= deadline {
        return Err(DbError::Unavailable(
            "a connection came too late".to_owned(),
        ));
    }
    let result = job(&mut pooled.connection);
    pooled.last_used = Instant::now();
    result.map_err(|error| diagnose(error, pooled))
}

/// A query error on a dead connection is the connection's fault.
fn diagnose(error: diesel::result::Error, pooled: &mut Pooled) -> DbError {
    if matches!(error, diesel::result::Error::NotFound) {
        return DbError::Query(error);
    }
    if pooled.check().is_err() {
        pooled.broken = true;
        return DbError::Unavailable(error.to_string());
    }
    DbError::of_query(error)
}

//! The pool: connections by URL, checked when they have been idle, dropped when they broke.

use std::time::{Duration, Instant};

use diesel::{ConnectionError, RunQueryDsl as _, sql_query};
use r2d2::{ManageConnection, PooledConnection};

use super::dialect;
use super::dialect::DbConnection;
use super::url::DatabaseUrl;

/// A connection unused for longer than this is asked whether it still lives.
pub(super) const TRUSTED_IDLE: Duration = Duration::from_secs(1);
/// The default of 30 s would hold a thread and a caller that long.
const CHECKOUT_TIMEOUT: Duration = Duration::from_secs(2);

pub(super) type Pool = r2d2::Pool<Manager>;

/// Opens nothing yet; the first use does, so the server starts fast and survives a database that is away.
pub(super) fn pool(url: DatabaseUrl, size: u32) -> Pool {
    r2d2::Pool::builder()
        .max_size(size)
        .min_idle(Some(0))
        .connection_timeout(CHECKOUT_TIMEOUT)
        .build_unchecked(Manager { url })
}

pub(super) struct Manager {
    url: DatabaseUrl,
}

/// A connection and what the pool must know of it.
pub(super) struct Pooled {
    pub(super) connection: DbConnection,
    pub(super) broken: bool,
    pub(super) last_used: Instant,
}

impl Pooled {
    fn is_trusted(&mut self) -> bool {
        self.last_used.elapsed() < TRUSTED_IDLE && !self.is_broken()
    }

    fn is_broken(&mut self) -> bool {
        self.broken || dialect::is_broken(&mut self.connection)
    }

    pub(super) fn check(&mut self) -> Result<(), diesel::result::Error> {
        ping(&mut self.connection)
    }
}

pub(super) fn ping(connection: &mut DbConnection) -> diesel::QueryResult<()> {
    sql_query("SELECT 1").execute(connection).map(drop)
}

impl ManageConnection for Manager {
    type Connection = Pooled;
    type Error = PoolError;

    fn connect(&self) -> Result<Pooled, PoolError> {
        Ok(Pooled {
            connection: dialect::connect(&self.url).map_err(PoolError::Connect)?,
            broken: false,
            last_used: Instant::now(),
        })
    }

    fn is_valid(&self, pooled: &mut Pooled) -> Result<(), PoolError> {
        if pooled.is_trusted() {
            return Ok(());
        }
        pooled.check().map_err(PoolError::Query)
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        std::thread::panicking() || pooled.is_broken()
    }
}

/// The connection that a thread has, if it has one.
pub(super) struct Lease {
    pool: Pool,
    connection: Option<PooledConnection<Manager>>,
}

impl Lease {
    pub(super) const fn new(pool: Pool) -> Self {
        Self {
            pool,
            connection: None,
        }
    }

    /// The same connection as before while it is trusted, else one that the pool has checked.
    pub(super) fn connection(&mut self) -> Result<&mut Pooled, r2d2::Error> {
        let mut held = self.connection.take();
        let trusted = held.take_if(|pooled| pooled.is_trusted());
        // What is not trusted goes back first, for the pool to check or to replace.
        drop(held);
        let connection = trusted.map_or_else(|| self.pool.get(), Ok)?;
        Ok(self.connection.insert(connection))
    }

    /// Gives the connection back.
    pub(super) fn end(&mut self) {
        self.connection = None;
    }

    /// Gives the connection back to be closed, not to be used again.
    pub(super) fn discard(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            connection.broken = true;
        }
    }
}

#[derive(Debug)]
pub(super) enum PoolError {
    Connect(ConnectionError),
    Query(diesel::result::Error),
}

impl std::fmt::Display for PoolError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Connect(error) => error.fmt(f),
            Self::Query(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PoolError {}

//! The pool: connections by URL, checked when they have been idle, dropped when they broke.

use std::time::{Duration, Instant};

use diesel::{ConnectionError, RunQueryDsl as _, sql_query};
use r2d2::ManageConnection;

use super::dialect::{self, DbConnection};
use super::url::DatabaseUrl;

/// A connection unused for longer than this is asked whether it still lives.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);
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
    pub(super) fn answers(&mut self) -> Result<(), diesel::result::Error> {
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
        if pooled.last_used.elapsed() < TRUSTED_IDLE {
            return Ok(());
        }
        pooled.answers().map_err(PoolError::Query)
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        std::thread::panicking() || pooled.broken || dialect::is_broken(&mut pooled.connection)
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

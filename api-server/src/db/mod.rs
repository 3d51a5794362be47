//! The only place that knows two engines, and the only way to them from async code.
//!
//! [`Db::read`] and [`Db::write`] take a plain function over a connection; what happens in between (waiting, pooling,
//! threads, time limits, telling a broken database from a broken query) happens here once.

mod account_queue;
mod dialect;
mod error;
mod handle;
mod migrations;
mod pool;
mod private_file;
mod reader;
pub(crate) mod schema;
mod threads;
mod times;
mod types;
mod url;
mod writer;

pub use dialect::DbConnection;
pub(crate) use dialect::{lock_account, on_either_engine, write_transaction};
pub use error::DbError;
pub use handle::Db;
pub(crate) use migrations::create_private_folder;
pub use migrations::migrate;
pub(crate) use private_file::is_open_to_others;
pub(crate) use reader::{CellError, Column, Reader, SHORT_TEXT_BYTES, Table, TextRow};
pub(crate) use types::Timestamp;
pub use url::DatabaseUrl;

/// A connection outside any pool, for a command that does one thing and ends.
pub(crate) fn connect(url: &DatabaseUrl) -> Result<DbConnection, DbError> {
    dialect::connect(url).map_err(|error| DbError::Unavailable(error.to_string()))
}

/// Why a query failed on a connection of one's own.
pub(crate) fn diagnose(connection: &mut DbConnection, error: diesel::result::Error) -> DbError {
    match ping(connection) {
        Ok(()) => DbError::of_query(error),
        Err(_dead) => DbError::Unavailable(error.to_string()),
    }
}

/// Asks the database for a sign of life.
pub(crate) fn ping(connection: &mut DbConnection) -> QueryResult<()> {
    pool::ping(connection)
}

pub(crate) use diesel::QueryResult;
/// For tests of what the server does when its database misbehaves.
pub use diesel::connection::SimpleConnection;

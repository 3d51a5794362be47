//! Access to the database. The queries in other modules run on both engines, SQLite and PostgreSQL.
//!
//! Async code passes a synchronous function to [`Db::read`] or [`Db::write`]. The function is called on another thread,
//! with a connection of the pool. The caller waits for the result up to a time limit. An error says whether the
//! database is unavailable.

mod account_aliases;
mod account_queue;
mod dialect;
mod error;
mod handle;
mod inspection;
mod migrations;
mod pool;
mod postgres;
mod postgres_parameters;
mod private_file;
mod reader;
pub(crate) mod schema;
mod sqlite_copy;
mod threads;
mod times;
mod types;
mod url;
mod writer;

pub use account_queue::WaitingJobLimits;
pub use dialect::DbConnection;
pub(crate) use dialect::{
    has_single_writer, lock_for_restore, lock_until_commit, number_revocations, on_either_engine,
    write_transaction,
};
pub use error::DbError;
pub use handle::Db;
pub(crate) use handle::DbShare;
pub(crate) use inspection::{Inspection, inspect};
pub(crate) use migrations::create_private_folder;
pub use migrations::migrate;
pub(crate) use migrations::migrate_with_progress;
pub(crate) use pool::ping;
pub(crate) use private_file::is_accessible_to_others;
pub(crate) use reader::{
    CellError, Column, MAX_SHORT_TEXT_BYTES, NULL_EXPRESSION, Reader, TableName, TextRow,
};
pub(crate) use sqlite_copy::{copy_database, replace_all_rows};
pub(crate) use types::Timestamp;
pub use url::DatabaseUrl;

/// Opens a connection outside the pool, for commands such as `users import`.
pub(crate) fn connect(url: &DatabaseUrl) -> Result<DbConnection, DbError> {
    dialect::connect(url).map_err(|error| DbError::Unavailable(error.to_string()))
}

/// Classifies the error of a query on a connection outside the pool. If the connection no longer works, the result is
/// [`DbError::Unavailable`].
pub(crate) fn diagnose(connection: &mut DbConnection, error: diesel::result::Error) -> DbError {
    match ping(connection) {
        Ok(()) => DbError::from_query_error(error),
        Err(_connection_lost) => DbError::Unavailable(error.to_string()),
    }
}

pub(crate) use diesel::QueryResult;

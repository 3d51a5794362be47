//! The only place that knows two engines, and the only door to them from async code.
//!
//! [`Db::run`] and [`Db::write`] take a plain function over a connection; what happens in between (waiting, pooling,
//! threads, time limits, telling a broken database from a broken query) happens here once.

mod dialect;
mod door;
mod error;
mod functions;
mod migrations;
mod pool;
pub(crate) mod schema;
mod threads;
mod types;
mod url;
mod writer;

pub use dialect::DbConnection;
pub(crate) use dialect::{on_either_engine, write_transaction};
pub use door::Db;
pub use error::DbError;
pub(crate) use functions::lower;
pub(crate) use migrations::create_private_folder;
pub use migrations::migrate;
pub(crate) use types::Timestamp;
pub use url::DatabaseUrl;

/// Asks the database for a sign of life.
pub(crate) fn ping(connection: &mut DbConnection) -> QueryResult<()> {
    pool::ping(connection)
}

pub(crate) use diesel::QueryResult;
/// For tests of what the server does when its database misbehaves.
pub use diesel::connection::SimpleConnection;

//! Errors of database access.

use std::fmt;

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::metrics::Event;
use crate::problem::Problem;

/// An error of any type, for a message to the operator.
pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The reason why a database job failed. Each kind becomes a different response to the client.
#[derive(Debug)]
#[non_exhaustive]
pub enum DbError {
    /// Too many jobs already wait for the database.
    Overloaded,
    /// Too many jobs of this account or network wait, or the job had to wait too long while other jobs of the same
    /// account or network ran.
    AccountBusy,
    /// The database is unavailable, for example locked or too slow; with the cause for the log. The client may retry.
    Unavailable(String),
    /// A query failed on a working database. For a request, this is an internal error of the server.
    Query(DieselError),
}

impl DbError {
    /// Returns the event that counts this error.
    pub(super) const fn event(&self) -> Event {
        match self {
            Self::Overloaded => Event::DatabaseOverloaded,
            Self::AccountBusy => Event::DatabaseAccountBusy,
            Self::Unavailable(_) => Event::DatabaseUnavailable,
            Self::Query(_) => Event::DatabaseQueryFailed,
        }
    }

    /// Classifies the error of a query on a connection that works.
    pub(super) fn from_query_error(error: DieselError) -> Self {
        if means_unavailable(&error) {
            return Self::Unavailable(error.to_string());
        }
        Self::Query(error)
    }
}

/// Returns whether an error on a working connection means that the database is unavailable.
fn means_unavailable(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(kind, information) => match kind {
            DatabaseErrorKind::ClosedConnection
            | DatabaseErrorKind::UnableToSendCommand
            | DatabaseErrorKind::SerializationFailure => true,
            _ => UNAVAILABLE_MESSAGES
                .iter()
                .any(|text| information.message().contains(text)),
        },
        DieselError::BrokenTransactionManager => true,
        _ => false,
    }
}

/// An error whose message contains one of these texts means that the database is unavailable.
const UNAVAILABLE_MESSAGES: &[&str] = &[
    "database is locked",
    "database table is locked",
    "database or disk is full",
    "statement timeout",
    "terminating connection",
    "the database system is",
    "too many clients",
    "deadlock detected",
    "read-only transaction",
];

impl fmt::Display for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overloaded => f.write_str("too many requests wait for the database"),
            Self::AccountBusy => {
                f.write_str("too many requests of this account wait for the database")
            }
            Self::Unavailable(cause) => write!(f, "the database is unavailable: {cause}"),
            Self::Query(error) => write!(f, "a query failed: {error}"),
        }
    }
}

impl std::error::Error for DbError {}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Overloaded => Self::overloaded(),
            DbError::AccountBusy => Self::account_busy(),
            DbError::Unavailable(cause) => Self::database_unavailable(cause),
            DbError::Query(error) => Self::internal(error),
        }
    }
}

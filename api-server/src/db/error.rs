//! Why the database did not respond.

use std::fmt;

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::problem::Problem;

/// Told apart because the caller is told different things: come back later, or it is our fault.
#[derive(Debug)]
#[non_exhaustive]
pub enum DbError {
    /// Too many requests wait already.
    Overloaded,
    /// Too many requests of this account wait already.
    AccountBusy,
    /// The database is away, locked or too slow.
    Unavailable(String),
    /// A query failed that should not have.
    Query(DieselError),
}

impl DbError {
    pub(super) fn of_query(error: DieselError) -> Self {
        if means_unavailable(&error) {
            return Self::Unavailable(error.to_string());
        }
        Self::Query(error)
    }
}

/// Only what a healthy connection can report; a dead one is found out by asking it.
fn means_unavailable(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(kind, information) => match kind {
            DatabaseErrorKind::ClosedConnection
            | DatabaseErrorKind::UnableToSendCommand
            | DatabaseErrorKind::SerializationFailure => true,
            _ => BUSY.iter().any(|text| information.message().contains(text)),
        },
        DieselError::BrokenTransactionManager => true,
        _ => false,
    }
}

/// Neither engine gives these a kind of their own.
const BUSY: &[&str] = &[
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
            Self::Unavailable(why) => write!(f, "the database is unavailable: {why}"),
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
            DbError::Unavailable(why) => Self::database_unavailable(why),
            DbError::Query(error) => Self::internal(error),
        }
    }
}

//! Connects to a PostgreSQL server, directly or through a pooler such as PgBouncer.
//!
//! A pooler that pools transactions may run each transaction of a client on a different connection to the server. A
//! statement that an earlier transaction prepared may then be unknown, or another statement may have its name, and a
//! setting of the session would apply to other clients. So behind a pooler, no statement is prepared and no setting of
//! the session is made.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use diesel::connection::{CacheSize, SimpleConnection as _};
use diesel::deserialize::QueryableByName;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::postgres_parameters::{PoolerHint, pooler_hint, url_for_libpq, with_options};

/// Cancels a statement after 5 s. A request stops waiting for its result earlier, after 2.5 s.
const SESSION_SETUP: &str = "SET statement_timeout = '5s'";
/// Startup options that set the timeout of [`SESSION_SETUP`], and a setting that only this program uses. A pooler
/// rejects or ignores these options, so a session that has the setting has no pooler.
const DIRECT_OPTIONS: &str = "-c statement_timeout=5s -c api_server.is_direct=on";
/// Reads whether the session has the setting from [`DIRECT_OPTIONS`], and whether it has any statement timeout.
const SESSION_STATE_QUERY: &str = "SELECT \
    COALESCE(current_setting('api_server.is_direct', TRUE), '') = 'on' AS is_direct, \
    current_setting('statement_timeout') <> '0' AS has_timeout";

#[derive(QueryableByName)]
struct SessionState {
    #[diesel(sql_type = Bool)]
    is_direct: bool,
    #[diesel(sql_type = Bool)]
    has_timeout: bool,
}

/// The URL of a PostgreSQL server. Clones share what a connection has found out about a pooler.
#[derive(Clone)]
pub(super) struct PostgresUrl {
    text: String,
    pooler_hint: PoolerHint,
    /// Whether a connection has found a pooler.
    has_found_pooler: Arc<AtomicBool>,
}

impl PostgresUrl {
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        Ok(Self {
            text: text.to_owned(),
            pooler_hint: pooler_hint(text)?,
            has_found_pooler: Arc::default(),
        })
    }

    /// Returns whether a pooler is between this program and PostgreSQL; `None` if only a connection can show this.
    fn is_pooled(&self) -> Option<bool> {
        match self.pooler_hint {
            PoolerHint::Pooler => Some(true),
            PoolerHint::NoPooler => Some(false),
            PoolerHint::Unknown => self
                .has_found_pooler
                .load(Ordering::Relaxed)
                .then_some(true),
        }
    }

    /// Records that a connection has found a pooler. Logs this once.
    fn record_pooler(&self, has_timeout: bool) {
        if self.has_found_pooler.swap(true, Ordering::Relaxed) {
            return;
        }
        log::info!(
            "a pooler such as PgBouncer is between this program and PostgreSQL, so no statement is prepared (with \
             ?pgbouncer=false in DATABASE_URL, statements are)"
        );
        if !has_timeout {
            log::warn!(
                "PostgreSQL cancels no long statement, because a setting of a session does not survive the pooler; \
                 run once: ALTER ROLE the_user_of_DATABASE_URL SET statement_timeout = '5s'"
            );
        }
    }
}

impl PartialEq for PostgresUrl {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for PostgresUrl {}

/// Prints only the host, the port and the name of the database.
impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let after_scheme = self.text.split_once("://").map_or("", |(_, rest)| rest);
        let location = after_scheme.split('?').next().unwrap_or_default();
        let location = location.rsplit_once('@').map_or(location, |(_, host)| host);
        write!(f, "postgres://{location}")
    }
}

/// Opens a connection. Without a pooler, PostgreSQL cancels a statement on the connection after 5 s, unless the
/// transaction sets another timeout.
pub(super) fn connect(url: &PostgresUrl) -> ConnectionResult<PgConnection> {
    match url.is_pooled() {
        Some(true) => connect_through_pooler(url),
        Some(false) => {
            let mut connection = PgConnection::establish(&url_for_libpq(&url.text))?;
            connection
                .batch_execute(SESSION_SETUP)
                .map_err(ConnectionError::CouldntSetupConfiguration)?;
            Ok(connection)
        }
        None => connect_and_detect_pooler(url),
    }
}

fn connect_and_detect_pooler(url: &PostgresUrl) -> ConnectionResult<PgConnection> {
    let url_with_options = with_options(&url_for_libpq(&url.text), DIRECT_OPTIONS);
    match PgConnection::establish(&url_with_options) {
        Ok(mut connection) => {
            if !read_state(&mut connection)?.is_direct {
                configure_for_pooler(&mut connection, url)?;
            }
            Ok(connection)
        }
        Err(error) if means_options_rejected(&error.to_string()) => connect_through_pooler(url),
        Err(error) => Err(error),
    }
}

fn connect_through_pooler(url: &PostgresUrl) -> ConnectionResult<PgConnection> {
    let mut connection = PgConnection::establish(&url_for_libpq(&url.text))?;
    configure_for_pooler(&mut connection, url)?;
    Ok(connection)
}

/// Makes the connection send each statement together with its values instead of preparing it. Records the pooler.
fn configure_for_pooler(connection: &mut PgConnection, url: &PostgresUrl) -> ConnectionResult<()> {
    connection.set_prepared_statement_cache_size(CacheSize::Disabled);
    if !url.has_found_pooler.load(Ordering::Relaxed) {
        url.record_pooler(read_state(connection)?.has_timeout);
    }
    Ok(())
}

fn read_state(connection: &mut PgConnection) -> ConnectionResult<SessionState> {
    diesel::sql_query(SESSION_STATE_QUERY)
        .get_result(connection)
        .map_err(ConnectionError::CouldntSetupConfiguration)
}

/// Returns whether the error of a connection says that a pooler rejected [`DIRECT_OPTIONS`]: PgBouncer names the
/// startup parameter, and the proxy of Amazon RDS mentions command-line options.
fn means_options_rejected(error: &str) -> bool {
    ["unsupported startup parameter", "command-line options"]
        .iter()
        .any(|text| error.contains(text))
}

#[cfg(test)]
mod tests {
    use super::{PostgresUrl, means_options_rejected};

    fn is_pooled(url: &str) -> Option<bool> {
        PostgresUrl::parse(url).unwrap().is_pooled()
    }

    #[test]
    fn the_parameter_pgbouncer_says_whether_there_is_a_pooler() {
        assert_eq!(is_pooled("postgres://h/d?pgbouncer=true"), Some(true));
        assert_eq!(is_pooled("postgres://h/d?pgbouncer=false"), Some(false));
        assert_eq!(is_pooled("postgres://h/d"), None);
        assert!(PostgresUrl::parse("postgres://h/d?pgbouncer=yes").is_err());
    }

    #[test]
    fn a_pooler_that_one_connection_has_found_is_known_to_all_clones_of_the_url() {
        let url = PostgresUrl::parse("postgres://h/d").unwrap();
        let clone = url.clone();
        url.record_pooler(true);
        assert_eq!(clone.is_pooled(), Some(true));
    }

    #[test]
    fn the_errors_of_poolers_that_accept_no_options_are_recognised() {
        for (error, is_rejected) in [
            ("FATAL:  unsupported startup parameter: options", true),
            (
                "FATAL:  unsupported startup parameter in options: api_server.is_direct",
                true,
            ),
            (
                "ERROR: unsupported startup parameter in options: statement_timeout. Please use unpooled connection",
                true,
            ),
            (
                "FATAL: Feature not supported: RDS Proxy currently doesn't support command-line options.",
                true,
            ),
            (
                "FATAL:  password authentication failed for user \"ada\"",
                false,
            ),
            ("FATAL:  unrecognized configuration parameter \"x\"", false),
        ] {
            assert_eq!(means_options_rejected(error), is_rejected, "{error}");
        }
    }
}

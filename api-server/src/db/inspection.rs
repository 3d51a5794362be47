//! Examines a database without changing it, for `api-server check` and for restores.

use diesel::deserialize::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Text};

use super::dialect;
use super::dialect::DbConnection;
use super::error::BoxError;
use super::types::Timestamp;
use super::url::DatabaseUrl;

/// The state of a database, as read by [`inspect`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Inspection {
    /// The time by the clock of the database.
    pub(crate) now: Timestamp,
    /// Whether PostgreSQL runs as a standby, which accepts no writes; always false on SQLite.
    pub(crate) is_standby: bool,
    /// Whether this program has the permission to create tables, as migrations do; always true on SQLite.
    pub(crate) may_create_tables: bool,
    /// The number of migrations that have run.
    pub(crate) run_count: usize,
    /// The number of migrations that have not run yet.
    pub(crate) pending_count: usize,
    /// The versions of migrations that have run, but that this program does not have.
    pub(crate) unknown_versions: Vec<String>,
}

#[derive(QueryableByName)]
struct StateRow {
    #[diesel(sql_type = BigInt)]
    now_micros: i64,
    #[diesel(sql_type = Bool)]
    is_standby: bool,
    #[diesel(sql_type = Bool)]
    may_create_tables: bool,
    #[diesel(sql_type = Bool)]
    is_migrated: bool,
}

#[derive(QueryableByName)]
struct VersionRow {
    #[diesel(sql_type = Text)]
    version: String,
}

/// Connects to the database, which must exist, and reads its state.
pub(crate) fn inspect(url: &DatabaseUrl) -> Result<Inspection, BoxError> {
    let mut connection = dialect::connect_to_inspect(url)?;
    let mut state = None;
    let state_query = dialect::engine_sql(&connection).state;
    dialect::for_each_row(&mut connection, state_query, |row: StateRow| {
        state = Some(row);
        Ok::<_, BoxError>(())
    })?;
    let state = state.ok_or("the database returned no row")?;
    let run_versions = if state.is_migrated {
        applied_migration_versions(&mut connection)?
    } else {
        Vec::new()
    };
    let own_versions = dialect::migration_versions(&connection)?;
    let is_missing_in = |versions: &[String]| {
        let versions = versions.to_vec();
        move |version: &&String| !versions.contains(version)
    };
    let pending_versions = own_versions.iter().filter(is_missing_in(&run_versions));
    let unknown_versions = run_versions.iter().filter(is_missing_in(&own_versions));
    Ok(Inspection {
        now: Timestamp::from_unix_micros(state.now_micros),
        is_standby: state.is_standby,
        may_create_tables: state.may_create_tables,
        run_count: run_versions.len(),
        pending_count: pending_versions.count(),
        unknown_versions: unknown_versions.cloned().collect(),
    })
}

/// Returns the versions of the migrations that have run.
fn applied_migration_versions(connection: &mut DbConnection) -> Result<Vec<String>, BoxError> {
    let mut versions = Vec::new();
    let query =
        "SELECT CAST(version AS text) AS version FROM __diesel_schema_migrations ORDER BY version";
    dialect::for_each_row(connection, query, |row: VersionRow| {
        versions.push(row.version);
        Ok::<_, BoxError>(())
    })?;
    Ok(versions)
}

//! Copies a SQLite database to a file, and the rows of such a file into a database.

use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::deserialize::QueryableByName;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;

use super::dialect;
use super::dialect::{DbConnection, write_transaction};
use super::error::BoxError;
use super::reader::Reader;
use super::url::DatabaseUrl;

/// No code in the schema of a backup is run, such as a trigger; a locked database is waited for.
const COPY_SETUP: &str = "PRAGMA busy_timeout = 30000; PRAGMA trusted_schema = OFF";
/// Foreign keys are not checked while the rows are replaced table by table: the source has checked them.
const REPLACE_SETUP: &str =
    "PRAGMA busy_timeout = 30000; PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = OFF";
/// The tables with rows to copy. `sqlite_sequence` has the highest id of each table, so that no id is used twice.
const TABLES: &str = "SELECT name FROM main.sqlite_master WHERE type = 'table' \
    AND name <> '__diesel_schema_migrations' AND (name NOT LIKE 'sqlite\\_%' ESCAPE '\\' OR name = 'sqlite_sequence')";

#[derive(QueryableByName)]
struct NameRow {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Writes the state of the SQLite database at `source` to `target`, an empty file, and checks the result. Other processes
/// can read and write the database meanwhile.
pub(crate) fn copy_database(source: &Path, target: &Path) -> Result<(), BoxError> {
    let mut connection = dialect::connect_to_existing_file(source)?;
    connection.batch_execute(COPY_SETUP)?;
    sql_query("VACUUM INTO ?")
        .bind::<Text, _>(target.to_string_lossy())
        .execute(&mut connection)?;
    Reader::open(&DatabaseUrl::of_file(target)).map(drop)
}

/// Replaces all rows of the SQLite database `connection` by those of the file `source`, which has the same schema, and
/// then calls `finish`, all in one transaction.
pub(crate) fn replace_rows<T>(
    connection: &mut DbConnection,
    source: &Path,
    finish: impl FnOnce(&mut DbConnection) -> QueryResult<T>,
) -> Result<T, BoxError> {
    connection.batch_execute(REPLACE_SETUP)?;
    sql_query("ATTACH DATABASE ? AS backup")
        .bind::<Text, _>(source.to_string_lossy())
        .execute(connection)?;
    let result = write_transaction(connection, |connection| {
        let tables: Vec<NameRow> = sql_query(TABLES).load(connection)?;
        for table in tables {
            replace_table(connection, &table.name)?;
        }
        finish(connection)
    });
    Ok(result?)
}

/// Names the columns, because databases may have them in different orders.
fn replace_table(connection: &mut DbConnection, table: &str) -> QueryResult<()> {
    let columns: Vec<NameRow> = sql_query("SELECT name FROM pragma_table_info(?)")
        .bind::<Text, _>(table)
        .load(connection)?;
    let names: Vec<_> = columns
        .iter()
        .map(|column| format!("\"{}\"", column.name))
        .collect();
    let names = names.join(", ");
    connection.batch_execute(&format!(
        "DELETE FROM main.\"{table}\"; \
         INSERT INTO main.\"{table}\" ({names}) SELECT {names} FROM backup.\"{table}\";"
    ))
}

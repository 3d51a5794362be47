//! Copies a SQLite database to a file, and the rows of such a file into a database.

use std::fs;
use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::deserialize::QueryableByName;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::dialect;
use super::dialect::{DbConnection, write_transaction};
use super::error::BoxError;
use super::reader::Reader;
use super::url::DatabaseUrl;
use crate::progress::{Progress, Unit, Work};

/// Waits up to 30 s for a locked database. SQL in the schema of the file, such as the expression of an index, can
/// call only harmless functions, because the file may be a backup of unknown origin.
const COPY_SETUP: &str = "PRAGMA busy_timeout = 30000; PRAGMA trusted_schema = OFF";
/// Does the same as [`COPY_SETUP`], and turns off the check of foreign keys, because the rows are replaced table by
/// table. The rows of a backup were checked when they were first stored.
const REPLACE_SETUP: &str =
    "PRAGMA busy_timeout = 30000; PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = OFF";
/// The query of the tables to copy. `sqlite_sequence` is copied too: it has the highest id that each table ever had, so
/// that no id is used twice.
const TABLES_QUERY: &str = "SELECT name FROM main.sqlite_master WHERE type = 'table' \
    AND name <> '__diesel_schema_migrations' AND (name NOT LIKE 'sqlite\\_%' ESCAPE '\\' OR name = 'sqlite_sequence')";

/// The query of the size of a copy, in bytes. A copy leaves out the unused pages.
const COPY_SIZE_QUERY: &str = "SELECT (page_count - freelist_count) * page_size AS number \
    FROM pragma_page_count, pragma_freelist_count, pragma_page_size";
/// The most rows that one statement inserts. The progress advances after each statement.
const ROWS_PER_STATEMENT: i64 = 10_000;

#[derive(QueryableByName)]
struct NumberRow {
    #[diesel(sql_type = Nullable<BigInt>)]
    number: Option<i64>,
}

#[derive(QueryableByName)]
struct NameRow {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Writes the state of the SQLite database at `source` to `target`, an empty file, and checks the result. Other
/// processes can read and write the database meanwhile.
pub(crate) fn copy_database(
    source: &Path,
    target: &Path,
    progress: &Progress,
) -> Result<(), BoxError> {
    let mut connection = dialect::connect_to_existing_file(source)?;
    connection.batch_execute(COPY_SETUP)?;
    let size = sql_query(COPY_SIZE_QUERY).get_result(&mut connection)?;
    let growing_file = target.to_owned();
    let measure = move || fs::metadata(&growing_file).map_or(0, |file| file.len());
    let work = progress.start_measured("copy", number_or_zero(&size), measure);
    sql_query("VACUUM INTO ?")
        .bind::<Text, _>(target.to_string_lossy())
        .execute(&mut connection)?;
    drop(work);
    let _work = progress.start("check the copy", Unit::Uncounted, None);
    Reader::open(&DatabaseUrl::of_file(target)).map(drop)
}

/// Returns the number; 0 if it is NULL or negative.
fn number_or_zero(row: &NumberRow) -> u64 {
    row.number
        .unwrap_or_default()
        .try_into()
        .unwrap_or_default()
}

/// Replaces the rows of the SQLite database `connection`, except its list of migrations, by those of the file `source`,
/// which has the same schema, and then calls `finish`, all in one transaction.
pub(crate) fn replace_all_rows<T>(
    connection: &mut DbConnection,
    source: &Path,
    progress: &Progress,
    finish: impl FnOnce(&mut DbConnection) -> QueryResult<T>,
) -> Result<T, BoxError> {
    connection.batch_execute(REPLACE_SETUP)?;
    sql_query("ATTACH DATABASE ? AS backup")
        .bind::<Text, _>(source.to_string_lossy())
        .execute(connection)?;
    write_transaction(connection, |connection| {
        let tables: Vec<NameRow> = sql_query(TABLES_QUERY).load(connection)?;
        let total = count_rows(connection, &tables)?;
        let work = progress.start("restore", Unit::Rows, Some(total));
        for table in &tables {
            replace_table(connection, &table.name, &work)?;
        }
        if work.count() != total {
            return Err("a table of the backup has a column that hides its row numbers".into());
        }
        drop(work);
        Ok(finish(connection)?)
    })
}

fn count_rows(connection: &mut DbConnection, tables: &[NameRow]) -> QueryResult<u64> {
    let mut total = 0;
    for NameRow { name } in tables {
        let query = format!("SELECT count(*) AS number FROM backup.\"{name}\"");
        total += number_or_zero(&sql_query(query).get_result(connection)?);
    }
    Ok(total)
}

/// Replaces the rows of one table. Names the columns, because the two databases may have them in different orders.
fn replace_table(connection: &mut DbConnection, table: &str, work: &Work) -> QueryResult<()> {
    let columns: Vec<NameRow> = sql_query("SELECT name FROM pragma_table_info(?)")
        .bind::<Text, _>(table)
        .load(connection)?;
    let names: Vec<_> = columns
        .iter()
        .map(|column| format!("\"{}\"", column.name))
        .collect();
    let names = names.join(", ");
    connection.batch_execute(&format!("DELETE FROM main.\"{table}\""))?;
    let last_of_batch = format!(
        "SELECT max(rowid) AS number FROM (SELECT rowid FROM backup.\"{table}\" WHERE rowid > ? \
         ORDER BY rowid LIMIT {ROWS_PER_STATEMENT})"
    );
    let insert = format!(
        "INSERT INTO main.\"{table}\" ({names}) SELECT {names} FROM backup.\"{table}\" \
         WHERE rowid > ? AND rowid <= ? ORDER BY rowid"
    );
    let mut previous = i64::MIN;
    loop {
        let query = sql_query(&last_of_batch).bind::<BigInt, _>(previous);
        let Some(last) = query.get_result::<NumberRow>(connection)?.number else {
            return Ok(());
        };
        if last <= previous {
            return Ok(());
        }
        let query = sql_query(&insert).bind::<BigInt, _>(previous);
        let count = query.bind::<BigInt, _>(last).execute(connection)?;
        work.advance(count.try_into().unwrap_or_default());
        previous = last;
    }
}

//! Runs the subcommands of `users`. An import reads users and tasks from a database
//! of Better Auth or from JSON Lines. An export writes JSON Lines. They read one row or one line at a time, and an
//! import writes batch by batch, so memory does not grow with the number of rows.

mod access;
mod ban;
mod better_auth;
mod check;
mod export;
mod import;
mod imported_task;
mod imported_user;
mod json;
mod line_reader;
mod report;
mod source_columns;
mod store;

use std::io::{self, BufRead, Write};

pub(crate) use access::{AccessCommand, run as change_access};
pub use better_auth::BetterAuth;

use crate::db;
use crate::db::DatabaseUrl;
use import::ImportWriter;
use report::Report;

/// Why an import, an export or a check stopped.
pub type TransferError = Box<dyn std::error::Error + Send + Sync>;

/// Imports users, and tasks if their table is named, from a database of Better Auth, which is not changed.
///
/// # Errors
///
/// If the source cannot be read, or the target or the report cannot be written. If the source lacks a table or a
/// column, nothing is written to the target.
pub fn import_better_auth(
    target: &DatabaseUrl,
    source: &BetterAuth,
    report: impl Write,
) -> Result<(), TransferError> {
    let mut checked_source = source.open()?;
    import_into(target, report, |writer| checked_source.copy_to(writer))
}

/// Imports users and tasks from JSON Lines, the format that [`export`] writes.
///
/// # Errors
///
/// If the input cannot be read, or the target or the report cannot be written.
pub fn import_json(
    target: &DatabaseUrl,
    input: impl BufRead,
    report: impl Write,
) -> Result<(), TransferError> {
    import_into(target, report, |writer| json::copy_to(input, writer))
}

fn import_into<W: Write>(
    target: &DatabaseUrl,
    report: W,
    copy_rows: impl FnOnce(&mut ImportWriter<W>) -> Result<(), TransferError>,
) -> Result<(), TransferError> {
    let write_error =
        |error: TransferError| format!("cannot write to {target} (DATABASE_URL): {error}");
    db::migrate(target).map_err(write_error)?;
    let connection = db::connect(target).map_err(|error| write_error(error.into()))?;
    let mut writer = ImportWriter::new(connection, Report::new(report));
    let result = copy_rows(&mut writer).and_then(|()| writer.flush());
    let summary_result = writer.into_report().finish();
    result.map_err(|error| {
        format!("{error}\nStopped before the end. The rows imported so far stay, and the command can be run again.")
    })?;
    Ok(summary_result?)
}

/// Lists the accounts whose email address the current rule rejects or spells differently. With `fix`, stores each new
/// spelling that no other account has.
///
/// # Errors
///
/// If the database cannot be read or written, or the output cannot be written.
pub fn check(target: &DatabaseUrl, fix: bool, mut output: impl Write) -> Result<(), TransferError> {
    let check_error =
        |error: TransferError| format!("cannot check {target} (DATABASE_URL): {error}");
    db::migrate(target).map_err(check_error)?;
    let mut connection = db::connect(target).map_err(|error| check_error(error.into()))?;
    check::run(&mut connection, fix, &mut output).map_err(check_error)?;
    Ok(output.flush()?)
}

/// Writes every user as JSON Lines; if `with_tasks` is set, every task too.
///
/// # Errors
///
/// If the database cannot be read, or the output cannot be written.
pub fn export(
    source: &DatabaseUrl,
    with_tasks: bool,
    output: impl Write,
) -> Result<(), TransferError> {
    let mut buffered_output = io::BufWriter::new(output);
    export::write(source, with_tasks, &mut buffered_output)
        .map_err(|error| format!("cannot export {source} (DATABASE_URL): {error}"))?;
    Ok(buffered_output.flush()?)
}

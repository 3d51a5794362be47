//! Runs the subcommands of `users`. An import reads users and tasks from a database of Better Auth or from JSON Lines.
//! An export writes JSON Lines. Both read one row or one line at a time, and an import writes batch by batch, so memory
//! does not grow with the number of rows.

mod access;
mod ban;
mod better_auth;
mod check;
mod export;
mod import;
mod imported_task;
mod imported_user;
mod json;
mod json_input;
mod line_reader;
mod report;
mod source_columns;
mod store;

use std::io::{self, Write};
use std::path::Path;

pub(crate) use access::{AccessCommand, run as change_access};
pub use better_auth::BetterAuthSource;

use crate::db;
use crate::db::DatabaseUrl;
use crate::new_file::NewFile;
use crate::progress::{Interrupted, Progress};
use import::ImportWriter;
use json_input::JsonInput;
use report::Report;

/// The error with which a subcommand of `users` stopped.
pub type TransferError = Box<dyn std::error::Error + Send + Sync>;

/// Imports users, and tasks if `source` names their table, from a database of Better Auth. Does not change that
/// database.
///
/// # Errors
///
/// If the source cannot be read, if the target or the report cannot be written, or after a signal. If the source lacks
/// a required table or column, nothing is written to the target.
pub fn import_better_auth(
    target: &DatabaseUrl,
    source: &BetterAuthSource,
    progress: &Progress,
) -> Result<(), TransferError> {
    let mut checked_source = source.open(progress)?;
    import_into(target, progress, |writer| checked_source.copy_to(writer))
}

/// Imports users and tasks from JSON Lines, the format that [`export()`] writes: from the file at this path, or from
/// standard input.
///
/// # Errors
///
/// If the input cannot be read, if the target or the report cannot be written, or after a signal.
pub fn import_json(
    target: &DatabaseUrl,
    path: Option<&Path>,
    progress: &Progress,
) -> Result<(), TransferError> {
    let input = JsonInput::open(path, progress)?;
    import_into(target, progress, |writer| json::copy_to(input, writer))
}

/// Migrates the target, and writes the rows that `copy_rows` reads. After a signal, the rows of the batch that was not
/// written yet are left out, and the error is [`Interrupted`].
fn import_into(
    target: &DatabaseUrl,
    progress: &Progress,
    copy_rows: impl FnOnce(&mut ImportWriter<Box<dyn Write>>) -> Result<(), TransferError>,
) -> Result<(), TransferError> {
    let write_error =
        |error: TransferError| format!("cannot write to {target} (DATABASE_URL): {error}");
    db::migrate_with_progress(target, progress).map_err(write_error)?;
    let connection = db::connect(target).map_err(|error| write_error(error.into()))?;
    progress.interrupt_between_batches();
    let report = Report::new(Box::new(progress.stderr()) as Box<dyn Write>);
    let mut writer = ImportWriter::new(connection, report, progress);
    let result = copy_rows(&mut writer).and_then(|()| writer.flush());
    writer.into_report().finish()?;
    let Err(error) = result else { return Ok(()) };
    let advice = "The rows imported so far stay. Run the command again to import the others.";
    Err(match error.downcast::<Interrupted>() {
        Ok(interrupted) => interrupted.with_advice(advice).into(),
        Err(error) => format!("{error}\nStopped before the end. {advice}").into(),
    })
}

/// Lists the accounts whose email address the current rule rejects or spells differently. With `fix`, stores each new
/// spelling that no other account has.
///
/// # Errors
///
/// If the database cannot be read or written, or the output cannot be written.
pub fn check_emails(
    target: &DatabaseUrl,
    fix: bool,
    mut output: impl Write,
) -> Result<(), TransferError> {
    let check_error =
        |error: TransferError| format!("cannot check {target} (DATABASE_URL): {error}");
    db::migrate(target).map_err(check_error)?;
    let mut connection = db::connect(target).map_err(|error| check_error(error.into()))?;
    check::run(&mut connection, fix, &mut output).map_err(check_error)?;
    Ok(output.flush()?)
}

/// Writes every user as JSON Lines, and if `with_tasks` is set, every task: to a new file that only its owner can read,
/// or to standard output.
///
/// # Errors
///
/// If the file exists already, if the database cannot be read, or if the output cannot be written. No incomplete file
/// is left.
pub fn export(
    source: &DatabaseUrl,
    with_tasks: bool,
    path: Option<&Path>,
    progress: &Progress,
) -> Result<(), TransferError> {
    let Some(path) = path else {
        return export_to(source, with_tasks, io::stdout().lock(), progress);
    };
    let new_file = NewFile::create(path, progress)?;
    export_to(source, with_tasks, new_file.file(), progress)?;
    new_file.complete()?;
    Ok(())
}

fn export_to(
    source: &DatabaseUrl,
    with_tasks: bool,
    output: impl Write,
    progress: &Progress,
) -> Result<(), TransferError> {
    let mut buffered_output = io::BufWriter::new(output);
    export::write(source, with_tasks, &mut buffered_output, progress)
        .map_err(|error| format!("cannot export {source} (DATABASE_URL): {error}"))?;
    Ok(buffered_output.flush()?)
}

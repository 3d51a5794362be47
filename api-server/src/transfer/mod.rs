//! `users import` and `users export`: users, and on demand their tasks, from Better Auth's database or JSON Lines, and to
//! JSON Lines. Reads row by row and writes batch by batch, so memory does not grow with the number of rows.

mod better_auth;
mod check;
mod export;
mod import;
mod imported_task;
mod imported_user;
mod json;
mod line_reader;
mod report;
mod store;

use std::io::{self, BufRead, Write};

pub use better_auth::BetterAuth;

use crate::db;
use crate::db::DatabaseUrl;
use import::ImportWriter;
use report::Report;

/// Why an import or export stopped.
pub type TransferError = Box<dyn std::error::Error + Send + Sync>;

/// Imports users, and tasks if their table is named, from a database of Better Auth, which is only read.
///
/// # Errors
///
/// A source that cannot be read, in which case nothing was written; or a target that cannot be written.
pub fn import_better_auth(
    target: &DatabaseUrl,
    source: &BetterAuth,
    report: impl Write,
) -> Result<(), TransferError> {
    let mut opened = source.open()?;
    import_into(target, report, |writer| opened.read(writer))
}

/// Imports what [`export`] wrote.
///
/// # Errors
///
/// If the input cannot be read, or the target not be written.
pub fn import_json(
    target: &DatabaseUrl,
    input: impl BufRead,
    report: impl Write,
) -> Result<(), TransferError> {
    import_into(target, report, |writer| json::read(input, writer))
}

fn import_into<W: Write>(
    target: &DatabaseUrl,
    report: W,
    read: impl FnOnce(&mut ImportWriter<W>) -> Result<(), TransferError>,
) -> Result<(), TransferError> {
    let unwritable =
        |error: TransferError| format!("cannot write to {target} (DATABASE_URL): {error}");
    db::migrate(target).map_err(unwritable)?;
    let connection = db::connect(target).map_err(|error| unwritable(error.into()))?;
    let mut writer = ImportWriter::new(connection, Report::new(report));
    let outcome = read(&mut writer).and_then(|()| writer.flush());
    let summary = writer.into_report().finish();
    outcome.map_err(|error| {
        format!("{error}\nStopped before the end. What was imported stays, and the command can be run again.")
    })?;
    Ok(summary?)
}

/// Lists the accounts whose address today's rule refuses or spells otherwise; with `fix`, respells those that can be.
///
/// # Errors
///
/// If the database cannot be read or written, or the output not be written.
pub fn check(target: &DatabaseUrl, fix: bool, mut output: impl Write) -> Result<(), TransferError> {
    let failed = |error: TransferError| format!("cannot check {target} (DATABASE_URL): {error}");
    db::migrate(target).map_err(failed)?;
    let mut connection = db::connect(target).map_err(|error| failed(error.into()))?;
    check::run(&mut connection, fix, &mut output).map_err(failed)?;
    Ok(output.flush()?)
}

/// Writes every user, and every task if asked to, as JSON Lines.
///
/// # Errors
///
/// If the database cannot be read, or the output not be written.
pub fn export(source: &DatabaseUrl, tasks: bool, output: impl Write) -> Result<(), TransferError> {
    let mut output = io::BufWriter::new(output);
    export::write(source, tasks, &mut output)
        .map_err(|error| format!("cannot export {source} (DATABASE_URL): {error}"))?;
    Ok(output.flush()?)
}

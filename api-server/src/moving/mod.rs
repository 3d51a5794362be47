//! Moving in and out: users, and on demand their tasks, from the database of Better Auth or from JSON Lines, and to JSON
//! Lines. Reads row by row and writes batch by batch, so memory does not grow with the number of rows.

mod arrivals;
mod better_auth;
mod check;
mod export;
mod json;
mod lines;
mod person;
mod report;
mod store;
mod todo;

use std::io::{self, BufRead, Write};

pub use better_auth::BetterAuth;

use crate::db::{self, DatabaseUrl};
use arrivals::Arrivals;
use report::Report;

/// Why a command stopped.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Takes users, and tasks if a table of them is named, from a database of Better Auth, which is only read.
///
/// # Errors
///
/// What is wrong with the source, in which case nothing was written; or with the target.
pub fn import_better_auth(
    target: &DatabaseUrl,
    source: &BetterAuth,
    report: impl Write,
) -> Result<(), Failure> {
    let mut opened = source.open()?;
    into(target, report, |arrivals| opened.read(arrivals))
}

/// Takes what [`export`] wrote.
///
/// # Errors
///
/// If the input cannot be read, or the target not be written.
pub fn import_json(
    target: &DatabaseUrl,
    input: impl BufRead,
    report: impl Write,
) -> Result<(), Failure> {
    into(target, report, |arrivals| json::read(input, arrivals))
}

fn into<W: Write>(
    target: &DatabaseUrl,
    report: W,
    read: impl FnOnce(&mut Arrivals<W>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let unwritable = |error: Failure| format!("cannot write to {target} (DATABASE_URL): {error}");
    db::migrate(target).map_err(unwritable)?;
    let connection = db::connect(target).map_err(|error| unwritable(error.into()))?;
    let mut arrivals = Arrivals::new(connection, Report::new(report));
    let outcome = read(&mut arrivals).and_then(|()| arrivals.flush());
    let summary = arrivals.into_report().finish();
    outcome.map_err(|error| {
        format!("{error}\nStopped before the end. What was taken stays, and it can be run again.")
    })?;
    Ok(summary?)
}

/// Lists the accounts whose address today's rule refuses or spells otherwise; with `fix`, respells those that can be.
///
/// # Errors
///
/// If the database cannot be read or written, or the output not be written.
pub fn check(target: &DatabaseUrl, fix: bool, mut output: impl Write) -> Result<(), Failure> {
    let failed = |error: Failure| format!("cannot check {target} (DATABASE_URL): {error}");
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
pub fn export(source: &DatabaseUrl, tasks: bool, output: impl Write) -> Result<(), Failure> {
    let mut output = io::BufWriter::new(output);
    export::write(source, tasks, &mut output)
        .map_err(|error| format!("cannot export {source} (DATABASE_URL): {error}"))?;
    Ok(output.flush()?)
}

//! Runs the subcommands of `users`.

use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::process::ExitCode;

use super::{EXIT_INVALID_SETTINGS, fail, fail_transfer, with_progress};
use crate::config::{ImportCommand, Settings, UsersCommand};
use crate::db::DatabaseUrl;
use crate::progress::Progress;
use crate::transfer;
use crate::transfer::TransferError;

/// The text for the user if a signal ends an import before its first batch.
const NOT_IMPORTED: &str = "nothing was imported";

pub(super) fn run(settings: &Settings, command: &UsersCommand) -> ExitCode {
    let outcome = match command {
        UsersCommand::Import(ImportCommand::BetterAuth(arguments)) => {
            settings.check_import(arguments).map(|(target, source)| {
                with_progress(NOT_IMPORTED, |progress| {
                    transfer::import_better_auth(&target, &source, progress)
                })
            })
        }
        UsersCommand::Import(ImportCommand::Json { from }) => {
            settings.check_database().map(|target| {
                with_progress(NOT_IMPORTED, |progress| {
                    transfer::import_json(&target, from.as_deref(), progress)
                })
            })
        }
        UsersCommand::Check { fix } => settings
            .check_database()
            .map(|target| transfer::check_emails(&target, *fix, io::stdout().lock())),
        UsersCommand::Roles { email, add, remove } => settings
            .check_roles(email, add, remove)
            .map(|command| transfer::change_access(&command, io::stdout().lock())),
        UsersCommand::Claims { email, set, remove } => settings
            .check_claims(email, set, remove)
            .map(|command| transfer::change_access(&command, io::stdout().lock())),
        UsersCommand::Export { to, tasks } => settings
            .check_database()
            .map(|source| export(&source, to.as_deref(), *tasks)),
    };
    match outcome {
        Err(problems) => fail(EXIT_INVALID_SETTINGS, &problems),
        Ok(Err(error)) => fail_transfer(&error),
        Ok(Ok(())) => ExitCode::SUCCESS,
    }
}

/// Exports to the file, or without a file to standard output. If the lines go to a terminal, shows no progress, because
/// a bar between them would make them unreadable.
fn export(
    source: &DatabaseUrl,
    file: Option<&Path>,
    with_tasks: bool,
) -> Result<(), TransferError> {
    if file.is_none() && io::stdout().is_terminal() {
        return transfer::export(source, with_tasks, None, &Progress::hidden());
    }
    let remains = match file {
        Some(_) => "no file was written",
        None => "the output is not complete",
    };
    with_progress(remains, |progress| {
        transfer::export(source, with_tasks, file, progress)
    })
}

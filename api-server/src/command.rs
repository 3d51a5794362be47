//! Runs the command from the command line, by default `serve`, and prints an error if the command fails.

mod keys;
mod users;

use std::fmt::Display;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::SystemTime;

use crate::backup::BackupError;
use crate::clock::Clock;
use crate::config::{Command, MailCommand, Settings, is_dumb_terminal};
use crate::limits::Limits;
use crate::mail::test_mail;
use crate::progress::{Interrupted, Progress};
use crate::transfer::TransferError;
use crate::{backup, check, db, openapi, probe, server};

/// The exit status if a setting or an argument is invalid. `check`, which reports invalid settings as findings, exits
/// with [`EXIT_FAILURE`] instead.
const EXIT_INVALID_SETTINGS: u8 = 2;
/// The exit status on any other error.
const EXIT_FAILURE: u8 = 1;

/// The text for the user if a signal ends a restore or `restore --end-sessions`. Both change accounts and sessions in
/// one transaction.
const NOT_RESTORED: &str = "the accounts and sessions of the database are unchanged";
/// The text for the user if a signal ends a migration. All migrations of one run are one transaction.
const NOT_MIGRATED: &str = "migrations that are not complete are rolled back";

/// Runs the command. Returns exit status 0 on success, 2 if a setting or an argument is invalid (`check` returns 1),
/// 128 plus the number of the signal that ended an import between two batches, and 1 on any other error.
#[must_use]
pub fn run(settings: &Settings) -> ExitCode {
    match &settings.command {
        None | Some(Command::Serve) => serve(settings),
        Some(Command::Check) => check_installation(settings),
        Some(Command::Health { ready }) => check_health(settings, *ready),
        Some(Command::Backup { file }) => back_up(settings, file),
        Some(Command::Restore {
            file: Some(file),
            replace,
            ..
        }) => restore(settings, file, *replace),
        Some(Command::Restore { file: None, .. }) => end_all_sessions(settings),
        Some(Command::Migrate) => migrate(settings),
        Some(Command::Openapi) => print(&openapi::document()),
        Some(Command::Keys(command)) => keys::run(settings, command),
        Some(Command::Users(command)) => users::run(settings, command),
        Some(Command::Mail(MailCommand::Test { to })) => send_test_mail(settings, to),
    }
}

fn serve(settings: &Settings) -> ExitCode {
    let config = match settings.check() {
        Ok(config) => config,
        Err(problems) => return fail(EXIT_INVALID_SETTINGS, &problems),
    };
    let reload_settings = settings.clone();
    let reload_keys = move || {
        reload_settings
            .reread_keys()
            .map_err(|problems| problems.to_single_line())
    };
    let build_result = server::build(config, Limits::default(), Clock::system());
    match build_result.and_then(|server| Ok(server.run_until_signal(reload_keys)?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(EXIT_FAILURE, &error),
    }
}

/// Prints a line for each part of the installation. Fails if anything is wrong.
fn check_installation(settings: &Settings) -> ExitCode {
    match check::run(settings, SystemTime::now(), &mut io::stdout().lock()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(EXIT_FAILURE),
        Err(error) => fail(EXIT_FAILURE, &error),
    }
}

fn check_health(settings: &Settings, ready: bool) -> ExitCode {
    let path = if ready { "/readyz" } else { "/healthz" };
    match settings.check_bind_addr() {
        Err(problems) => fail(EXIT_INVALID_SETTINGS, &problems),
        Ok(addr) => match probe::check_path(addr, settings.has_tls(), path, probe::TIMEOUT) {
            Ok(url) => print(&format!("{url}: OK\n")),
            Err(problem) => fail(EXIT_FAILURE, &problem),
        },
    }
}

fn back_up(settings: &Settings, file: &Path) -> ExitCode {
    const REMEDY: &str = "this command copies SQLite files; back up PostgreSQL with pg_dump (see Backups in docs/operating.md)";
    match settings.check_database_file(REMEDY) {
        Err(problems) => fail(EXIT_INVALID_SETTINGS, &problems),
        Ok(url) => report(with_progress("no file was written", |progress| {
            backup::write(&url, file, progress)
        })),
    }
}

fn restore(settings: &Settings, file: &Path, replace: bool) -> ExitCode {
    const REMEDY: &str = "this command restores SQLite files; restore PostgreSQL with pg_restore, and then run: \
        api-server restore --end-sessions (see Backups in docs/operating.md)";
    match settings.check_database_file(REMEDY) {
        Err(problems) => fail(EXIT_INVALID_SETTINGS, &problems),
        Ok(url) => report(with_progress(NOT_RESTORED, |progress| {
            backup::restore(&url, file, replace, &Clock::system(), progress)
        })),
    }
}

fn end_all_sessions(settings: &Settings) -> ExitCode {
    match settings.check_database() {
        Err(problems) => fail(EXIT_INVALID_SETTINGS, &problems),
        Ok(url) => report(with_progress(NOT_RESTORED, |progress| {
            backup::end_sessions(&url, &Clock::system(), progress)
        })),
    }
}

/// Prints what a command has done, or why it failed.
fn report(outcome: Result<impl Display, BackupError>) -> ExitCode {
    match outcome {
        Ok(summary) => print(&format!("{summary}\n")),
        Err(error) => fail(EXIT_FAILURE, &error),
    }
}

fn migrate(settings: &Settings) -> ExitCode {
    match settings.check_database() {
        Err(problems) => fail(EXIT_INVALID_SETTINGS, &problems),
        Ok(url) => {
            let outcome = with_progress(NOT_MIGRATED, |progress| {
                db::migrate_with_progress(&url, progress)
            });
            match outcome {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => fail(
                    EXIT_FAILURE,
                    &format!("cannot migrate {url} (DATABASE_URL): {error}"),
                ),
            }
        }
    }
}

fn send_test_mail(settings: &Settings, recipient: &str) -> ExitCode {
    let config = match settings.check_test_mail(recipient) {
        Ok(config) => config,
        Err(problems) => return fail(EXIT_INVALID_SETTINGS, &problems),
    };
    let public_url = config.public_url.as_str();
    match test_mail::send(&config.mail, public_url, &config.recipient) {
        Ok(outcome) => print(&format!("{outcome}\n")),
        Err(error) => fail(EXIT_FAILURE, &error),
    }
}

/// Runs a command that shows its progress. `remains` is the text for the user if a signal ends the process.
fn with_progress<T>(
    remains: &'static str,
    run: impl FnOnce(&Progress) -> Result<T, BackupError>,
) -> Result<T, BackupError> {
    let progress = Progress::of_command(!is_dumb_terminal(), remains)
        .map_err(|error| format!("cannot wait for signals: {error}"))?;
    run(&progress)
}

/// Prints why a command failed. Returns the exit status of the signal, if a signal has ended the command.
fn fail_transfer(error: &TransferError) -> ExitCode {
    let interrupted = error.downcast_ref::<Interrupted>();
    let exit_status = interrupted.map_or(EXIT_FAILURE, |error| error.exit_status());
    fail(exit_status, error)
}

fn print(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(EXIT_FAILURE, &error),
    }
}

fn fail(exit_status: u8, cause: &dyn Display) -> ExitCode {
    let message = cause.to_string();
    // If standard error is closed, the message cannot be shown; the exit status still reports the failure.
    let _ignored = writeln!(std::io::stderr(), "{}", message.trim_end());
    ExitCode::from(exit_status)
}

//! Assembles: settings, log, command.

use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use api_server::config::{Command, KeysCommand, LogFormat, Settings};
use api_server::server;
use api_server::{Limits, db, logging};
use auth_core::Secret;

/// A setting or an argument is wrong.
const EXIT_SETTINGS: u8 = 2;

fn main() -> ExitCode {
    let settings = match Settings::read() {
        Ok(settings) => settings,
        Err(refusal) => refusal.exit(),
    };
    logging::start(
        settings.log_format().unwrap_or(LogFormat::Text),
        &settings.rust_log,
    );
    match &settings.command {
        None | Some(Command::Serve) => serve(&settings),
        Some(Command::Migrate) => migrate(&settings),
        Some(Command::Keys(KeysCommand::Generate)) => generate_key(),
        _ => print(&api_server::openapi()),
    }
}

fn serve(settings: &Settings) -> ExitCode {
    let config = match settings.check() {
        Ok(config) => config,
        Err(problems) => return refuse(EXIT_SETTINGS, &problems),
    };
    match server::build(config, Limits::default(), Arc::new(SystemTime::now)) {
        Ok(server) => match server.run_until_signal() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => refuse(1, &error),
        },
        Err(error) => refuse(1, &error),
    }
}

fn migrate(settings: &Settings) -> ExitCode {
    match settings.check_database() {
        Err(problems) => refuse(EXIT_SETTINGS, &problems),
        Ok(url) => match db::migrate(&url) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => refuse(1, &format!("cannot migrate {url}: {error}")),
        },
    }
}

fn generate_key() -> ExitCode {
    match Secret::generate() {
        Ok(secret) => print(&format!("{}\n", String::from_utf8_lossy(secret.expose()))),
        Err(error) => refuse(1, &error),
    }
}

fn print(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(1, &error),
    }
}

fn refuse(code: u8, why: &dyn Display) -> ExitCode {
    // Nobody is left to tell when standard error is closed.
    let _closed = writeln!(std::io::stderr(), "{why}");
    ExitCode::from(code)
}

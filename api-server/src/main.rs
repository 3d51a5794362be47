//! Assembles: settings, log, command.

use std::process::ExitCode;

use api_server::config::{LogFormat, Settings};
use api_server::{command, logging};

fn main() -> ExitCode {
    match Settings::read() {
        Err(refusal) => refusal.exit(),
        Ok(settings) => {
            let format = settings.log_format().unwrap_or(LogFormat::Text);
            logging::start(format, &settings.rust_log);
            command::run(&settings)
        }
    }
}

//! Assembles: settings, log, command.

use std::process::ExitCode;

use api_server::config::Settings;
use api_server::logging::LogFormat;
use api_server::{command, logging};
use mimalloc::MiMalloc;

/// A request allocates on one thread and frees on another, which the system's allocator makes dear.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match Settings::read() {
        Err(refusal) => refusal.exit(),
        Ok(settings) => {
            let format = settings.log_format().unwrap_or(LogFormat::Text);
            // Invalid log settings are reported by `command`, together with all other invalid settings.
            logging::start(format, settings.log_filter().unwrap_or("info"));
            command::run(&settings)
        }
    }
}

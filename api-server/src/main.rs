//! Reads the settings, starts the log and runs the command.

use std::process::ExitCode;

use api_server::config::Settings;
use api_server::logging::LogFormat;
use api_server::{command, logging};
use mimalloc::MiMalloc;

/// mimalloc is faster than the system's allocator if one thread allocates memory and another thread frees it. Here,
/// database threads allocate the rows, and the threads that serve requests free them.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match Settings::read() {
        Err(error) => error.exit(),
        Ok(settings) => {
            let format = settings.log_format().unwrap_or(LogFormat::Text);
            // Here, defaults replace invalid log settings. A command that writes logs then reports these settings,
            // together with all other invalid settings.
            logging::start(format, settings.log_filter().unwrap_or("info"));
            command::run(&settings)
        }
    }
}

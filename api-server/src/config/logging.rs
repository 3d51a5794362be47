//! Checks the settings of the log.

use super::parse::{self, ProblemCollector};
use super::raw::Settings;
use crate::logging::LogFormat;

impl Settings {
    pub(super) fn check_logging(&self, problems: &mut ProblemCollector) {
        problems.record_error("RUST_LOG", self.log_filter().map(drop));
        problems.record_error("LOG_FORMAT", self.log_format().map(drop));
    }

    /// Returns the format of the log, from `LOG_FORMAT`.
    ///
    /// # Errors
    ///
    /// If the value is invalid. The error lists the valid values.
    pub fn log_format(&self) -> Result<LogFormat, String> {
        match self.log_format.as_str() {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => Err("use text or json".to_owned()),
        }
    }

    /// Checks the syntax of the log filter in `RUST_LOG` and returns the filter.
    ///
    /// # Errors
    ///
    /// If the filter is invalid. The error contains a valid example and the message of the parser.
    pub fn log_filter(&self) -> Result<&str, String> {
        parse::check_log_filter(&self.rust_log)?;
        Ok(&self.rust_log)
    }
}

//! One log line per event, as text or as JSON; nothing a caller sends can forge a line.

use std::io::Write as _;

use chrono::{SecondsFormat, Utc};
use env_logger::{Builder, Target};
use log::{Level, LevelFilter, Record};
use serde_json::json;

/// Writes an error for each malformed request, so any caller could fill the log. Off unless the filter names it.
const MALFORMED_REQUESTS: &str = "actix_http::h1::dispatcher";

/// How to write the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one object a line.
    Json,
}

/// Logs to standard error from here on. A second call changes nothing.
pub fn start(format: LogFormat, filter: &str) {
    let mut builder = Builder::new();
    // The level without any filter; a level of one target would make it `off`.
    builder.filter_level(LevelFilter::Error);
    builder.filter_module(MALFORMED_REQUESTS, LevelFilter::Off);
    builder.parse_filters(filter).target(Target::Stderr);
    builder.format(move |out, record| match format {
        _ if may_quote_headers(record) => Ok(()),
        LogFormat::Text => writeln!(out, "{}", text(record)),
        LogFormat::Json => writeln!(out, "{}", json_line(record)),
    });
    let _already_started = builder.try_init();
}

/// The HTTP parser's own remarks repeat header values it does not understand, and a header may hold a token.
fn may_quote_headers(record: &Record<'_>) -> bool {
    record.level() > Level::Info && record.target().starts_with("actix_http")
}

fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn text(record: &Record<'_>) -> String {
    let message = record.args().to_string();
    let message = message.replace(char::is_control, "\u{fffd}");
    format!(
        "{} {:5} {} {message}",
        now(),
        record.level(),
        record.target()
    )
}

fn json_line(record: &Record<'_>) -> serde_json::Value {
    json!({
        "time": now(),
        "level": record.level().as_str(),
        "target": record.target(),
        "message": record.args().to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::{json_line, may_quote_headers, text};
    use log::{Level, Record};

    #[test]
    fn line_breaks_and_escapes_stay_within_the_line() {
        let line = text(
            &Record::builder()
                .level(Level::Info)
                .args(format_args!("a\r\nb\x1b[31m"))
                .build(),
        );
        assert!(!line.contains(['\r', '\n', '\x1b']), "{line:?}");
        let line = json_line(&Record::builder().args(format_args!("a\nb")).build()).to_string();
        assert!(!line.contains('\n'), "{line:?}");
    }

    #[test]
    fn remarks_of_the_http_parser_are_dropped_and_its_warnings_are_not() {
        let quoting = |target, level| {
            may_quote_headers(&Record::builder().target(target).level(level).build())
        };
        assert!(quoting("actix_http::h1::decoder", Level::Debug));
        assert!(!quoting("actix_http::h1::decoder", Level::Warn));
        assert!(!quoting("api_server::access", Level::Debug));
    }
}

//! Formats each log message as one line of text or JSON. Line breaks in a message are replaced in text and escaped in
//! JSON, so that a client cannot forge a log line.

#[cfg(feature = "otlp")]
pub(crate) mod otlp;
pub(crate) mod trace;

use std::io::Write as _;

use chrono::{SecondsFormat, Utc};
use env_logger::{Builder, Target};
use log::{Level, LevelFilter, Record};
use serde_json::json;
use trace::TraceContext;

/// The log target of actix-http's errors about connections, most of them caused by malformed requests. These errors are
/// logged only if the log filter names this target, because any client can cause them.
const MALFORMED_REQUEST_TARGET: &str = "actix_http::h1::dispatcher";

/// The format of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogFormat {
    /// Plain text, for people.
    Text,
    /// One JSON object per line, for programs.
    Json,
}

/// Starts logging to standard error. A second call has no effect.
pub fn start(format: LogFormat, filter: &str) {
    let mut builder = Builder::new();
    // Without this default level, a `filter` that names only some targets would turn off all other targets.
    builder.filter_level(LevelFilter::Error);
    builder.filter_module(MALFORMED_REQUEST_TARGET, LevelFilter::Off);
    builder.parse_filters(filter).target(Target::Stderr);
    builder.format(move |out, record| match format {
        _ if may_quote_headers(record) => Ok(()),
        LogFormat::Text => writeln!(out, "{}", text_line(record)),
        LogFormat::Json => writeln!(out, "{}", json_line(record)),
    });
    let _already_started = builder.try_init();
}

/// Returns whether the record is a debug or trace message of `actix_http`, which may quote a header with a token.
fn may_quote_headers(record: &Record<'_>) -> bool {
    record.level() > Level::Info && record.target().starts_with("actix_http")
}

fn timestamp() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn text_line(record: &Record<'_>) -> String {
    let raw_message = record.args().to_string();
    let message = raw_message.replace(char::is_control, "\u{fffd}");
    let trace = TraceContext::with_current(|trace| format!(" trace_id={}", trace.trace_id()));
    format!(
        "{} {:5} {} {message}{}",
        timestamp(),
        record.level(),
        record.target(),
        trace.unwrap_or_default()
    )
}

fn json_line(record: &Record<'_>) -> serde_json::Value {
    let mut line = json!({
        "time": timestamp(),
        "level": record.level().as_str(),
        "target": record.target(),
        "message": record.args().to_string(),
    });
    if let Some(trace_id) = TraceContext::with_current(|trace| trace.trace_id().to_owned())
        && let Some(members) = line.as_object_mut()
    {
        members.insert("trace_id".to_owned(), trace_id.into());
    }
    line
}

#[cfg(test)]
mod tests {
    use super::trace::TraceContext;
    use super::{json_line, may_quote_headers, text_line};
    use log::{Level, Record};

    #[test]
    fn line_breaks_in_a_message_are_replaced_or_escaped() {
        let text = text_line(
            &Record::builder()
                .level(Level::Info)
                .args(format_args!("a\r\nb\x1b[31m"))
                .build(),
        );
        assert!(!text.contains(['\r', '\n', '\x1b']), "{text:?}");
        let json = json_line(&Record::builder().args(format_args!("a\nb")).build()).to_string();
        assert!(!json.contains('\n'), "{json:?}");
    }

    #[tokio::test]
    async fn a_line_has_the_id_of_the_trace_if_there_is_one() {
        let record = || Record::builder().args(format_args!("hello")).build();
        let lines = || (text_line(&record()), json_line(&record()));
        let (text, json) = lines();
        assert!(text.ends_with(" hello"), "{text}");
        assert_eq!(json.get("trace_id"), None);
        let trace = TraceContext::continue_or_begin(b"");
        let id = trace.trace_id().to_owned();
        let (text, json) = trace.scope(async { lines() }).await;
        assert!(text.ends_with(&format!(" hello trace_id={id}")), "{text}");
        assert_eq!(json["trace_id"], id);
        assert_eq!(json["message"], "hello");
    }

    #[test]
    fn debug_messages_of_actix_http_are_dropped_but_its_warnings_are_kept() {
        let is_dropped = |target, level| {
            may_quote_headers(&Record::builder().target(target).level(level).build())
        };
        assert!(is_dropped("actix_http::h1::decoder", Level::Debug));
        assert!(!is_dropped("actix_http::h1::decoder", Level::Warn));
        assert!(!is_dropped("api_server::access", Level::Debug));
    }
}

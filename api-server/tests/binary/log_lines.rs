//! Tests the format of the log, the events that are logged, and the filter `RUST_LOG`.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use chrono::DateTime;
use serde_json::Value;

use harness::{Log, SECRET, WorkDir};

/// Returns the log of a server that logs at all levels, after requests with line breaks and an escape sequence.
fn log_of_all_levels(log_format: &str) -> Log {
    let work_dir = WorkDir::new();
    let program = work_dir
        .program()
        .with_weak_hashing()
        .set("LOG_FORMAT", log_format);
    let server = program.set("RUST_LOG", "trace").start();
    let user = server.register("ada@example.com", "correct horse battery staple");
    server.log_in("ada@example.com", "wrong password");
    server.add_task(&user, "a\nb").expect(201);
    server.get("/a%0Ab%1B[31m", "").expect(404);
    server.stop()
}

#[test]
fn a_json_log_has_one_object_per_line() {
    let lines = log_of_all_levels("json").lines();
    assert!(lines.len() > 5, "{lines:?}");
    for line in lines {
        let event: Value =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let text_field = |name: &str| {
            event[name]
                .as_str()
                .unwrap_or_else(|| panic!("{name}: {line}"))
        };
        let time = text_field("time");
        assert!(
            time.ends_with('Z') && DateTime::parse_from_rfc3339(time).is_ok(),
            "{line}"
        );
        assert!(
            ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"].contains(&text_field("level")),
            "{line}"
        );
        assert!(!text_field("target").is_empty(), "{line}");
        assert!(
            !text_field("message").is_empty() || text_field("level") == "TRACE",
            "{line}"
        );
    }
}

#[test]
fn a_text_log_has_one_line_per_event_whatever_a_caller_sends() {
    for line in log_of_all_levels("text").lines() {
        let (time, _) = line.split_once(' ').unwrap();
        assert!(DateTime::parse_from_rfc3339(time).is_ok(), "{line:?}");
        assert!(!line.contains(char::is_control), "{line:?}");
    }
}

#[test]
fn the_default_log_is_short_and_on_standard_error() {
    let work_dir = WorkDir::new();
    let server = work_dir.quick_server();
    server.register("ada@example.com", "correct horse battery staple");
    let lines = server.stop().lines();
    let expected_words = [
        "secret",
        "migrated",
        "listening",
        "registered",
        "SIGTERM",
        "stopped",
    ];
    // The mail of the registration is sent in the meantime, or not before the stop.
    let api_server_lines: Vec<_> = lines
        .iter()
        .filter(|line| line.contains(" api_server") && !line.contains(" api_server::mail"))
        .collect();
    assert_eq!(api_server_lines.len(), expected_words.len(), "{lines:#?}");
    for (line, word) in api_server_lines.iter().zip(expected_words) {
        assert!(line.contains(word) && line.contains(" INFO "), "{line}");
    }
}

#[test]
fn rust_log_selects_what_is_logged() {
    let work_dir = WorkDir::new();
    work_dir.program().set("AUTH_SECRET", SECRET).start().stop();
    // Runs `migrate`, not the server: a test knows that a server has started only from its log, which `off` turns off.
    let outcome = work_dir
        .program()
        .set("RUST_LOG", "off")
        .args(&["migrate"])
        .run();
    assert_eq!(outcome.assert_succeeded().output(), "");
    let program = work_dir.program().with_weak_hashing();
    let server = program
        .set("RUST_LOG", "info,api_server::access=debug")
        .start();
    server.get("/healthz", "").expect(200);
    let log = server.stop().text();
    assert!(log.contains("path=\"/healthz\" status=200"), "{log}");
}

/// Returns the log of a server that received bytes that are not an HTTP request.
fn log_of_a_malformed_request(log_filter: &str) -> String {
    let work_dir = WorkDir::new();
    let program = work_dir.program().with_weak_hashing();
    let server = program.set("RUST_LOG", log_filter).start();
    let mut stream = TcpStream::connect(server.addr()).unwrap();
    stream.write_all(b"no\0http\r\n\r\n").unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 400 "), "{response}");
    server.stop().text()
}

#[test]
fn a_malformed_request_is_logged_only_if_the_filter_includes_actix_http() {
    let info_log = log_of_a_malformed_request("info");
    assert!(!info_log.contains("actix_http"), "{info_log}");
    let dispatcher_log = log_of_a_malformed_request("info,actix_http::h1::dispatcher=error");
    assert!(
        dispatcher_log.contains(" ERROR actix_http::h1::dispatcher "),
        "{dispatcher_log}"
    );
}

#[test]
fn a_server_that_trusts_every_ip_address_logs_a_warning() {
    let work_dir = WorkDir::new();
    for (trusted_proxies, expects_warning) in [
        ("0.0.0.0/0", true),
        ("10.0.0.0/8,::/0", true),
        ("::/1", false),
    ] {
        let program = work_dir.program().with_weak_hashing();
        let log = program
            .set("TRUSTED_PROXIES", trusted_proxies)
            .start()
            .stop()
            .text();
        let has_warning = log.contains("every caller can choose its own network");
        assert_eq!(has_warning, expects_warning, "{trusted_proxies}: {log}");
    }
}

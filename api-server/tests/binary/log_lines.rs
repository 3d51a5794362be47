//! What the log looks like.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use chrono::DateTime;
use serde_json::Value;

use harness::{Log, Place, SECRET};

/// A life with everything that is worth a line.
fn life(format: &str) -> Log {
    let place = Place::new();
    let program = place
        .program()
        .with_weak_hashing()
        .set("LOG_FORMAT", format);
    let server = program.set("RUST_LOG", "trace").start();
    let person = server.register("ada@example.com", "correct horse battery staple");
    server.log_in("ada@example.com", "wrong password");
    server.add_task(&person, "a\nb").expect(201);
    server.get("/a%0Ab%1B[31m", "").expect(404);
    server.stop()
}

#[test]
fn json_gives_one_object_a_line() {
    let lines = life("json").lines();
    assert!(lines.len() > 5, "{lines:?}");
    for line in lines {
        let event: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
        let text = |name: &str| {
            event[name]
                .as_str()
                .unwrap_or_else(|| panic!("{name}: {line}"))
        };
        let time = text("time");
        assert!(
            time.ends_with('Z') && DateTime::parse_from_rfc3339(time).is_ok(),
            "{line}"
        );
        assert!(
            ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"].contains(&text("level")),
            "{line}"
        );
        assert!(!text("target").is_empty(), "{line}");
        assert!(
            !text("message").is_empty() || text("level") == "TRACE",
            "{line}"
        );
    }
}

#[test]
fn text_gives_one_line_an_event_whatever_a_caller_sends() {
    for line in life("text").lines() {
        let (time, _) = line.split_once(' ').unwrap();
        assert!(DateTime::parse_from_rfc3339(time).is_ok(), "{line:?}");
        assert!(!line.contains(char::is_control), "{line:?}");
    }
}

#[test]
fn by_default_it_is_short_and_nothing_goes_to_standard_output() {
    let place = Place::new();
    let server = place.quick_server();
    server.register("ada@example.com", "correct horse battery staple");
    let lines = server.stop().lines();
    let telling = [
        "secret",
        "migrated",
        "listening",
        "registered",
        "SIGTERM",
        "stopped",
    ];
    let informative: Vec<_> = lines
        .iter()
        .filter(|line| line.contains(" api_server"))
        .collect();
    assert_eq!(informative.len(), telling.len(), "{lines:#?}");
    for (line, part) in informative.iter().zip(telling) {
        assert!(line.contains(part) && line.contains(" INFO "), "{line}");
    }
}

#[test]
fn rust_log_chooses_what_is_said() {
    let place = Place::new();
    place.program().set("AUTH_SECRET", SECRET).start().stop();
    // Nothing to wait for in a log that is off, so a command that ends.
    let outcome = place
        .program()
        .set("RUST_LOG", "off")
        .args(&["migrate"])
        .run();
    assert_eq!(outcome.succeeded().output(), "");
    let server = place.program().with_weak_hashing();
    let server = server
        .set("RUST_LOG", "info,api_server::access=debug")
        .start();
    server.get("/healthz", "").expect(200);
    let log = server.stop().text();
    assert!(log.contains("path=\"/healthz\" status=200"), "{log}");
}

/// The log of a server that got a request which is no HTTP.
fn log_of_a_malformed_request(filter: &str) -> String {
    let place = Place::new();
    let program = place.program().with_weak_hashing();
    let server = program.set("RUST_LOG", filter).start();
    let mut stream = TcpStream::connect(server.addr()).unwrap();
    stream.write_all(b"no\0http\r\n\r\n").unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 400 "), "{response}");
    server.stop().text()
}

#[test]
fn a_malformed_request_writes_no_line_unless_the_filter_asks_for_it() {
    let log = log_of_a_malformed_request("info");
    assert!(!log.contains("actix_http"), "{log}");
    let log = log_of_a_malformed_request("info,actix_http::h1::dispatcher=error");
    assert!(log.contains(" ERROR actix_http::h1::dispatcher "), "{log}");
}

#[test]
fn a_server_that_trusts_every_address_warns() {
    let place = Place::new();
    for (proxies, warns) in [
        ("0.0.0.0/0", true),
        ("10.0.0.0/8,::/0", true),
        ("::/1", false),
    ] {
        let program = place.program().with_weak_hashing();
        let log = program
            .set("TRUSTED_PROXIES", proxies)
            .start()
            .stop()
            .text();
        let warned = log.contains("every caller chooses its own network");
        assert_eq!(warned, warns, "{proxies}: {log}");
    }
}

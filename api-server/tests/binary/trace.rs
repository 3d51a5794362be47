//! Tests that the lines of the log about a request have the id of the trace to which the request belongs.

use serde_json::{Value, json};

use harness::{Log, Postgres, SECRET, Server, WorkDir};

const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Sends a login with a wrong password, with these further headers.
fn send_wrong_login(server: &Server, headers: &str) {
    let body = json!({ "email": "eve@example.com", "password": "wrong password" }).to_string();
    let mut connection = server.connect();
    connection.send(format!(
        "POST /api/auth/login HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n{headers}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    assert!(connection.head().starts_with("HTTP/1.1 401"));
}

/// Returns the log of a server after a login in a trace and a login without a trace. Each login causes three lines: a
/// refusal, and with `trace` also the cause and the access line.
fn log_of_logins(log_format: &str) -> Log {
    let work_dir = WorkDir::new();
    let program = work_dir.program().with_weak_hashing();
    let program = program.set("LOG_FORMAT", log_format);
    let server = program
        .set("RUST_LOG", "info,api_server::access=debug")
        .start();
    send_wrong_login(&server, &format!("traceparent: {TRACEPARENT}\r\n"));
    send_wrong_login(&server, "");
    server.stop()
}

fn assert_first_has_trace_id(lines: &[String], has_trace_id: impl Fn(&str) -> bool) {
    for text in ["login refused", "path=\"/api/auth/login\""] {
        let text_in_json = text.replace('"', "\\\"");
        let is_about_login = |line: &&String| line.contains(text) || line.contains(&text_in_json);
        let login_lines: Vec<_> = lines.iter().filter(is_about_login).collect();
        assert_eq!(login_lines.len(), 2, "{text}: {lines:#?}");
        assert!(has_trace_id(login_lines[0]), "{}", login_lines[0]);
        assert!(!login_lines[1].contains("trace_id"), "{}", login_lines[1]);
    }
}

#[test]
fn the_lines_of_a_text_log_have_the_trace_id() {
    let lines = log_of_logins("text").lines();
    let end = format!(" trace_id={TRACE_ID}");
    assert_first_has_trace_id(&lines, |line| line.ends_with(&end));
}

#[test]
fn the_objects_of_a_json_log_have_the_trace_id() {
    let lines = log_of_logins("json").lines();
    assert_first_has_trace_id(&lines, |line| {
        let event: Value = serde_json::from_str(line).unwrap();
        event["trace_id"] == TRACE_ID
    });
}

#[test]
#[ignore = "needs TEST_POSTGRES_URL and --include-ignored (see CONTRIBUTING)"]
fn the_cause_of_an_internal_error_is_logged_with_the_trace_id() {
    let (work_dir, postgres) = (WorkDir::new(), Postgres::new());
    let program = work_dir.program().with_weak_hashing();
    let program = program.set("AUTH_SECRET", SECRET);
    let server = program
        .set("DATABASE_URL", postgres.database_url().as_str())
        .start();
    let user = server.register("ada@example.com", "correct horse battery staple");
    postgres.execute("DROP TABLE tasks");
    let mut connection = server.connect();
    connection.send(format!(
        "GET /api/tasks HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {}\r\n\
         traceparent: {TRACEPARENT}\r\n\r\n",
        user.token
    ));
    assert!(connection.head().starts_with("HTTP/1.1 500"));
    let line = server.stop().line("request failed");
    assert!(line.contains("ERROR") && line.ends_with(TRACE_ID), "{line}");
}

//! Tests the shutdown: requests in flight are finished, idle connections are closed, unread responses are aborted.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;

use harness::{Postgres, SECRET, Server, TIMEOUT, WorkDir};

const PASSWORD: &str = "correct horse battery staple";
/// The time that the server gives requests in flight after the signal.
const MAX_DRAIN_TIME: Duration = Duration::from_secs(10);
/// The longest shutdown when no request is in flight: far below `MAX_DRAIN_TIME`, and far above what it takes.
const MAX_IDLE_SHUTDOWN: Duration = Duration::from_secs(7);

/// Returns the head and the body of a `POST` request. Tests send the head and the body separately.
fn post_request(path: &str, extra_headers: &str, body: &serde_json::Value) -> (String, String) {
    let body_text = body.to_string();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n{extra_headers}\
         Content-Length: {}\r\n\r\n",
        body_text.len()
    );
    (head, body_text)
}

fn login_request(extra_headers: &str) -> (String, String) {
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    post_request("/api/auth/login", extra_headers, &body)
}

fn wait_until_connections_are_refused(addr: SocketAddr) {
    let started_at = Instant::now();
    loop {
        match TcpStream::connect(addr) {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => return,
            _ => assert!(
                started_at.elapsed() < MAX_IDLE_SHUTDOWN,
                "new connections are still accepted"
            ),
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Sends the first half of a login, then the signal, then the second half. Asserts that the login succeeds.
fn assert_half_sent_login_is_finished(mut server: Server, signal: Signal, signal_name: &str) {
    server.register("ada@example.com", PASSWORD);
    let mut connection = server.connect();
    let (head, body) = login_request("Expect: 100-continue\r\n");
    connection.send(head);
    assert!(connection.head().starts_with("HTTP/1.1 100"));
    let (first_half, second_half) = body.split_at(body.len() / 2);
    connection.send(first_half);

    server.signal(signal);
    server
        .log
        .line(&format!("{signal_name}: finishing what is in flight"));
    wait_until_connections_are_refused(server.addr());
    connection.send(second_half);
    connection.response().expect(200);
    let responded_at = Instant::now();
    assert_eq!(server.exit_within(TIMEOUT), Some(0));
    assert!(
        responded_at.elapsed() < MAX_IDLE_SHUTDOWN,
        "{:?}",
        responded_at.elapsed()
    );
    server.log.line("stopped");
}

#[test]
fn sigterm_lets_a_request_finish_on_sqlite() {
    let work_dir = WorkDir::new();
    assert_half_sent_login_is_finished(work_dir.quick_server(), Signal::TERM, "SIGTERM");
}

#[test]
fn sigint_lets_a_request_finish_on_sqlite() {
    let work_dir = WorkDir::new();
    assert_half_sent_login_is_finished(work_dir.quick_server(), Signal::INT, "SIGINT");
}

#[test]
#[ignore = "needs TEST_POSTGRES_URL and --include-ignored (see CONTRIBUTING)"]
fn sigterm_lets_a_request_finish_on_postgres() {
    let (work_dir, postgres) = (WorkDir::new(), Postgres::new());
    let program = work_dir
        .program()
        .with_weak_hashing()
        .set("AUTH_SECRET", SECRET);
    let server = program
        .set("DATABASE_URL", postgres.url_with_password("hunter2"))
        .start();
    assert_half_sent_login_is_finished(server, Signal::TERM, "SIGTERM");
}

#[test]
fn a_login_whose_hash_is_being_computed_at_the_signal_succeeds() {
    let work_dir = WorkDir::new();
    let mut server = work_dir.program().set("BCRYPT_COST", "11").start();
    server.register("ada@example.com", PASSWORD);
    let mut connection = server.connect();
    let (head, body) = login_request("Expect: 100-continue\r\n");
    connection.send(head);
    assert!(connection.head().starts_with("HTTP/1.1 100"));
    connection.send(body);
    server.signal(Signal::TERM);
    connection.response().expect(200);
    assert_eq!(server.exit_within(TIMEOUT), Some(0));
    // Otherwise the login was complete before the signal, and this test has tested nothing.
    assert!(server.log.position("SIGTERM") < server.log.position("logged in"));
}

#[test]
fn idle_connections_do_not_delay_the_shutdown() {
    let work_dir = WorkDir::new();
    let mut server = work_dir.quick_server();
    let mut unused_connection = server.connect();
    let mut used_connection = server.connect();
    used_connection
        .request("GET", "/healthz", "", None)
        .expect(200);
    let mut half_sent_connection = server.connect();
    half_sent_connection.send("GET /healthz HTTP/1.1\r\nHost: te");
    server.get("/readyz", "").expect(200);

    let signalled_at = Instant::now();
    server.signal(Signal::TERM);
    assert_eq!(server.exit_within(TIMEOUT), Some(0));
    assert!(
        signalled_at.elapsed() < MAX_IDLE_SHUTDOWN,
        "{:?}",
        signalled_at.elapsed()
    );
    assert!(
        used_connection.wait_until_closed()
            && unused_connection.wait_until_closed()
            && half_sent_connection.wait_until_closed()
    );
}

/// This test takes ten seconds, because it waits for [`MAX_DRAIN_TIME`], and no setting shortens that time.
#[test]
fn a_response_that_is_never_read_is_aborted() {
    let work_dir = WorkDir::new();
    let mut server = work_dir.quick_server();
    // Requests more bytes than the socket buffers can store, and reads little more than the head of the first response.
    let mut unread_connection = server.connect();
    let request = "GET /api/openapi.json HTTP/1.1\r\nHost: test\r\n\r\n";
    unread_connection.send(request.repeat(1000));
    assert!(unread_connection.head().starts_with("HTTP/1.1 200"));
    unread_connection.wait_until_full();

    let signalled_at = Instant::now();
    server.signal(Signal::TERM);
    assert_eq!(server.exit_within(TIMEOUT), Some(0));
    let elapsed = signalled_at.elapsed();
    assert!(elapsed < MAX_DRAIN_TIME + MAX_IDLE_SHUTDOWN, "{elapsed:?}");
    assert!(
        elapsed > MAX_IDLE_SHUTDOWN,
        "the request was not in flight: {elapsed:?}"
    );
}

#[test]
fn a_signal_right_after_the_start_is_not_lost() {
    let work_dir = WorkDir::new();
    for _ in 0..5 {
        let server = work_dir.quick_server();
        server.stop();
    }
}

#[test]
fn with_a_delay_a_stopping_server_is_not_ready_but_serves_requests() {
    let delay = Duration::from_secs(3);
    let work_dir = WorkDir::new();
    let program = work_dir.program().with_weak_hashing();
    let mut server = program.set("SHUTDOWN_DELAY", "3s").start();
    let user = server.register("ada@example.com", PASSWORD);
    server.get("/readyz", "").expect(200);
    let signalled_at = Instant::now();
    server.signal(Signal::TERM);
    server.log.line("SIGTERM: finishing what is in flight");
    while server.get("/readyz", "").status != 503 {
        assert!(signalled_at.elapsed() < delay, "the server is still ready");
    }
    server.add_task(&user, "Buy milk").expect(201);
    assert_eq!(server.exit_within(TIMEOUT), Some(0));
    assert!(signalled_at.elapsed() >= delay);
}

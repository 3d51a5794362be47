//! Shutdown: requests in flight are finished, idle connections are closed, and endless requests are aborted.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;

use harness::{Postgres, SECRET, Server, TIMEOUT, WorkDir};

const PASSWORD: &str = "correct horse battery staple";
/// How long requests in flight may take after the signal.
const DRAIN: Duration = Duration::from_secs(10);
/// The longest shutdown without requests in flight.
const PROMPT: Duration = Duration::from_secs(3);

/// Returns the head of a request, and the body, to be sent separately.
fn request(path: &str, headers: &str, body: &serde_json::Value) -> (String, String) {
    let body = body.to_string();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n{headers}\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    (head, body)
}

fn login(headers: &str) -> (String, String) {
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    request("/api/auth/login", headers, &body)
}

fn until_connections_are_refused(addr: SocketAddr) {
    let started = Instant::now();
    loop {
        match TcpStream::connect(addr) {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => return,
            _ => assert!(
                started.elapsed() < PROMPT,
                "new connections are still accepted"
            ),
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Sends half of a login, then the signal, then the other half.
fn assert_half_sent_login_is_finished(mut server: Server, signal: Signal, name: &str) {
    server.register("ada@example.com", PASSWORD);
    let mut connection = server.connect();
    let (head, body) = login("Expect: 100-continue\r\n");
    connection.send(head);
    assert!(connection.head().starts_with("HTTP/1.1 100"));
    let (first, second) = body.split_at(body.len() / 2);
    connection.send(first);

    server.signal(signal);
    server
        .log
        .line(&format!("{name}: finishing what is in flight"));
    until_connections_are_refused(server.addr());
    connection.send(second);
    connection.response().expect(200);
    let body_sent = Instant::now();
    assert_eq!(server.exit_within(TIMEOUT), Some(0));
    assert!(body_sent.elapsed() < PROMPT, "{:?}", body_sent.elapsed());
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
    let server = program.set("DATABASE_URL", postgres.url("hunter2")).start();
    assert_half_sent_login_is_finished(server, Signal::TERM, "SIGTERM");
}

#[test]
fn a_login_whose_hash_is_being_computed_gets_its_response() {
    let work_dir = WorkDir::new();
    let mut server = work_dir.program().set("BCRYPT_COST", "11").start();
    server.register("ada@example.com", PASSWORD);
    let mut connection = server.connect();
    let (head, body) = login("Expect: 100-continue\r\n");
    connection.send(head);
    assert!(connection.head().starts_with("HTTP/1.1 100"));
    connection.send(body);
    server.signal(Signal::TERM);
    connection.response().expect(200);
    assert_eq!(server.exit_within(TIMEOUT), Some(0));
    // The signal was sent while the hash was computed, not before or after.
    assert!(server.log.position("SIGTERM") < server.log.position("logged in"));
}

#[test]
fn idle_connections_do_not_delay_the_shutdown() {
    let work_dir = WorkDir::new();
    let mut server = work_dir.quick_server();
    let mut unused = server.connect();
    let mut used = server.connect();
    used.request("GET", "/healthz", "", None).expect(200);
    let mut half_a_head = server.connect();
    half_a_head.send("GET /healthz HTTP/1.1\r\nHost: te");
    server.get("/readyz", "").expect(200);

    let signalled = Instant::now();
    server.signal(Signal::TERM);
    assert_eq!(server.exit_within(TIMEOUT), Some(0));
    assert!(signalled.elapsed() < PROMPT, "{:?}", signalled.elapsed());
    assert!(
        used.wait_until_closed() && unused.wait_until_closed() && half_a_head.wait_until_closed()
    );
}

/// This test is slow, because no setting shortens the time limit.
#[test]
fn a_request_that_never_ends_is_aborted() {
    let work_dir = WorkDir::new();
    let mut server = work_dir.quick_server();
    // A caller that requests more than the buffers hold and reads none of it.
    let mut unread = server.connect();
    let request = "GET /api/openapi.json HTTP/1.1\r\nHost: test\r\n\r\n";
    unread.send(request.repeat(1000));
    assert!(unread.head().starts_with("HTTP/1.1 200"));

    let signalled = Instant::now();
    server.signal(Signal::TERM);
    assert_eq!(server.exit_within(TIMEOUT), Some(0));
    let elapsed = signalled.elapsed();
    assert!(elapsed < DRAIN + PROMPT, "{elapsed:?}");
    assert!(
        elapsed > PROMPT,
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

//! Tests `health`, the command for the probes of containers.

use std::net::TcpListener;
use std::time::Duration;

use harness::{Outcome, Postgres, SECRET, Server, WorkDir};

/// The longest time that the command may take if the server does not respond.
const MAX_DURATION: Duration = Duration::from_secs(10);

/// Asks the server, as a probe with the same settings does.
fn ask(server: &Server, arguments: &[&str]) -> Outcome {
    let bind_addr = server.addr().to_string();
    let work_dir = WorkDir::new();
    let program = work_dir.bare_program().set("BIND_ADDR", bind_addr);
    program.args(arguments).run()
}

#[test]
fn a_running_server_is_healthy_and_ready() {
    let work_dir = WorkDir::new();
    let server = work_dir.quick_server();
    for (arguments, path) in [
        (&["health"][..], "/healthz"),
        (&["health", "--ready"], "/readyz"),
    ] {
        let outcome = ask(&server, arguments).assert_succeeded();
        let line = format!("http://{}{path}: OK\n", server.addr());
        assert_eq!(outcome.output(), line);
    }
}

#[test]
fn a_stopped_server_is_not_healthy() {
    let work_dir = WorkDir::new();
    let mut server = work_dir.quick_server();
    server.kill();
    server.exit_within(harness::TIMEOUT);
    let outcome = ask(&server, &["health"]);
    outcome.assert_failed(1, &["/healthz: no server listens there (BIND_ADDR)"]);
}

#[test]
fn a_server_that_does_not_respond_is_given_up_within_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let bind_addr = listener.local_addr().unwrap().to_string();
    let work_dir = WorkDir::new();
    let program = work_dir.bare_program().set("BIND_ADDR", bind_addr);
    let outcome = program.args(&["health"]).run();
    outcome.assert_failed(1, &["/healthz: no response within 4s"]);
    assert!(outcome.duration < MAX_DURATION, "{:?}", outcome.duration);
}

#[test]
#[ignore = "needs TEST_POSTGRES_URL and --include-ignored (see CONTRIBUTING)"]
fn without_its_database_a_server_is_healthy_but_not_ready() {
    let (work_dir, postgres) = (WorkDir::new(), Postgres::new());
    let program = work_dir.program().set("AUTH_SECRET", SECRET);
    let program = program.set("DATABASE_URL", postgres.url_with_password("hunter2"));
    let server = program.start();
    ask(&server, &["health", "--ready"]).assert_succeeded();
    postgres.reject_connections();
    ask(&server, &["health"]).assert_succeeded();
    let outcome = ask(&server, &["health", "--ready"]);
    outcome.assert_failed(
        1,
        &["/readyz: the status is 503, see the log of the server"],
    );
    assert!(outcome.duration < MAX_DURATION, "{:?}", outcome.duration);
}

#[test]
fn the_command_needs_only_the_address_and_no_other_setting() {
    let work_dir = WorkDir::new();
    let server = work_dir.quick_server();
    let other_dir = WorkDir::new();
    let program = other_dir.bare_program().set_all(&[
        ("BIND_ADDR", server.addr().to_string().as_str()),
        ("AUTH_SECRET", "short"),
        ("DATABASE_URL", "nonsense"),
        ("PUBLIC_URL", "https://api.example"),
    ]);
    program
        .args(&["health", "--ready"])
        .run()
        .assert_succeeded();
    assert_eq!(other_dir.names(), [""; 0]);
}

#[test]
fn an_address_that_does_not_name_the_port_is_rejected() {
    let work_dir = WorkDir::new();
    let outcome = work_dir.program().args(&["health"]).run();
    let problem = "BIND_ADDR: port 0 does not tell where the server listens";
    outcome.assert_failed(2, &[problem]);
    let program = work_dir.bare_program().set("BIND_ADDR", "here");
    let outcome = program.args(&["health"]).run();
    outcome.assert_failed(2, &["BIND_ADDR: use an IP address"]);
}

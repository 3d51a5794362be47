//! Within two seconds after a logout on one process, the other processes reject the token, also under load.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{on_postgres, on_sqlite, run_alone};
use harness::{Connection, Postgres, Program, Server, WorkDir};

const PROCESSES: usize = 3;
const MAX_DELAY: Duration = Duration::from_secs(2);
/// The number of users who log out in parallel.
const USERS: usize = 4;
/// The number of logouts of each user.
const LOGOUTS: usize = 25;
/// The precision with which the moment of rejection is measured.
const POLL_INTERVAL: Duration = Duration::from_millis(5);
const PASSWORD: &str = "correct horse battery staple";

/// Logs in and returns the access token.
fn log_in(server: &Server, email: &str) -> String {
    let token_response = server.log_in(email, PASSWORD).expect(200);
    token_response["access_token"].as_str().unwrap().to_owned()
}

/// Returns whether the token is rejected because its session was revoked.
fn is_rejected(connection: &mut Connection, token: &str) -> bool {
    let response = connection.request("GET", "/api/auth/session", token, None);
    match response.status {
        200 => false,
        _ => response.expect(401)["code"] == "TOKEN_REVOKED",
    }
}

/// Logs out on the first server repeatedly. Returns for each logout how long it took until the last server rejected the
/// token.
fn measure(servers: &[Server], email: &str) -> Vec<Duration> {
    let mut connections: Vec<_> = servers.iter().map(Server::connect).collect();
    let (here, elsewhere) = connections.split_first_mut().unwrap();
    let measure_one_logout = |_| {
        let token = log_in(&servers[0], email);
        for there in &mut *elsewhere {
            assert!(!is_rejected(there, &token));
        }
        let logout = here.request("POST", "/api/auth/logout", &token, Some(&json!({})));
        let revoked_at = Instant::now();
        assert_eq!(logout.expect(200)["revoked"], 1);
        assert!(
            is_rejected(here, &token),
            "accepted by the server of the logout"
        );
        for there in &mut *elsewhere {
            while !is_rejected(there, &token) {
                assert!(
                    revoked_at.elapsed() < MAX_DELAY,
                    "accepted after {MAX_DELAY:?}"
                );
                thread::sleep(POLL_INTERVAL);
            }
        }
        revoked_at.elapsed()
    };
    (0..LOGOUTS).map(measure_one_logout).collect()
}

/// Reads, writes and refreshes until `stop`; returns the number of requests.
fn keep_busy(server: &Server, email: &str, stop: &Receiver<()>) -> usize {
    let mut connection = server.connect();
    let mut token_response = server.log_in(email, PASSWORD).expect(200);
    let text =
        |token_response: &Value, name: &str| token_response[name].as_str().unwrap().to_owned();
    let mut count = 0;
    while stop.recv_timeout(POLL_INTERVAL) == Err(RecvTimeoutError::Timeout) {
        let token = text(&token_response, "access_token");
        let task = json!({ "title": count.to_string() });
        connection
            .request("POST", "/api/tasks", &token, Some(&task))
            .expect(201);
        connection
            .request("GET", "/api/tasks", &token, None)
            .expect(200);
        let refresh = json!({ "refresh_token": text(&token_response, "refresh_token") });
        let response = connection.request("POST", "/api/auth/refresh", "", Some(&refresh));
        token_response = response.expect(200);
        count += 3;
    }
    count
}

#[expect(clippy::print_stdout, reason = "the figures for docs/performance.md")]
fn report(mut times: Vec<Duration>, requests: usize, elapsed: Duration) {
    times.sort();
    let percentile = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    println!(
        "{} logouts took effect after p50 {:?}, p99 {:?}, max {:?}; meanwhile {requests} requests in {elapsed:?}",
        times.len(),
        percentile(50),
        percentile(99),
        percentile(100),
    );
}

/// Asserts that a new process rejects the tokens from its first response on.
fn assert_new_process_rejects(program: Program, tokens: &[String]) {
    let server = program.start();
    let mut connection = server.connect();
    for token in tokens {
        assert!(is_rejected(&mut connection, token));
    }
}

fn logouts_reach_every_process(program: impl Fn() -> Program) {
    let starting: Vec<_> = (0..PROCESSES).map(|_| program().spawn()).collect();
    let servers: Vec<_> = starting
        .into_iter()
        .map(Server::wait_until_listening)
        .collect();
    let email = |number: usize| format!("{number}@example.com");
    for number in 0..USERS + PROCESSES {
        servers[0].register(&email(number), PASSWORD);
    }
    let started = Instant::now();
    let (times, requests) = thread::scope(|scope| {
        let busy = servers.iter().enumerate().map(|(number, server)| {
            let (stop, stopped) = channel();
            let email = email(USERS + number);
            (
                stop,
                scope.spawn(move || keep_busy(server, &email, &stopped)),
            )
        });
        let busy: Vec<_> = busy.collect();
        let servers = &servers;
        let users = (0..USERS).map(|number| scope.spawn(move || measure(servers, &email(number))));
        let users: Vec<_> = users.collect();
        let times: Vec<_> = users
            .into_iter()
            .flat_map(|user| user.join().unwrap())
            .collect();
        let count = busy.into_iter().map(|(stop, thread)| {
            drop(stop);
            thread.join().unwrap()
        });
        (times, count.sum())
    });
    report(times, requests, started.elapsed());

    let tokens: Vec<_> = (0..USERS)
        .map(|number| log_in(&servers[0], &email(number)))
        .collect();
    for token in &tokens {
        servers[0]
            .post("/api/auth/logout", token, &json!({}))
            .expect(200);
    }
    assert_new_process_rejects(program(), &tokens);
}

#[test]
fn on_sqlite_a_logout_reaches_three_processes_within_two_seconds() {
    let _guard = run_alone();
    let work_dir = WorkDir::new();
    logouts_reach_every_process(|| on_sqlite(&work_dir));
}

#[test]
#[ignore = "needs TEST_POSTGRES_URL and --include-ignored (see CONTRIBUTING)"]
fn on_postgres_a_logout_reaches_three_processes_within_two_seconds() {
    let _guard = run_alone();
    let (work_dir, postgres) = (WorkDir::new(), Postgres::new());
    logouts_reach_every_process(|| on_postgres(&work_dir, &postgres));
}

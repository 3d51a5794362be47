//! Tests that within two seconds after a role is removed, three processes and a service that follows the feed of one of
//! them reject the user's earlier tokens, even under load. A refresh then gets a token without the role.

use std::net::SocketAddr;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use auth_core::remote::{RevocationFeed, StalePolicy};
use auth_core::{Authority, Caller, Keyring, RequireCaller, RequireRole, Secret, TokenVerifier};
use axum::Router;
use axum::routing::get;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::logout::{MAX_DELAY, PASSWORD, POLL_INTERVAL, assert_usual_delays, keep_busy};
use crate::{postgres_program, sqlite_program, wait_for_other_tests};
use harness::{Connection, Postgres, Program, SECRET, Server, WorkDir};

const PROCESS_COUNT: usize = 3;
/// The number of users whose roles change in parallel.
const USER_COUNT: usize = 4;
/// The number of removals for each user.
const REMOVAL_COUNT: usize = 10;

/// Starts a service that follows the feed of the server, in a thread of this process. `/admin` requires the role
/// `admin`.
fn start_embedder(server: &Server) -> SocketAddr {
    let server_url = format!("http://{}", server.addr());
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let keyring = Keyring::new(Secret::new(SECRET).unwrap());
            let feed = RevocationFeed::start(&server_url, keyring.clone(), "api-server").unwrap();
            feed.wait_until_caught_up().await;
            let verifier = TokenVerifier::new(keyring, "api-server", "api").unwrap();
            let authority = Authority::from(verifier.with_feed(&feed, StalePolicy::FailOpen));
            let service = Router::new()
                .route("/admin", get(async |caller: Caller| caller.sub))
                .layer(RequireRole::new("admin").unwrap())
                .layer(RequireCaller::new(authority));
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            axum::serve(listener, service).await.unwrap();
        });
    });
    receiver.recv().unwrap()
}

/// Sends a request with the token. Returns whether it is rejected because the user's roles changed after its issue.
fn rejects_as_stale((connection, path): &mut (Connection, &str), token: &str) -> bool {
    let response = connection.request("GET", path, token, None);
    match response.status {
        200 => false,
        _ => response.expect(401)["code"] == "TOKEN_STALE",
    }
}

fn text_field(body: &Value, name: &str) -> String {
    body[name].as_str().unwrap().to_owned()
}

/// Asserts that a refresh on any server gets a token that all accept as that of a user without the role.
fn assert_refresh_without_role(
    server: &Server,
    refresh_token: &str,
    connections: &mut [(Connection, &'static str)],
) {
    let body = json!({ "refresh_token": refresh_token });
    let tokens = server.post("/api/auth/refresh", "", &body).expect(200);
    let token = text_field(&tokens, "access_token");
    let (embedder, servers) = connections.split_last_mut().unwrap();
    for (connection, path) in servers {
        let session = connection.request("GET", path, &token, None).expect(200);
        assert_eq!(session["user"]["roles"], json!([]));
    }
    let refusal = embedder.0.request("GET", embedder.1, &token, None);
    assert_eq!(refusal.expect(403)["code"], "FORBIDDEN");
}

/// The servers, the service that follows the feed of one of them, and a command on the database of the servers.
struct Cluster<'a> {
    servers: &'a [Server],
    embedder: SocketAddr,
    new_program: &'a (dyn Fn() -> Program + Sync),
}

impl Cluster<'_> {
    fn change_role(&self, email: &str, option: &str) {
        let arguments = ["users", "roles", email, option, "admin"];
        let outcome = (self.new_program)().args(&arguments).run();
        outcome.assert_succeeded();
    }

    /// Opens a connection to each server and to the embedder. Returns each with a path that only the current token of
    /// an admin may request.
    fn connections(&self) -> Vec<(Connection, &'static str)> {
        let to_servers = self.servers.iter().map(Server::connect);
        let mut connections: Vec<_> = to_servers.map(|it| (it, "/api/auth/session")).collect();
        connections.push((Connection::open(self.embedder), "/admin"));
        connections
    }

    /// Adds and removes a role repeatedly. Returns for each removal the time until nobody accepts the earlier token.
    fn measure_removals(&self, email: &str) -> Vec<Duration> {
        let mut connections = self.connections();
        let measure_one_removal = |number: usize| {
            self.change_role(email, "--add");
            let tokens = self.servers[0].log_in(email, PASSWORD).expect(200);
            let token = text_field(&tokens, "access_token");
            for connection in &mut connections {
                assert!(!rejects_as_stale(connection, &token));
            }
            self.change_role(email, "--remove");
            let removed_at = Instant::now();
            for connection in &mut connections {
                while !rejects_as_stale(connection, &token) {
                    assert!(
                        removed_at.elapsed() < MAX_DELAY,
                        "accepted after {MAX_DELAY:?}"
                    );
                    thread::sleep(POLL_INTERVAL);
                }
            }
            let delay = removed_at.elapsed();
            let server = &self.servers[number % self.servers.len()];
            let refresh_token = text_field(&tokens, "refresh_token");
            assert_refresh_without_role(server, &refresh_token, &mut connections);
            delay
        };
        (0..REMOVAL_COUNT).map(measure_one_removal).collect()
    }
}

fn assert_removals_reach_everyone(new_program: &(dyn Fn() -> Program + Sync)) {
    let starting_processes: Vec<_> = (0..PROCESS_COUNT).map(|_| new_program().spawn()).collect();
    let starting_processes = starting_processes.into_iter();
    let servers: Vec<_> = starting_processes
        .map(Server::wait_until_listening)
        .collect();
    let email_of = |number: usize| format!("{number}@example.com");
    for number in 0..USER_COUNT + PROCESS_COUNT {
        servers[0].register(&email_of(number), PASSWORD);
    }
    let cluster = Cluster {
        servers: &servers,
        embedder: start_embedder(&servers[1]),
        new_program,
    };
    let cluster = &cluster;
    let delays: Vec<_> = thread::scope(|scope| {
        let new_busy_threads = servers.iter().enumerate().map(|(number, server)| {
            let (stop_sender, stop_receiver) = channel();
            let email = email_of(USER_COUNT + number);
            scope.spawn(move || keep_busy(server, &email, &stop_receiver));
            stop_sender
        });
        let _stop_senders: Vec<_> = new_busy_threads.collect();
        let new_user_threads = (0..USER_COUNT)
            .map(|number| scope.spawn(move || cluster.measure_removals(&email_of(number))));
        let user_threads: Vec<_> = new_user_threads.collect();
        let delays = user_threads.into_iter().map(|it| it.join().unwrap());
        delays.flatten().collect()
    });
    assert_usual_delays("removals of a role", delays);
}

#[test]
fn on_sqlite_the_removal_of_a_role_reaches_processes_and_embedder_within_two_seconds() {
    let _guard = wait_for_other_tests();
    let work_dir = WorkDir::new();
    assert_removals_reach_everyone(&|| sqlite_program(&work_dir).set("AUTH_SECRET", SECRET));
}

#[test]
#[ignore = "needs TEST_POSTGRES_URL and --include-ignored (see CONTRIBUTING)"]
fn on_postgres_the_removal_of_a_role_reaches_processes_and_embedder_within_two_seconds() {
    let _guard = wait_for_other_tests();
    let (work_dir, postgres) = (WorkDir::new(), Postgres::new());
    assert_removals_reach_everyone(&|| postgres_program(&work_dir, &postgres));
}

//! Hash permits during a storm of logins: networks take turns.

use std::cell::Cell;
use std::net::Ipv4Addr;
use std::thread::available_parallelism;

use e2e::{App, Client, Connection, Engine, Request, Response, log_lines, on_both_engines};
use futures_util::future::join_all;
use tokio::task::yield_now;

use crate::auth::login::{LOGIN, credentials};

on_both_engines! {
    during_a_storm_from_one_network_a_login_from_another_waits_for_a_few_hashes,
    during_a_storm_from_fifty_networks_a_login_from_another_waits_for_one_round,
    callers_that_disconnect_leave_the_queue,
}

/// About 15 ms for each hash, so that a queue forms.
const COST: &str = "8";

/// Networks that no other test uses, so that their log lines can be identified.
fn network(engine: Engine, group: u8, number: u8) -> String {
    let engine = match engine {
        Engine::Sqlite => 1,
        Engine::Postgres => 2,
    };
    Ipv4Addr::new(198, 18 + engine, group, number).to_string()
}

fn start(engine: Engine, cost: &str) -> App {
    App::on(engine)
        .behind_proxy()
        .set("bcrypt-cost", cost)
        .set("max-failed-logins-per-network", "off")
        .start()
}

fn login(app: &App, network: &str, email: &str, password: &str) -> Request {
    let request = app.anonymous().post(LOGIN, credentials(email, password));
    request.header("x-forwarded-for", network)
}

/// The number of attempts from networks with this prefix that were hashed and rejected so far.
fn hashed(networks: &str) -> usize {
    log_lines::with(&format!("login refused ip_address=Some({networks}")).len()
}

/// How far a storm has come.
#[derive(Default)]
struct Storm {
    /// Whether one of its clients was rejected for want of a place.
    is_full: Cell<bool>,
    is_over: Cell<bool>,
}

/// One client of a storm: a new address for each attempt, until it is rejected or the storm ends.
async fn storm(app: &App, network: &str, client: usize, storm: &Storm) -> Option<Response> {
    for attempt in 0.. {
        let email = format!("{client}.{attempt}@example.com");
        let response = login(app, network, &email, "not the password").await;
        storm
            .is_full
            .set(storm.is_full.get() || response.status() == 503);
        if response.status() != 401 || storm.is_over.get() {
            return Some(response);
        }
    }
    None
}

/// Logs in three times in sequence, each time after a wrong password; returns the maximum number of attempts hashed while
/// one wrong password waited. That waits for its hash alone, while a login also waits for the disk.
async fn log_in(app: &App, network: &str, user: &Client, storming: &str) -> usize {
    let mut longest = 0;
    for _ in 0..3 {
        let before = hashed(storming);
        let wrong = login(app, network, user.email(), "not the password").await;
        longest = longest.max(hashed(storming) - before);
        wrong.problem(401, "INVALID_EMAIL_OR_PASSWORD");
        let response = login(app, network, user.email(), user.password()).await;
        response.ok();
    }
    longest
}

async fn during_a_storm_from_one_network_a_login_from_another_waits_for_a_few_hashes(
    engine: Engine,
) {
    let app = start(engine, COST);
    let ada = app.user("ada").await;
    let (storming, honest) = (network(engine, 1, 1), network(engine, 1, 200));
    let state = Storm::default();
    let clients = (0..100).map(|client| storm(&app, &storming, client, &state));
    let logins = async {
        while !state.is_full.get() {
            yield_now().await;
        }
        let longest = log_in(&app, &honest, &ada, &storming).await;
        state.is_over.set(true);
        longest
    };
    let (responses, longest) = tokio::join!(join_all(clients), logins);
    let cores = available_parallelism().unwrap().get();
    // The running hashes, one at the head of the queue, and those that other cores finish meanwhile.
    assert!(longest <= 4 * cores + 2, "{longest} hashes");
    let full = responses
        .into_iter()
        .flatten()
        .find(|it| it.status() == 503);
    let full = full.expect("an attempt beyond the places of its network");
    assert!(full.header("retry-after").is_some());
    full.problem(503, "OVERLOADED");
}

async fn during_a_storm_from_fifty_networks_a_login_from_another_waits_for_one_round(
    engine: Engine,
) {
    let app = start(engine, COST);
    let ada = app.user("ada").await;
    let honest = network(engine, 3, 200);
    let networks: Vec<_> = (0..50).map(|number| network(engine, 2, number)).collect();
    let storming = networks[0].trim_end_matches('0');
    let state = Storm::default();
    let clients = (0..100).map(|client| storm(&app, &networks[client % 50], client, &state));
    let logins = async {
        while hashed(storming) < 10 {
            yield_now().await;
        }
        let longest = log_in(&app, &honest, &ada, storming).await;
        state.is_over.set(true);
        longest
    };
    let (_, longest) = tokio::join!(join_all(clients), logins);
    let cores = available_parallelism().unwrap().get();
    assert!(longest <= 53 + 4 * cores, "{longest} hashes");
}

async fn callers_that_disconnect_leave_the_queue(engine: Engine) {
    let app = start(engine, "11");
    let ada = app.user("ada").await;
    let here = network(engine, 4, 1);
    let mut connections = Vec::new();
    for number in 0..50 {
        let body = credentials(&format!("{number}@example.com"), "not it").to_string();
        let mut connection = app.connect().await;
        let request = format!(
            "POST {LOGIN} HTTP/1.1\r\nhost: e2e\r\ncontent-type: application/json\r\n\
             x-forwarded-for: {here}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        connection.send(request.as_bytes()).await;
        connections.push(connection);
    }
    let first: &mut Connection = &mut connections[0];
    first
        .response()
        .await
        .unwrap()
        .problem(401, "INVALID_EMAIL_OR_PASSWORD");
    drop(connections);
    let before = hashed(&here);
    login(&app, &here, ada.email(), ada.password()).await.ok();
    let hashed = hashed(&here) - before;
    assert!(
        hashed < 20,
        "{hashed} attempts of disconnected callers were hashed first"
    );
}

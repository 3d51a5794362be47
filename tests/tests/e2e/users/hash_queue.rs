//! Many logins at the same time: the networks that wait for password hashes take turns.

use std::cell::Cell;
use std::net::Ipv4Addr;
use std::thread::available_parallelism;
use std::time::Duration;

use e2e::{App, Client, Connection, Engine, Request, Response, log_lines, on_both_engines};
use futures_util::future::join_all;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::auth::login::{LOGIN, credentials};

on_both_engines! {
    during_many_logins_from_one_network_a_login_from_another_waits_for_a_few_hashes,
    during_many_logins_from_fifty_networks_a_login_from_another_waits_for_one_round,
    callers_that_disconnect_leave_the_queue,
}

/// A bcrypt cost with which a hash takes about 15 ms, so that a queue forms.
const COST: &str = "8";

/// How long a load may take to begin, on a busy machine.
const LOAD_TIMEOUT: Duration = Duration::from_secs(30);

/// Returns an IP address that no other test uses, so that the log lines about it belong to this test.
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

/// The number of logins from IP addresses with this prefix that were hashed and rejected so far.
fn rejected_logins(prefix: &str) -> usize {
    log_lines::with(&format!("login response ip_address=Some({prefix}")).len()
}

/// The state of a load test: many clients log in again and again at the same time.
#[derive(Default)]
struct Load {
    /// Notified when a client gets a 503, because the queue of its network is full.
    full: Notify,
    /// The number of logins that got a 401.
    rejected: Cell<usize>,
    /// Notified at the tenth 401.
    ten_rejected: Notify,
    /// Set by the test to stop the clients.
    is_over: Cell<bool>,
}

impl Load {
    fn record(&self, status: u16) {
        match status {
            401 => self.rejected.set(self.rejected.get() + 1),
            503 => self.full.notify_one(),
            _ => {}
        }
        if self.rejected.get() == 10 {
            self.ten_rejected.notify_one();
        }
    }
}

/// Runs one client of the load: it logs in with new email addresses until a response is not 401 or the load is over.
async fn run_client(app: &App, network: &str, client: usize, load: &Load) -> Option<Response> {
    for attempt in 0.. {
        let email = format!("{client}.{attempt}@example.com");
        let response = login(app, network, &email, "not the password").await;
        load.record(response.status());
        if response.status() != 401 || load.is_over.get() {
            return Some(response);
        }
    }
    None
}

/// Sends a wrong password and then logs in, three times. Returns the longest wait for the response to a wrong password,
/// as the number of other clients' hashes that were computed during the wait. A login is not measured, because it also
/// waits for the disk.
async fn longest_wait(app: &App, network: &str, user: &Client, busy_prefix: &str) -> usize {
    let mut longest = 0;
    for _ in 0..3 {
        let before = rejected_logins(busy_prefix);
        let wrong = login(app, network, user.email(), "not the password").await;
        longest = longest.max(rejected_logins(busy_prefix) - before);
        wrong.problem(401, "INVALID_EMAIL_OR_PASSWORD");
        let response = login(app, network, user.email(), user.password()).await;
        response.ok();
    }
    longest
}

async fn during_many_logins_from_one_network_a_login_from_another_waits_for_a_few_hashes(
    engine: Engine,
) {
    let app = start(engine, COST);
    let ada = app.user("ada").await;
    let (busy_network, quiet) = (network(engine, 1, 1), network(engine, 1, 200));
    let load = Load::default();
    let clients = (0..100).map(|client| run_client(&app, &busy_network, client, &load));
    let logins = async {
        let full = timeout(LOAD_TIMEOUT, load.full.notified()).await;
        full.expect("a full queue in time");
        let longest = longest_wait(&app, &quiet, &ada, &busy_network).await;
        load.is_over.set(true);
        longest
    };
    let (responses, longest) = tokio::join!(join_all(clients), logins);
    let cores = available_parallelism().unwrap().get();
    // The hashes that run already, the first hash of the queue, and the hashes that other cores finish during the wait.
    assert!(longest <= 4 * cores + 2, "{longest} hashes");
    let overloaded = responses
        .into_iter()
        .flatten()
        .find(|response| response.status() == 503);
    let overloaded = overloaded.expect("a login beyond the queue of its network");
    assert!(overloaded.header("retry-after").is_some());
    overloaded.problem(503, "OVERLOADED");
}

async fn during_many_logins_from_fifty_networks_a_login_from_another_waits_for_one_round(
    engine: Engine,
) {
    let app = start(engine, COST);
    let ada = app.user("ada").await;
    let quiet = network(engine, 3, 200);
    let networks: Vec<_> = (0..50).map(|number| network(engine, 2, number)).collect();
    let busy_prefix = networks[0].trim_end_matches('0');
    let load = Load::default();
    let clients = (0..100).map(|client| run_client(&app, &networks[client % 50], client, &load));
    let logins = async {
        let busy = timeout(LOAD_TIMEOUT, load.ten_rejected.notified()).await;
        busy.expect("ten rejected logins in time");
        let longest = longest_wait(&app, &quiet, &ada, busy_prefix).await;
        load.is_over.set(true);
        longest
    };
    let (_, longest) = tokio::join!(join_all(clients), logins);
    let cores = available_parallelism().unwrap().get();
    assert!(longest <= 53 + 4 * cores, "{longest} hashes");
}

async fn callers_that_disconnect_leave_the_queue(engine: Engine) {
    let app = start(engine, "11");
    let ada = app.user("ada").await;
    let network = network(engine, 4, 1);
    let mut connections = Vec::new();
    for number in 0..50 {
        let body = credentials(&format!("{number}@example.com"), "wrong").to_string();
        let mut connection = app.connect().await;
        let request = format!(
            "POST {LOGIN} HTTP/1.1\r\nhost: e2e\r\ncontent-type: application/json\r\n\
             x-forwarded-for: {network}\r\ncontent-length: {}\r\n\r\n{body}",
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
    let before = rejected_logins(&network);
    login(&app, &network, ada.email(), ada.password())
        .await
        .ok();
    let hashed = rejected_logins(&network) - before;
    assert!(
        hashed < 20,
        "{hashed} attempts of disconnected callers were hashed first"
    );
}

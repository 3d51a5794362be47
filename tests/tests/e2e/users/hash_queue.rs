//! Tests that the waiting networks take turns in the queue for password hashing, and that disconnected callers leave
//! the queue. Each IPv4 address is a network of its own.

use std::cell::Cell;
use std::net::Ipv4Addr;
use std::thread::available_parallelism;
use std::time::Duration;

use e2e::{App, Client, Connection, Engine, Request, Response, log_lines, on_both_engines};
use futures_util::future::join_all;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::auth::login::{LOGIN, credentials, send_wrong_login, slow_bcrypt_cost};

on_both_engines! {
    during_many_logins_from_one_network_a_login_from_another_network_waits_for_a_few_hashes,
    during_many_logins_from_fifty_networks_a_login_from_another_network_waits_for_one_hash_of_each,
    the_logins_of_disconnected_callers_leave_the_queue,
    the_limits_of_the_queue_are_settings,
}

/// A bcrypt cost with which a hash takes about 8 ms, so that a queue forms.
const BCRYPT_COST: &str = "7";

/// The longest wait for [`Load::full_queue`] or [`Load::tenth_rejection`]; long enough for a busy machine.
const LOAD_TIMEOUT: Duration = Duration::from_secs(30);

/// Returns an IP address with a different second byte for each engine. Each test passes its own `third_byte`, so all
/// log lines with this IP address belong to one run of one test.
fn ip_address(engine: Engine, third_byte: u8, fourth_byte: u8) -> String {
    let engine_number = match engine {
        Engine::Sqlite => 1,
        Engine::Postgres => 2,
    };
    Ipv4Addr::new(198, 18 + engine_number, third_byte, fourth_byte).to_string()
}

fn start_app(engine: Engine, cost: &str) -> App {
    App::on(engine)
        .behind_proxy()
        .set("bcrypt-cost", cost)
        .set("max-failed-logins-per-network", "off")
        .start()
}

fn login_request(app: &App, ip_address: &str, email: &str, password: &str) -> Request {
    let request = app.anonymous().post(LOGIN, credentials(email, password));
    request.header("x-forwarded-for", ip_address)
}

/// Counts the log lines that report a login with a wrong email address or password, from IP addresses with this prefix.
fn rejected_login_count(ip_prefix: &str) -> usize {
    log_lines::find(&format!("login refused ip_address=Some({ip_prefix}")).len()
}

/// The state of a load test, in which many clients log in repeatedly at the same time.
#[derive(Default)]
struct Load {
    /// Notified when a client gets a 503 because the queue of the network is full.
    full_queue: Notify,
    /// The number of logins that got a 401.
    rejected_count: Cell<usize>,
    /// Notified when the tenth login gets a 401.
    tenth_rejection: Notify,
    /// Set by the test to stop the clients.
    is_over: Cell<bool>,
}

impl Load {
    fn record_status(&self, status: u16) {
        match status {
            401 => self.rejected_count.set(self.rejected_count.get() + 1),
            503 => self.full_queue.notify_one(),
            _ => {}
        }
        if self.rejected_count.get() == 10 {
            self.tenth_rejection.notify_one();
        }
    }
}

/// Runs one client, which logs in with new email addresses until a response is not 401 or the load is over. Returns the
/// last response.
async fn run_client(
    app: &App,
    ip_address: &str,
    client_number: usize,
    load: &Load,
) -> Option<Response> {
    for attempt in 0.. {
        let email = format!("{client_number}.{attempt}@example.com");
        let response = login_request(app, ip_address, &email, "not the password").await;
        load.record_status(response.status());
        if response.status() != 401 || load.is_over.get() {
            return Some(response);
        }
    }
    None
}

/// Sends a wrong password and then logs in, three times. Returns the largest number of hashes that the server computed
/// for other clients between a wrong password and its response. A login with the right password is not measured,
/// because the server then also writes to the database.
async fn measure_hashes_before_response(
    app: &App,
    ip_address: &str,
    user: &Client,
    busy_ip_prefix: &str,
) -> usize {
    let mut most_hashes = 0;
    for _ in 0..3 {
        let rejected_count_before = rejected_login_count(busy_ip_prefix);
        let response = login_request(app, ip_address, user.email(), "not the password").await;
        most_hashes = most_hashes.max(rejected_login_count(busy_ip_prefix) - rejected_count_before);
        response.problem(401, "INVALID_EMAIL_OR_PASSWORD");
        let response = login_request(app, ip_address, user.email(), user.password()).await;
        response.ok();
    }
    most_hashes
}

async fn during_many_logins_from_one_network_a_login_from_another_network_waits_for_a_few_hashes(
    engine: Engine,
) {
    let app = start_app(engine, BCRYPT_COST);
    let ada = app.user("ada").await;
    let (busy_ip_address, quiet_ip_address) =
        (ip_address(engine, 1, 1), ip_address(engine, 1, 200));
    let load = Load::default();
    let clients = (0..100).map(|number| run_client(&app, &busy_ip_address, number, &load));
    let measurement = async {
        let wait_result = timeout(LOAD_TIMEOUT, load.full_queue.notified()).await;
        wait_result.expect("a full queue in time");
        let most_hashes =
            measure_hashes_before_response(&app, &quiet_ip_address, &ada, &busy_ip_address).await;
        load.is_over.set(true);
        most_hashes
    };
    let (responses, most_hashes) = tokio::join!(join_all(clients), measurement);
    let core_count = available_parallelism().unwrap().get();
    // With a fair queue, the login waits for the running hashes, one per core, and for about one hash of the busy
    // network. The rest of the maximum is a margin.
    assert!(most_hashes <= 4 * core_count + 2, "{most_hashes} hashes");
    let overloaded_response = responses
        .into_iter()
        .flatten()
        .find(|response| response.status() == 503)
        .expect("a login beyond the queue of its network");
    assert!(overloaded_response.header("retry-after").is_some());
    overloaded_response.problem(503, "OVERLOADED");
}

async fn during_many_logins_from_fifty_networks_a_login_from_another_network_waits_for_one_hash_of_each(
    engine: Engine,
) {
    let app = start_app(engine, BCRYPT_COST);
    let ada = app.user("ada").await;
    let quiet_ip_address = ip_address(engine, 3, 200);
    let busy_ip_addresses: Vec<_> = (0..50)
        .map(|number| ip_address(engine, 2, number))
        .collect();
    let busy_ip_prefix = busy_ip_addresses[0].trim_end_matches('0');
    let load = Load::default();
    let clients =
        (0..100).map(|number| run_client(&app, &busy_ip_addresses[number % 50], number, &load));
    let measurement = async {
        let wait_result = timeout(LOAD_TIMEOUT, load.tenth_rejection.notified()).await;
        wait_result.expect("ten rejected logins in time");
        let most_hashes =
            measure_hashes_before_response(&app, &quiet_ip_address, &ada, busy_ip_prefix).await;
        load.is_over.set(true);
        most_hashes
    };
    let (_, most_hashes) = tokio::join!(join_all(clients), measurement);
    let core_count = available_parallelism().unwrap().get();
    assert!(most_hashes <= 53 + 8 * core_count, "{most_hashes} hashes");
}

async fn the_logins_of_disconnected_callers_leave_the_queue(engine: Engine) {
    let app = start_app(engine, "11");
    let ada = app.user("ada").await;
    let caller_ip_address = ip_address(engine, 4, 1);
    let mut connections = Vec::new();
    for number in 0..50 {
        let email = format!("{number}@example.com");
        connections.push(send_wrong_login(&app, &email, &caller_ip_address).await);
    }
    let first_connection: &mut Connection = &mut connections[0];
    first_connection
        .response()
        .await
        .unwrap()
        .problem(401, "INVALID_EMAIL_OR_PASSWORD");
    drop(connections);
    let rejected_count_before = rejected_login_count(&caller_ip_address);
    login_request(&app, &caller_ip_address, ada.email(), ada.password())
        .await
        .ok();
    let hashed_count = rejected_login_count(&caller_ip_address) - rejected_count_before;
    assert!(
        hashed_count < 20,
        "{hashed_count} attempts of disconnected callers were hashed first"
    );
}

async fn the_limits_of_the_queue_are_settings(engine: Engine) {
    let core_count = available_parallelism().unwrap().get();
    for setting in ["max-waiting-hashes", "max-waiting-hashes-per-network"] {
        let options = App::on(engine).set("bcrypt-cost", &slow_bcrypt_cost());
        let app = options.set(setting, "1").start();
        // With the default limits, one login per core is hashed and 56 logins of one network can wait, so the server
        // would reject none of these logins.
        let logins = (0..core_count + 56).map(|number| {
            let body = credentials(&format!("{number}@example.com"), "not the password");
            app.anonymous().post(LOGIN, body).into_future()
        });
        let statuses: Vec<_> = join_all(logins)
            .await
            .iter()
            .map(Response::status)
            .collect();
        assert!(statuses.contains(&401), "{setting}: {statuses:?}");
        assert!(statuses.contains(&503), "{setting}: {statuses:?}");
    }
}

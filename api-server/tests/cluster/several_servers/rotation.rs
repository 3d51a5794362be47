//! Tests that no valid token is rejected and no refresh fails while SIGHUP replaces the secret of two busy servers.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, RwLock};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use auth_core::{Keyring, Secret, TokenVerifier};
use rustix::process::Signal;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::wait_for_other_tests;
use harness::{
    Connection, OTHER_SECRET as NEW_SECRET, Postgres, Program, SECRET as OLD_SECRET, Server,
    TIMEOUT, WorkDir,
};

const CLIENT_COUNT: usize = 4;
/// The lifetime of tokens and sessions: short, because a secret is removed only after its tokens have expired.
const TTL: Duration = Duration::from_secs(5);
/// A client whose newest tokens are older than this time registers again, because they could expire during the next
/// round.
const MAX_PAUSE: Duration = Duration::from_secs(2);

/// Returns a keyring of these secrets: the current secret, then the previous secrets.
fn keyring(secrets: &[&str]) -> Keyring {
    let mut parsed_secrets = secrets.iter().map(|secret| Secret::new(*secret).unwrap());
    Keyring::new(parsed_secrets.next().unwrap()).with_previous(parsed_secrets)
}

/// A service other than the server. The service verifies tokens locally with keys that are derived from the secrets.
struct Service(RwLock<TokenVerifier>);

impl Service {
    fn new(secrets: &[&str]) -> Self {
        Self(RwLock::new(Self::verifier(secrets)))
    }

    fn verifier(secrets: &[&str]) -> TokenVerifier {
        let derived_keyring = keyring(secrets).for_audience("reports").unwrap();
        TokenVerifier::new(derived_keyring, "api-server", "reports").unwrap()
    }

    fn reload(&self, secrets: &[&str]) {
        *self.0.write().unwrap() = Self::verifier(secrets);
    }

    fn assert_accepts(&self, token: &str) {
        let verifier = self.0.read().unwrap();
        verifier.verify(token, SystemTime::now()).unwrap();
    }
}

/// A server process with its own folder.
struct Process {
    work_dir: WorkDir,
    server: Server,
}

impl Process {
    fn start(configure: impl Fn(Program) -> Program, secrets: &[&str]) -> Self {
        let work_dir = WorkDir::new();
        write_dotenv(&work_dir, secrets);
        let ttl = format!("{}s", TTL.as_secs());
        let program = work_dir.program().with_weak_hashing().set_all(&[
            ("ACCESS_TOKEN_TTL", &ttl),
            ("SESSION_TTL", &ttl),
            ("TOKEN_AUDIENCES", "reports"),
        ]);
        let server = configure(program).start();
        Self { work_dir, server }
    }

    /// Starts two servers on one database.
    fn start_two(url: &str, secrets: &[&str]) -> [Self; 2] {
        [(); 2].map(|()| Self::start(|program| program.set("DATABASE_URL", url), secrets))
    }

    fn reload(&self, secrets: &[&str]) {
        write_dotenv(&self.work_dir, secrets);
        self.server.signal(Signal::HUP);
        self.server.log.line(&format!("{:?}", keyring(secrets)));
    }
}

fn write_dotenv(work_dir: &WorkDir, secrets: &[&str]) {
    let (current_secret, previous_secrets) = secrets.split_first().unwrap();
    let previous_list = previous_secrets.join(",");
    let dotenv_text =
        format!("AUTH_SECRET={current_secret}\nAUTH_SECRETS_PREVIOUS={previous_list}\n");
    work_dir.write(".env", dotenv_text);
}

/// A client that refreshes continuously, with each server process in turn.
struct Client {
    connections: Vec<Connection>,
    refresh_token: String,
    /// The access tokens that have not expired, oldest first, each with the time of its receipt.
    access_tokens: VecDeque<(Instant, String)>,
    service: Arc<Service>,
    /// Reports each response to the test.
    progress_sender: Sender<()>,
}

impl Client {
    fn new(processes: &[Process], service: Arc<Service>, progress_sender: Sender<()>) -> Self {
        let connect = |process: &Process| process.server.connect();
        let mut client = Self {
            connections: processes.iter().map(connect).collect(),
            refresh_token: String::new(),
            access_tokens: VecDeque::new(),
            service,
            progress_sender,
        };
        client.register();
        client
    }

    /// Sends a request to the process with this index, asserts the status, and returns the body of the response. Sends
    /// a `GET` request if `body` is null.
    fn request(
        &mut self,
        index: usize,
        path: &str,
        token: &str,
        body: &Value,
        expected_status: u16,
    ) -> Value {
        let method = if body.is_null() { "GET" } else { "POST" };
        let body_unless_null = Some(body).filter(|body| !body.is_null());
        let response = self.connections[index].request(method, path, token, body_unless_null);
        // The receiver exists until all senders are dropped, so sending succeeds.
        let _send_result = self.progress_sender.send(());
        response.expect(expected_status)
    }

    fn register(&mut self) {
        let email = format!("{}@example.com", Uuid::new_v4());
        let body = json!({ "email": email, "password": "correct horse battery staple" });
        let token_response = self.request(0, "/api/auth/register", "", &body, 201);
        self.access_tokens.clear();
        self.store_tokens(&token_response);
    }

    fn store_tokens(&mut self, token_response: &Value) {
        let text_field = |name: &str| token_response[name].as_str().unwrap().to_owned();
        self.refresh_token = text_field("refresh_token");
        self.access_tokens
            .push_back((Instant::now(), text_field("access_token")));
        self.access_tokens
            .retain(|(received_at, _)| received_at.elapsed() < TTL);
    }

    /// Refreshes the tokens in the process with this index. Asserts that every process accepts the oldest and the
    /// newest access token, and that the service accepts a token for which the newest access token is exchanged.
    fn run_round(&mut self, index: usize) {
        let newest_age = self
            .access_tokens
            .back()
            .map(|(received_at, _)| received_at.elapsed());
        if newest_age.is_none_or(|age| age > MAX_PAUSE) {
            self.register();
        }
        let refresh_body = json!({ "refresh_token": self.refresh_token });
        let token_response = self.request(index, "/api/auth/refresh", "", &refresh_body, 200);
        self.store_tokens(&token_response);
        let entries = [self.access_tokens.front(), self.access_tokens.back()];
        let [oldest_token, newest_token] = entries.map(|entry| entry.unwrap().1.clone());
        for token in [&oldest_token, &newest_token] {
            for process_index in 0..self.connections.len() {
                self.request(process_index, "/api/auth/session", token, &Value::Null, 200);
            }
        }
        let audience_body = json!({ "audience": "reports" });
        let response = self.request(index, "/api/auth/token", &newest_token, &audience_body, 200);
        let service_token = response["access_token"].as_str().unwrap();
        self.service.assert_accepts(service_token);
    }
}

/// Waits for this many responses, and at least for this time.
fn wait_for_responses(progress_receiver: &Receiver<()>, response_count: usize, min_time: Duration) {
    let earliest_end = Instant::now() + min_time;
    for _ in 0..response_count {
        progress_receiver.recv_timeout(TIMEOUT).unwrap();
    }
    while Instant::now() < earliest_end {
        progress_receiver.recv_timeout(TIMEOUT).unwrap();
    }
}

/// Replaces the secret once, in three steps that each reload both processes. The order of the processes is
/// reversed from step to step. The service knows both secrets from the start.
fn replace_secret_once(processes: &[Process], _: &Service, progress_receiver: &Receiver<()>) {
    let (first_process, second_process) = (&processes[0], &processes[1]);
    let let_clients_run = || wait_for_responses(progress_receiver, 200, Duration::ZERO);
    let_clients_run();
    for (process, secrets) in [
        (first_process, &[OLD_SECRET, NEW_SECRET]),
        (second_process, &[OLD_SECRET, NEW_SECRET]),
        (second_process, &[NEW_SECRET, OLD_SECRET]),
        (first_process, &[NEW_SECRET, OLD_SECRET]),
    ] {
        process.reload(secrets);
        let_clients_run();
    }
    wait_for_responses(progress_receiver, 0, TTL);
    for process in [first_process, second_process] {
        process.reload(&[NEW_SECRET]);
        let_clients_run();
    }
}

/// The most secrets that are kept besides the old and the new secret of a replacement. The secret is replaced each
/// second, so a secret is kept for about eight seconds after its last token, which is valid for five seconds.
const MAX_OLDER_SECRETS: usize = 7;
const REPLACEMENT_COUNT: usize = 60;

/// Replaces the secret every second. Service and processes receive a new secret before any process signs with it.
fn replace_secret_every_second(
    secrets: &[&str],
    processes: &[Process],
    service: &Service,
    progress_receiver: &Receiver<()>,
) {
    let started_at = Instant::now();
    for (round, old_and_new) in secrets.windows(2).enumerate() {
        let oldest_index = round.saturating_sub(MAX_OLDER_SECRETS);
        let older_secrets = &secrets[oldest_index..round];
        for first_two_secrets in [
            [old_and_new[0], old_and_new[1]],
            [old_and_new[1], old_and_new[0]],
        ] {
            let keyring_secrets = [&first_two_secrets, older_secrets].concat();
            service.reload(&keyring_secrets);
            for process in processes {
                process.reload(&keyring_secrets);
            }
        }
        let next_change_at =
            started_at + Duration::from_secs(1) * u32::try_from(round + 1).unwrap();
        wait_for_responses(
            progress_receiver,
            1,
            next_change_at.saturating_duration_since(Instant::now()),
        );
    }
}

/// Stops the clients when the guard is dropped, also when the test fails.
struct StopOnDrop<'f>(&'f AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn assert_rotation_rejects_no_request(
    processes: &[Process],
    service: Service,
    newest_secret: &str,
    replace_secrets: impl Fn(&[Process], &Service, &Receiver<()>),
) {
    let shared_service = Arc::new(service);
    let (sender, progress_receiver) = channel();
    let clients_must_stop = AtomicBool::new(false);
    let process_count = processes.len();
    thread::scope(|scope| {
        let stop_guard = StopOnDrop(&clients_must_stop);
        let clients: Vec<_> = (0..CLIENT_COUNT)
            .map(|number| {
                let mut client =
                    Client::new(processes, Arc::clone(&shared_service), sender.clone());
                let clients_must_stop = &clients_must_stop;
                scope.spawn(move || {
                    let mut round_numbers = number..;
                    while !clients_must_stop.load(Ordering::Relaxed) {
                        client.run_round(round_numbers.next().unwrap() % process_count);
                    }
                    client.access_tokens.pop_back().unwrap().1
                })
            })
            .collect();
        // From here on only the clients have senders. If all clients fail, the wait for a response fails at once.
        drop(sender);
        replace_secrets(processes, &shared_service, &progress_receiver);
        drop(stop_guard);
        let newest_verifier =
            TokenVerifier::new(keyring(&[newest_secret]), "api-server", "api").unwrap();
        for client in clients {
            let token = client.join().unwrap();
            newest_verifier.verify(&token, SystemTime::now()).unwrap();
        }
    });
}

fn assert_one_rotation_rejects_no_request(url: &str) {
    let service = Service::new(&[NEW_SECRET, OLD_SECRET]);
    assert_rotation_rejects_no_request(
        &Process::start_two(url, &[OLD_SECRET]),
        service,
        NEW_SECRET,
        replace_secret_once,
    );
}

#[test]
fn under_load_a_rotation_rejects_no_request_on_sqlite() {
    let _guard = wait_for_other_tests();
    let work_dir = WorkDir::new();
    let url = format!("sqlite://{}", work_dir.path("auth.db").display());
    assert_one_rotation_rejects_no_request(&url);
}

#[test]
#[ignore = "needs TEST_POSTGRES_URL and --include-ignored (see CONTRIBUTING)"]
fn under_load_a_rotation_rejects_no_request_on_postgres() {
    let _guard = wait_for_other_tests();
    let postgres = Postgres::new();
    let url = postgres.url_with_password("hunter2");
    assert_one_rotation_rejects_no_request(&url);
}

#[test]
#[ignore = "needs TEST_POSTGRES_URL and --include-ignored (see CONTRIBUTING)"]
fn a_rotation_every_second_for_a_minute_rejects_no_request() {
    let _guard = wait_for_other_tests();
    let postgres = Postgres::new();
    let url = postgres.url_with_password("hunter2");
    let secret_texts: Vec<_> = (0..=REPLACEMENT_COUNT)
        .map(|_| Uuid::new_v4().to_string())
        .collect();
    let secrets: Vec<_> = secret_texts.iter().map(String::as_str).collect();
    let service = Service::new(&secrets[..1]);
    assert_rotation_rejects_no_request(
        &Process::start_two(&url, &secrets[..1]),
        service,
        secrets[REPLACEMENT_COUNT],
        |processes, service, progress_receiver| {
            replace_secret_every_second(&secrets, processes, service, progress_receiver);
        },
    );
}

//! Tests that no valid token is rejected while SIGHUP changes two busy servers from the secret to a private key, and
//! from one key to the next. A service requests the published keys only when the next key was added to them.

use std::collections::VecDeque;
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use auth_core::public_key::{Algorithm, KeySet, SigningKey};
use auth_core::{Keyring, Secret, TokenVerifier, VerificationKeys};
use rustix::process::Signal;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::wait_for_other_tests;
use harness::{Connection, Postgres, SECRET, Server, TIMEOUT, WorkDir};

const CLIENT_COUNT: usize = 3;
/// The lifetime of access tokens: short, because a key is withdrawn only after its tokens have expired.
const TTL: Duration = Duration::from_secs(3);
/// The leeway with which a verifier accepts an expired token.
const LEEWAY: Duration = Duration::from_secs(5);

/// The settings of one step: the key that signs, and the keys that are published beside it.
#[derive(Clone, Copy)]
struct Step<'k> {
    signing_key: Option<&'k SigningKey>,
    verifying_keys: &'k [&'k SigningKey],
}

impl Step<'_> {
    /// Writes the key files and `.env`.
    fn write(self, work_dir: &WorkDir) {
        let write_key = |key: &SigningKey| {
            let name = format!("{}.pem", key.public_key().thumbprint());
            work_dir.write_private(&name, key.to_pem().unwrap().as_bytes());
            name
        };
        let signing_file = self.signing_key.map(write_key).unwrap_or_default();
        let verifying_files: Vec<_> = self
            .verifying_keys
            .iter()
            .map(|key| write_key(key))
            .collect();
        let text = format!(
            "AUTH_SECRET={SECRET}\nAUTH_SIGNING_KEY={signing_file}\nAUTH_VERIFYING_KEYS={}\n",
            verifying_files.join(",")
        );
        work_dir.write(".env", text);
    }

    /// The ids of the published keys, as the log lists them.
    fn log_part(self) -> String {
        let keys = self
            .signing_key
            .into_iter()
            .chain(self.verifying_keys.iter().copied());
        let ids: Vec<_> = keys
            .map(|key| key.public_key().key_id().to_owned())
            .collect();
        match self.signing_key {
            Some(key) => format!(
                "{} signs access tokens; public keys: {ids:?}",
                key.algorithm()
            ),
            None => format!("none of which signs: {ids:?}"),
        }
    }
}

/// A server process with its own folder.
struct Process {
    work_dir: WorkDir,
    server: Server,
}

impl Process {
    fn start(url: &str) -> Self {
        let work_dir = WorkDir::new();
        let step = Step {
            signing_key: None,
            verifying_keys: &[],
        };
        step.write(&work_dir);
        let program = work_dir.program().with_weak_hashing().set_all(&[
            ("DATABASE_URL", url),
            ("ACCESS_TOKEN_TTL", &format!("{}s", TTL.as_secs())),
            ("EMAIL_VERIFICATION", "off"),
        ]);
        let server = program.start();
        Self { work_dir, server }
    }

    fn reload(&self, step: Step<'_>) {
        step.write(&self.work_dir);
        self.server.signal(Signal::HUP);
        self.server.log.line(&step.log_part());
    }
}

/// A service that verifies tokens with the secret, which it knows from before, and with the published keys.
struct Service(RwLock<TokenVerifier>);

impl Service {
    fn with_the_secret() -> Self {
        Self(RwLock::new(Self::verifier(Self::keyring().into())))
    }

    fn keyring() -> Keyring {
        Keyring::new(Secret::new(SECRET).unwrap())
    }

    fn verifier(keys: VerificationKeys) -> TokenVerifier {
        TokenVerifier::new(keys, "api-server", "api").unwrap()
    }

    /// Requests the published keys, as a service does every five minutes.
    fn request_keys(&self, process: &Process) {
        let response = process.server.get("/.well-known/jwks.json", "");
        assert_eq!(response.status, 200, "{}", response.body);
        let keys = KeySet::from_jwks(response.body.as_bytes()).unwrap();
        let keys = VerificationKeys::from(keys).with_secrets(Self::keyring());
        *self.0.write().unwrap() = Self::verifier(keys);
    }

    fn assert_accepts(&self, token: &str) {
        let verifier = self.0.read().unwrap();
        verifier.verify(token, SystemTime::now()).unwrap();
    }
}

/// A client that refreshes continuously, with each process in turn, and keeps each access token until it expires.
struct Client<'s> {
    connections: Vec<Connection>,
    service: &'s Service,
    refresh_token: String,
    access_tokens: VecDeque<(Instant, String)>,
    /// Reports each round to the test.
    progress_sender: Sender<()>,
}

impl<'s> Client<'s> {
    fn new(processes: &[Process], service: &'s Service, progress_sender: Sender<()>) -> Self {
        let connect = |process: &Process| process.server.connect();
        let mut client = Self {
            connections: processes.iter().map(connect).collect(),
            service,
            refresh_token: String::new(),
            access_tokens: VecDeque::new(),
            progress_sender,
        };
        let email = format!("{}@example.com", Uuid::new_v4());
        let body = json!({ "email": email, "password": "correct horse battery staple" });
        client.request_tokens(0, "/api/auth/register", &body, 201);
        client
    }

    fn request_tokens(&mut self, index: usize, path: &str, body: &Value, status: u16) {
        let received_at = Instant::now();
        let response = self.connections[index].request("POST", path, "", Some(body));
        let tokens = response.expect(status);
        let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
        self.refresh_token = text("refresh_token");
        self.access_tokens
            .push_back((received_at, text("access_token")));
        // `exp` is in whole seconds, so a token may expire a second earlier.
        let max_age = (TTL + LEEWAY).saturating_sub(Duration::from_secs(1));
        self.access_tokens
            .retain(|(received_at, _)| received_at.elapsed() < max_age);
    }

    /// Refreshes in the process with this index. Asserts that every process accepts the oldest and the newest token,
    /// and the service the newest one.
    fn run_round(&mut self, index: usize) {
        let body = json!({ "refresh_token": self.refresh_token });
        self.request_tokens(index, "/api/auth/refresh", &body, 200);
        let ends = [self.access_tokens.front(), self.access_tokens.back()];
        let tokens = ends.map(|entry| entry.unwrap().clone());
        for connection in &mut self.connections {
            for (received_at, token) in &tokens {
                let response = connection.request("GET", "/api/auth/session", token, None);
                let age = received_at.elapsed();
                // On a slow machine a token may expire during the round.
                if age < (TTL + LEEWAY).saturating_sub(Duration::from_secs(1)) {
                    assert_eq!(response.status, 200, "{age:?}: {}", response.body);
                }
            }
        }
        self.service.assert_accepts(&tokens[1].1);
        // The receiver exists until all senders are dropped.
        let _send_result = self.progress_sender.send(());
    }
}

/// Waits for this many rounds, and at least for this time.
fn wait_for_rounds(progress: &Receiver<()>, count: usize, min_time: Duration) {
    let earliest_end = Instant::now() + min_time;
    for _ in 0..count {
        progress.recv_timeout(TIMEOUT).unwrap();
    }
    while Instant::now() < earliest_end {
        progress.recv_timeout(TIMEOUT).unwrap();
    }
}

/// Runs clients while `change` changes the keys. Returns the newest access token of each client.
fn run_clients(
    processes: &[Process],
    service: &Service,
    change: impl FnOnce(&Receiver<()>),
) -> Vec<String> {
    let (sender, progress) = channel();
    let must_stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let stop_guard = StopOnDrop(&must_stop);
        let start = |number| {
            let mut client = Client::new(processes, service, sender.clone());
            let must_stop = &must_stop;
            scope.spawn(move || {
                let mut rounds = number..;
                while !must_stop.load(Ordering::Relaxed) {
                    client.run_round(rounds.next().unwrap() % client.connections.len());
                }
                client.access_tokens.pop_back().unwrap().1
            })
        };
        let clients: Vec<_> = (0..CLIENT_COUNT).map(start).collect();
        drop(sender);
        change(&progress);
        drop(stop_guard);
        let tokens = clients.into_iter().map(|client| client.join().unwrap());
        tokens.collect()
    })
}

/// Stops the clients when the guard is dropped, also when the test fails.
struct StopOnDrop<'f>(&'f AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn step<'k>(signing_key: Option<&'k SigningKey>, verifying_keys: &'k [&'k SigningKey]) -> Step<'k> {
    Step {
        signing_key,
        verifying_keys,
    }
}

/// Reloads the processes one after the other, and lets the clients run after each.
fn reload_each(processes: &[Process], progress: &Receiver<()>, step: Step<'_>) {
    for process in processes {
        process.reload(step);
        wait_for_rounds(progress, 30, Duration::ZERO);
    }
}

fn verifier_of(key: &SigningKey) -> TokenVerifier {
    let keys = KeySet::new([key.public_key().clone()]).unwrap();
    TokenVerifier::new(keys, "api-server", "api").unwrap()
}

/// The two changes of the guide: from the secret to a key, then from that key to another. Each has three steps.
fn assert_changes_reject_no_request(url: &str) {
    let processes = [(); 2].map(|()| Process::start(url));
    let first_key = SigningKey::generate(Algorithm::Es256).unwrap();
    let second_key = SigningKey::generate(Algorithm::EdDsa).unwrap();
    let service = Service::with_the_secret();
    let newest_tokens = run_clients(&processes, &service, |progress| {
        wait_for_rounds(progress, 30, Duration::ZERO);
        reload_each(&processes, progress, step(None, &[&first_key]));
        service.request_keys(&processes[0]);
        reload_each(&processes, progress, step(Some(&first_key), &[]));
        wait_for_rounds(progress, 0, TTL + LEEWAY);
        reload_each(&processes, progress, step(Some(&first_key), &[&second_key]));
        service.request_keys(&processes[1]);
        reload_each(&processes, progress, step(Some(&second_key), &[&first_key]));
        wait_for_rounds(progress, 0, TTL + LEEWAY);
        reload_each(&processes, progress, step(Some(&second_key), &[]));
    });
    for token in newest_tokens {
        let claims = verifier_of(&second_key).verify(&token, SystemTime::now());
        assert!(claims.is_ok(), "{claims:?}");
    }
}

#[test]
fn under_load_a_change_of_keys_rejects_no_request_on_sqlite() {
    let _guard = wait_for_other_tests();
    let work_dir = WorkDir::new();
    let url = format!("sqlite://{}", work_dir.path("auth.db").display());
    assert_changes_reject_no_request(&url);
}

#[test]
#[ignore = "needs TEST_POSTGRES_URL and --include-ignored (see CONTRIBUTING)"]
fn under_load_a_change_of_keys_rejects_no_request_on_postgres() {
    let _guard = wait_for_other_tests();
    let postgres = Postgres::new();
    assert_changes_reject_no_request(&postgres.url_with_password("hunter2"));
}

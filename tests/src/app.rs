//! Runs the servers of a test in this process, each on a port of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use api_server::server::Server;
use serde_json::{Value, json};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use crate::client::{Client, Identity};
use crate::{Connection, Database, Engine, Issuer, Metrics, Options, TestClock};

/// The end of the password of every user whom [`App::user`] registers.
const PASSWORD_END: &str = "correct horse battery staple";

/// A running server. Dropping this value stops the server. Dropping the last server on a database removes the database.
pub struct App {
    /// The server's clock.
    pub clock: TestClock,
    addr: SocketAddr,
    metrics_addr: Option<SocketAddr>,
    secret: String,
    _thread: ServerThread,
    database: Arc<Database>,
}

impl App {
    pub(crate) fn new(
        server: Server,
        clock: TestClock,
        secret: String,
        database: Arc<Database>,
    ) -> Self {
        Self {
            clock,
            addr: server.addr(),
            metrics_addr: server.metrics_addr(),
            secret,
            _thread: ServerThread::new(server),
            database,
        }
    }

    /// Returns the options of a server on a new database of this engine.
    #[must_use]
    pub fn on(engine: Engine) -> Options {
        Options::new(Database::new(engine))
    }

    /// Returns the options of another server with the database, the secret and the clock of this server. The servers
    /// share nothing else, as if they ran in different processes.
    #[must_use]
    pub fn another_process(&self) -> Options {
        Options::for_shared_database(Arc::clone(&self.database), self.clock.clone())
            .set("auth-secret", &self.secret)
    }

    /// The socket address on which the server listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The server's database.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The server's `AUTH_SECRET`.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// Returns a caller without credentials.
    #[must_use]
    pub fn anonymous(&self) -> Client {
        Client::new(self.addr, Identity::default())
    }

    /// The socket address of the metrics; `None` without [`Options::with_metrics`].
    #[must_use]
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics_addr
    }

    /// Returns a caller whose requests go to the address of the metrics.
    #[must_use]
    pub fn metrics_caller(&self) -> Client {
        let addr = self.metrics_addr.expect("Options::with_metrics");
        Client::new(addr, Identity::default())
    }

    /// Reads the metrics.
    pub async fn metrics(&self) -> Metrics {
        let response = self.metrics_caller().get("/metrics").await;
        Metrics::parse(&response.assert_status(200).text())
    }

    /// Registers a user with this name, and returns a caller with the access token of the user.
    pub async fn user(&self, name: &str) -> Client {
        let email = format!("{name}@example.com");
        let password = format!("{name}: {PASSWORD_END}");
        let body = json!({ "email": email, "password": password, "name": name });
        let response = self.anonymous().post("/api/auth/register", body).await;
        let token_response = response.created();
        let to_text = |value: &Value| value.as_str().unwrap().to_owned();
        Client::new(
            self.addr,
            Identity {
                id: to_text(&token_response["user"]["id"]),
                email,
                password,
                token: Some(to_text(&token_response["access_token"])),
            },
        )
    }

    /// Logs the user in again, for example because the tokens have become stale. Returns a caller with the new token.
    pub async fn login_again(&self, user: &Client) -> Client {
        self.login_at(user, user.email()).await
    }

    /// Logs the user in with this email address, for example the new one after a change. Returns a caller with the new
    /// token.
    pub async fn login_at(&self, user: &Client, email: &str) -> Client {
        let body = json!({ "email": email, "password": user.password() });
        let token_response = self.anonymous().post("/api/auth/login", body).await.ok();
        let token = token_response["access_token"].as_str().unwrap();
        let caller = self.bearer(token).with_login(email, user.password());
        caller.with_id(user.id())
    }

    /// Returns a caller whose only credential is this token.
    #[must_use]
    pub fn bearer(&self, token: impl Into<String>) -> Client {
        let identity = Identity {
            token: Some(token.into()),
            ..Identity::default()
        };
        Client::new(self.addr, identity)
    }

    /// Issues a token for a user, as another service with the server's secret would.
    #[must_use]
    pub fn token_for(&self, user_id: &str, email: &str) -> String {
        Issuer::of(self).issue(user_id, email)
    }

    /// Stops the server, and returns the server's database. Panics if another server uses the database.
    #[must_use]
    pub fn stop(self) -> Database {
        let Self {
            _thread: thread,
            database,
            ..
        } = self;
        drop(thread);
        Arc::into_inner(database).expect("no other process runs")
    }

    /// Opens a connection to the server, on which a test may send any bytes.
    pub async fn connect(&self) -> Connection {
        Connection::open(self.addr).await
    }
}

/// The thread that runs the server. Dropping this value stops the server.
struct ServerThread {
    stop_sender: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ServerThread {
    fn new(server: Server) -> Self {
        let (stop_sender, stop_receiver) = oneshot::channel();
        let thread = thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let stopper = server.stopper();
                let run = server.run();
                let stop_when_dropped = async {
                    let _sender_dropped = stop_receiver.await;
                    stopper.stop().await;
                };
                let (result, ()) = tokio::join!(run, stop_when_dropped);
                result.unwrap();
            });
        });
        Self {
            stop_sender: Some(stop_sender),
            thread: Some(thread),
        }
    }
}

impl Drop for ServerThread {
    fn drop(&mut self) {
        drop(self.stop_sender.take());
        let join_result = self.thread.take().map(JoinHandle::join);
        // If the test has failed already, a failure of the server is ignored: a second panic would abort all tests.
        assert!(!matches!(join_result, Some(Err(_))) || thread::panicking());
    }
}

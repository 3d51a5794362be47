//! A database server that is unreachable or silent: 503 in time, other routes unaffected, and recovery
//! without a restart.

use std::time::{Duration, Instant};

use e2e::{App, Client, Database, Engine, Options, Proxy, on_postgres};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{assert_the_rest_works, in_time, requests};

on_postgres! {
    an_unreachable_database_is_503_until_it_returns,
    a_silent_database_is_503_until_it_responds,
    a_restarted_database_is_noticed,
    a_server_starts_only_with_its_database,
}

/// Long enough on any machine; it bounds a wait that would otherwise never end.
const RECOVERY: Duration = Duration::from_secs(30);

/// Dropped first: a server that still waits for its database would not stop.
struct Fixture {
    proxy: Proxy,
    _app: App,
    ada: Client,
    tasks: Value,
}

async fn fixture(engine: Engine) -> Fixture {
    let database = Database::new(engine);
    let proxy = Proxy::before(&database);
    let url = proxy.url(&database);
    let app = Options::new(database).set("database-url", &url).start();
    let ada = app.user("ada").await;
    ada.new_task("Buy milk").await;
    let tasks = ada.all_tasks().await;
    Fixture {
        _app: app,
        proxy,
        ada,
        tasks,
    }
}

impl Fixture {
    fn address(&self) -> String {
        self.ada.task(&self.tasks[0]["id"])
    }

    /// Asserts that every route that needs the database is 503 in time; there are more requests than connections.
    async fn assert_down(&self) {
        let requests = requests(&self.ada, &self.address()).into_iter();
        for response in join_all(requests.map(in_time)).await {
            response.problem(503, "DATABASE_UNAVAILABLE");
        }
        assert_the_rest_works(&self.ada).await;
    }

    /// Waits until the server recovers; until then every response asks the caller to retry.
    async fn assert_recovers(&self) {
        let since = Instant::now();
        loop {
            let response = in_time(self.ada.get("/readyz")).await;
            if response.status() == 200 {
                break;
            }
            response.problem(503, "DATABASE_UNAVAILABLE");
            assert!(since.elapsed() < RECOVERY, "it does not recover");
        }
        self.assert_settles().await;
        for request in requests(&self.ada, &self.address()) {
            let status = request.await.status();
            assert!(matches!(status, 200 | 201), "{status}");
        }
    }

    /// Connections that were lost silently are detected, each only once.
    async fn assert_settles(&self) {
        let since = Instant::now();
        loop {
            let lists = (0..8).map(|_| self.ada.get("/api/tasks").into_future());
            let mut settled = true;
            for response in join_all(lists).await {
                if response.status() == 200 {
                    assert_eq!(response.ok(), self.tasks);
                } else {
                    settled = false;
                    response.problem(503, "DATABASE_UNAVAILABLE");
                }
            }
            if settled {
                return;
            }
            assert!(since.elapsed() < RECOVERY, "it does not settle");
        }
    }
}

async fn an_unreachable_database_is_503_until_it_returns(engine: Engine) {
    let fixture = fixture(engine).await;
    for _ in 0..2 {
        fixture.proxy.cut();
        fixture.assert_down().await;
        fixture.proxy.mend();
        fixture.assert_settles().await;
    }
    fixture.assert_recovers().await;
}

async fn a_silent_database_is_503_until_it_responds(engine: Engine) {
    let fixture = fixture(engine).await;
    fixture.proxy.silence();
    fixture.assert_reading_is_down().await;
    fixture.proxy.mend();
    fixture.assert_recovers().await;
}

impl Fixture {
    /// Only requests that change nothing, because delayed statements still reach the database when it recovers.
    async fn assert_reading_is_down(&self) {
        let tasks = self.ada.tasks();
        let reads = ["/readyz", "/api/auth/account", &tasks, "/api/tasks?q=milk"];
        for _ in 0..2 {
            let requests = reads.iter().chain(&reads).map(|path| self.ada.get(path));
            for response in join_all(requests.map(in_time)).await {
                response.problem(503, "DATABASE_UNAVAILABLE");
            }
            assert_the_rest_works(&self.ada).await;
        }
    }
}

async fn a_restarted_database_is_noticed(app: App) {
    let ada = app.user("ada").await;
    // As many requests as the pool has connections.
    let reads = (0..8).map(|_| ada.get("/api/tasks").into_future());
    for response in join_all(reads).await {
        response.ok();
    }
    app.database().execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    let mut refused = 0;
    for _ in 0..8 {
        let response = in_time(ada.post("/api/tasks", json!({ "title": "Buy milk" }))).await;
        if response.status() != 201 {
            refused += 1;
            response.problem(503, "DATABASE_UNAVAILABLE");
        }
    }
    let written = 8 - refused;
    // A thread that did not write detects the loss when it reads.
    let tasks = loop {
        let response = in_time(ada.get("/api/tasks")).await;
        if response.status() == 200 {
            break response.ok();
        }
        refused += 1;
        response.problem(503, "DATABASE_UNAVAILABLE");
        assert!(refused <= 4, "{refused}");
    };
    // Each lost connection fails at most one request.
    assert!(refused <= 4, "{refused}");
    assert_eq!(tasks.as_array().unwrap().len(), written);
}

async fn a_server_starts_only_with_its_database(engine: Engine) {
    let database = Database::new(engine);
    let proxy = Proxy::before(&database);
    proxy.cut();
    let url = proxy.url(&database);
    let options = Options::new(database).set("database-url", &url);
    let error = options.try_start().err().unwrap().to_string();
    assert!(
        error.starts_with("cannot prepare postgres://127.0.0.1:"),
        "{error}"
    );
}

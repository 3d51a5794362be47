//! Tests a server whose database is unreachable or does not respond. Requests that need the database get a 503 within a
//! time limit, other requests are unaffected, and the server recovers without a restart.

use std::time::{Duration, Instant};

use e2e::{App, Client, Database, Engine, Options, Proxy, on_postgres};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{assert_database_free_routes_respond, database_requests, send_within_max_time};

on_postgres! {
    an_unreachable_database_is_503_until_it_returns,
    a_silent_database_is_503_until_it_responds,
    a_restart_of_the_database_fails_at_most_one_request_per_connection,
    a_server_with_an_unreachable_database_does_not_start,
}

/// The longest time that a test waits for the server to recover.
const MAX_RECOVERY_TIME: Duration = Duration::from_secs(30);

/// A server that reaches its database through a proxy, and a user of this server.
struct Fixture {
    proxy: Proxy,
    _app: App,
    ada: Client,
    /// The JSON list of Ada's tasks.
    tasks: Value,
}

async fn start_fixture(engine: Engine) -> Fixture {
    let database = Database::new(engine);
    let proxy = Proxy::for_database(&database);
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
    fn task_path(&self) -> String {
        self.ada.task(&self.tasks[0]["id"])
    }

    /// Asserts that requests that need the database get a 503 within the time limit. Sends more requests in parallel
    /// than the server has connections to the database.
    async fn assert_unavailable(&self) {
        let requests = database_requests(&self.ada, &self.task_path()).into_iter();
        for response in join_all(requests.map(send_within_max_time)).await {
            response.problem(503, "DATABASE_UNAVAILABLE");
        }
        assert_database_free_routes_respond(&self.ada).await;
    }

    /// Waits until `/readyz` and then eight parallel reads succeed; a response before that must be a success or a 503.
    /// Then asserts that all requests that need the database succeed.
    async fn assert_recovers(&self) {
        let started = Instant::now();
        loop {
            let response = send_within_max_time(self.ada.get("/readyz")).await;
            if response.status() == 200 {
                break;
            }
            response.problem(503, "DATABASE_UNAVAILABLE");
            assert!(
                started.elapsed() < MAX_RECOVERY_TIME,
                "the server does not recover"
            );
        }
        self.wait_until_parallel_reads_succeed().await;
        for request in database_requests(&self.ada, &self.task_path()) {
            let status = request.await.status();
            assert!(matches!(status, 200 | 201), "{status}");
        }
    }

    /// Waits until eight parallel reads succeed; a read that fails must get a 503. Reads can still fail after an
    /// outage, because the server may detect a lost connection to the database only when a request on it fails.
    async fn wait_until_parallel_reads_succeed(&self) {
        let started = Instant::now();
        loop {
            let list_requests = (0..8).map(|_| self.ada.get("/api/tasks").into_future());
            let mut all_succeeded = true;
            for response in join_all(list_requests).await {
                if response.status() == 200 {
                    assert_eq!(response.ok(), self.tasks);
                } else {
                    all_succeeded = false;
                    response.problem(503, "DATABASE_UNAVAILABLE");
                }
            }
            if all_succeeded {
                return;
            }
            assert!(
                started.elapsed() < MAX_RECOVERY_TIME,
                "parallel reads still fail"
            );
        }
    }
}

async fn an_unreachable_database_is_503_until_it_returns(engine: Engine) {
    let fixture = start_fixture(engine).await;
    for _ in 0..2 {
        fixture.proxy.cut();
        fixture.assert_unavailable().await;
        fixture.proxy.resume();
        fixture.wait_until_parallel_reads_succeed().await;
    }
    fixture.assert_recovers().await;
}

async fn a_silent_database_is_503_until_it_responds(engine: Engine) {
    let fixture = start_fixture(engine).await;
    fixture.proxy.silence();
    fixture.assert_reads_are_unavailable().await;
    fixture.proxy.resume();
    fixture.assert_recovers().await;
}

impl Fixture {
    /// Asserts that reads get a 503. Sends no writes, because the database might execute them later, when the proxy
    /// forwards bytes again.
    async fn assert_reads_are_unavailable(&self) {
        let task_list_path = self.ada.tasks();
        let read_paths = [
            "/readyz",
            "/api/auth/account",
            &task_list_path,
            "/api/tasks?q=milk",
        ];
        for _ in 0..2 {
            let requests = read_paths
                .iter()
                .chain(&read_paths)
                .map(|path| self.ada.get(path));
            for response in join_all(requests.map(send_within_max_time)).await {
                response.problem(503, "DATABASE_UNAVAILABLE");
            }
            assert_database_free_routes_respond(&self.ada).await;
        }
    }
}

async fn a_restart_of_the_database_fails_at_most_one_request_per_connection(app: App) {
    let ada = app.user("ada").await;
    // Sends more requests in parallel than the pool has connections, so that several connections are open before the
    // restart. Requests to `/readyz` run in parallel, because no limit per account applies to them.
    let readiness_requests = (0..8).map(|_| ada.get("/readyz").into_future());
    for response in join_all(readiness_requests).await {
        response.ok();
    }
    app.database().execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    let mut failed_count = 0;
    for _ in 0..8 {
        let response =
            send_within_max_time(ada.post("/api/tasks", json!({ "title": "Buy milk" }))).await;
        if response.status() != 201 {
            failed_count += 1;
            response.problem(503, "DATABASE_UNAVAILABLE");
        }
    }
    let written_count = 8 - failed_count;
    // A database thread that ran no write after the restart may detect only now that its connection is lost.
    let tasks = loop {
        let response = send_within_max_time(ada.get("/api/tasks")).await;
        if response.status() == 200 {
            break response.ok();
        }
        failed_count += 1;
        response.problem(503, "DATABASE_UNAVAILABLE");
        assert!(failed_count <= 4, "{failed_count}");
    };
    // The pool has 4 connections, and each lost connection makes at most one request fail.
    assert!(failed_count <= 4, "{failed_count}");
    assert_eq!(tasks.as_array().unwrap().len(), written_count);
}

async fn a_server_with_an_unreachable_database_does_not_start(engine: Engine) {
    let database = Database::new(engine);
    let proxy = Proxy::for_database(&database);
    proxy.cut();
    let url = proxy.url(&database);
    let options = Options::new(database).set("database-url", &url);
    let error = options.try_start().err().unwrap().to_string();
    assert!(
        error.starts_with("cannot prepare postgres://127.0.0.1:"),
        "{error}"
    );
}

//! Tests that no reader of the feed misses a revocation, even if transactions on PostgreSQL commit in another order
//! than they insert their revocations.

use std::sync::Arc;
use std::thread;

use e2e::{App, DatabaseSession, Engine, Options, on_postgres};
use futures_util::future::join_all;
use serde_json::json;
use tokio::task::{LocalSet, spawn_local};

use super::follower::{EarlierServer, Service};
use super::store::insert_revocation;
use crate::auth::logout::{assert_logged_out, by_access};
use crate::sessions::fixtures::{Device, count, login, user_with_device, wait_until};

on_postgres! {
    every_reader_gets_revocations_in_the_order_of_their_commits,
    no_reader_misses_a_revocation_of_this_or_an_earlier_release,
    a_server_that_stops_leaves_no_revocation_without_a_number,
    a_command_leaves_no_revocation_without_a_number,
}

const UNNUMBERED: &str = "revocations WHERE sequence < 0";

/// Makes PostgreSQL run `statement` when a transaction that has inserted a revocation commits.
fn run_at_commit(app: &App, statement: &str) {
    app.database().execute(&format!(
        "CREATE FUNCTION at_commit() RETURNS trigger AS $$ BEGIN {statement}; RETURN NULL; END $$ LANGUAGE plpgsql; \
         CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON revocations DEFERRABLE INITIALLY DEFERRED \
             FOR EACH ROW EXECUTE FUNCTION at_commit()"
    ));
}

/// A database session with locks that delay the commits of logouts until a test releases them.
struct Gate(DatabaseSession);

impl Gate {
    fn new(app: &App) -> Self {
        run_at_commit(
            app,
            "PERFORM pg_advisory_xact_lock_shared(hashtextextended(NEW.session_id, 1))",
        );
        Self(app.database().open_session())
    }

    fn call(&mut self, function: &str, device: &Device) {
        let id = &device.session;
        let query = format!("SELECT {function}(hashtextextended('{id}', 1))");
        self.0.value(&query);
    }

    fn close_for(&mut self, device: &Device) {
        self.call("pg_advisory_lock", device);
    }

    fn open_for(&mut self, device: &Device) {
        self.call("pg_advisory_unlock", device);
    }

    /// Returns how many transactions the gate delays at their commit.
    fn waiting_count(app: &App) -> u64 {
        let other_commits = "pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock' AND NOT granted \
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        count(app, other_commits)
    }
}

async fn every_reader_gets_revocations_in_the_order_of_their_commits(process_a: App) {
    let process_b = process_a.another_process().start();
    let (ada, _) = user_with_device(&process_a, "ada").await;
    let mut gate = Gate::new(&process_a);
    let mut services = [Service::of(&process_a).await, Service::of(&process_b).await];
    let mut earlier_server = EarlierServer::of(&process_a);
    let mut committed_ids = Vec::new();
    let test = async {
        for commit_order in [[3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1], [0, 3, 1, 2]] {
            let mut waiting_logouts = Vec::new();
            for number in 0..commit_order.len() {
                let app = [&process_a, &process_b][number % 2];
                let device = login(app, &ada).await;
                gate.close_for(&device);
                let logout = by_access(app, &device, json!({})).into_future();
                waiting_logouts.push(Some((device, spawn_local(logout))));
                wait_until("the logout waits for its commit", async || {
                    Gate::waiting_count(&process_a) == waiting_logouts.len() as u64
                })
                .await;
            }
            for number in commit_order {
                let (device, logout) = waiting_logouts[number].take().unwrap();
                gate.open_for(&device);
                assert_logged_out(logout.await.unwrap(), 1);
                committed_ids.push(device.session);
                for service in &mut services {
                    service.poll().await;
                    assert_eq!(service.session_ids, committed_ids);
                }
                earlier_server.poll();
                assert_eq!(earlier_server.session_ids, committed_ids);
            }
        }
    };
    LocalSet::new().run_until(test).await;
}

/// Starts a thread that inserts revocations of these sessions, as a server of an earlier release does.
fn end_as_earlier_release(app: &App, ids: Vec<String>) -> thread::JoinHandle<()> {
    let mut database = app.database().open_session();
    thread::spawn(move || {
        for id in ids {
            database.execute("BEGIN");
            insert_revocation(&mut database, &id);
            database.execute("COMMIT");
        }
    })
}

async fn no_reader_misses_a_revocation_of_this_or_an_earlier_release(process_a: App) {
    let process_b = process_a.another_process().start();
    let apps = [&process_a, &process_b];
    let (ada, _) = user_with_device(&process_a, "ada").await;
    let mut devices = Vec::new();
    for _ in 0..30 {
        devices.push(login(&process_a, &ada).await);
    }
    run_at_commit(&process_a, "PERFORM pg_sleep(random() / 20)");
    let mut services = [Service::of(&process_a).await, Service::of(&process_b).await];
    let mut earlier_server = EarlierServer::of(&process_a);

    let earlier_ids: Vec<String> = (0..20).map(|number| format!("earlier {number}")).collect();
    let earlier_writers: Vec<_> = earlier_ids
        .chunks(10)
        .map(|ids| end_as_earlier_release(&process_a, ids.to_vec()))
        .collect();
    let logouts = devices.chunks(5).enumerate().map(|(number, devices)| {
        let app = apps[number % 2];
        async move {
            for device in devices {
                assert_logged_out(by_access(app, device, json!({})).await, 1);
            }
        }
    });
    let logouts = join_all(logouts);
    tokio::pin!(logouts);
    let mut has_ended = false;
    while !has_ended || !earlier_writers.iter().all(thread::JoinHandle::is_finished) {
        for service in &mut services {
            tokio::select! {
                biased;
                _ = &mut logouts, if !has_ended => has_ended = true,
                () = service.poll() => {}
            }
        }
        earlier_server.poll();
    }
    for writer in earlier_writers {
        writer.join().unwrap();
    }
    let mut expected_ids = earlier_ids;
    expected_ids.extend(devices.iter().map(|device| device.session.clone()));
    expected_ids.sort_unstable();
    for service in &mut services {
        service.poll().await;
        service.session_ids.sort_unstable();
        // A service gets a revocation twice if the revocation had no number the first time.
        service.session_ids.dedup();
        assert_eq!(service.session_ids, expected_ids);
    }
    earlier_server.poll();
    earlier_server.session_ids.sort_unstable();
    assert_eq!(earlier_server.session_ids, expected_ids);
}

async fn a_server_that_stops_leaves_no_revocation_without_a_number(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    for device in [device, login(&app, &ada).await] {
        assert_logged_out(by_access(&app, &device, json!({})).await, 1);
    }
    let database = app.stop();
    let unnumbered_count = database.value(&format!("SELECT count(*) FROM {UNNUMBERED}"));
    assert_eq!(unnumbered_count.unwrap(), "0");
    let newest = database.value("SELECT last FROM revocation_sequence");
    assert_eq!(newest.unwrap(), "3");
}

async fn a_command_leaves_no_revocation_without_a_number(engine: Engine) {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    let database = Arc::new(app.stop());
    let command = ["users", "roles", ada.email(), "--add", "admin"];
    assert!(
        Options::new(Arc::clone(&database))
            .run_command(&command)
            .await
    );
    let number = database.value("SELECT sequence FROM revocations");
    assert_eq!(number.unwrap(), "1");
}

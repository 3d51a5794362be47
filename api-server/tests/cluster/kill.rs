//! Acknowledged changes survive a kill at any moment: accounts, tasks, refreshed and revoked sessions.

use std::convert::Infallible;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use uuid::Uuid;

use crate::clients::{Client, CountingConnection, Stopped};
use crate::{on_postgres, on_sqlite, run_alone};
use harness::{Postgres, Program, Server, WorkDir};

const KILLS: usize = 20;
const WRITERS: usize = 4;

/// Sends requests until the server has stopped: for new users, and for `old`, a client that existed before the server
/// was killed the last time.
fn send_until_stopped(
    server: &Server,
    acknowledged: &Sender<()>,
    old: Option<Client>,
) -> Vec<Client> {
    let mut clients: Vec<_> = old.into_iter().collect();
    let mut send = || -> Result<Infallible, Stopped> {
        let mut connection = CountingConnection::to(server, acknowledged.clone())?;
        loop {
            clients.push(Client::register(&mut connection)?);
            for round in 0..3 {
                if let Some(old) = clients.first_mut().filter(|old| old.is_logged_in()) {
                    old.refresh(&mut connection)?;
                }
                let new = clients.last_mut().ok_or(Stopped)?;
                new.add_task(&mut connection)?;
                if round > 0 {
                    new.refresh(&mut connection)?;
                }
            }
            if clients.len().is_multiple_of(2) {
                clients
                    .last_mut()
                    .ok_or(Stopped)?
                    .log_out(&mut connection)?;
            }
        }
    };
    let Err(Stopped) = send();
    clients
}

/// Kills the server after `writes` acknowledged writes of busy clients; returns the clients.
fn kill_under_load(server: &Server, writes: usize, old: Vec<Client>) -> Vec<Client> {
    let (acknowledged, count) = channel();
    let mut old = old.into_iter();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WRITERS)
            .map(|_| {
                let (acknowledged, old) = (acknowledged.clone(), old.next());
                scope.spawn(move || send_until_stopped(server, &acknowledged, old))
            })
            .collect();
        drop(acknowledged);
        assert_eq!(count.iter().take(writes).count(), writes);
        server.kill();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    })
}

fn assert_no_acknowledged_change_is_lost(program: impl Fn() -> Program) {
    let mut all_clients: Vec<Client> = Vec::new();
    let mut server = program().start();
    for _ in 0..KILLS {
        let writes = 5 + usize::from(Uuid::new_v4().as_bytes()[0]) / 2;
        let logged_in = all_clients.extract_if(.., |client| client.is_logged_in());
        let old = logged_in.take(WRITERS).collect();
        let mut clients = kill_under_load(&server, writes, old);
        server = program().start();
        for client in &mut clients {
            client.assert_changes_are_stored(&server);
        }
        all_clients.extend(clients);
    }
    for client in &mut all_clients {
        client.assert_changes_are_stored(&server);
    }
    server.stop();
}

#[test]
fn on_sqlite_no_acknowledged_change_is_lost() {
    let _guard = run_alone();
    let work_dir = WorkDir::new();
    assert_no_acknowledged_change_is_lost(|| on_sqlite(&work_dir));
}

#[test]
#[ignore = "needs TEST_POSTGRES_URL and --include-ignored (see CONTRIBUTING)"]
fn on_postgres_no_acknowledged_change_is_lost() {
    let _guard = run_alone();
    let (work_dir, postgres) = (WorkDir::new(), Postgres::new());
    assert_no_acknowledged_change_is_lost(|| on_postgres(&work_dir, &postgres));
}

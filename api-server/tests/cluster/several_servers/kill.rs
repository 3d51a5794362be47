//! Tests that a kill of the server loses no acknowledged change of accounts, tasks and sessions.

use std::convert::Infallible;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use uuid::Uuid;

use super::clients::{Client, ReportingConnection, ServerStopped};
use crate::{postgres_program, sqlite_program, wait_for_other_tests};
use harness::{Postgres, Program, Server, WorkDir};

const KILL_COUNT: usize = 20;
const WRITER_COUNT: usize = 4;

/// Registers clients and changes their tasks and sessions until a request fails with [`ServerStopped`]. `old_client`
/// was registered in an earlier server process, and is refreshed repeatedly.
fn send_until_stopped(
    server: &Server,
    acknowledgement_sender: &Sender<()>,
    old_client: Option<Client>,
) -> Vec<Client> {
    let mut clients: Vec<_> = old_client.into_iter().collect();
    let mut send_requests = || -> Result<Infallible, ServerStopped> {
        let mut connection = ReportingConnection::to(server, acknowledgement_sender.clone())?;
        loop {
            clients.push(Client::register(&mut connection)?);
            for round in 0..3 {
                if let Some(client) = clients.first_mut().filter(|client| client.is_logged_in()) {
                    client.refresh(&mut connection)?;
                }
                let new_client = clients.last_mut().ok_or(ServerStopped)?;
                new_client.add_task(&mut connection)?;
                if round > 0 {
                    new_client.refresh(&mut connection)?;
                }
            }
            if clients.len().is_multiple_of(2) {
                clients
                    .last_mut()
                    .ok_or(ServerStopped)?
                    .log_out(&mut connection)?;
            }
        }
    };
    let Err(ServerStopped) = send_requests();
    clients
}

/// Kills the server after at least this many acknowledged writes. Returns the old clients and the new clients.
fn kill_under_load(server: &Server, write_count: usize, old_clients: Vec<Client>) -> Vec<Client> {
    let (acknowledgement_sender, acknowledgement_receiver) = channel();
    let mut unassigned_clients = old_clients.into_iter();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WRITER_COUNT)
            .map(|_| {
                let (acknowledgement_sender, old_client) =
                    (acknowledgement_sender.clone(), unassigned_clients.next());
                scope.spawn(move || send_until_stopped(server, &acknowledgement_sender, old_client))
            })
            .collect();
        drop(acknowledgement_sender);
        assert_eq!(
            acknowledgement_receiver.iter().take(write_count).count(),
            write_count
        );
        server.kill();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    })
}

fn assert_no_acknowledged_change_is_lost(new_program: impl Fn() -> Program) {
    let mut all_clients: Vec<Client> = Vec::new();
    let mut server = new_program().start();
    for _ in 0..KILL_COUNT {
        let write_count = 5 + usize::from(Uuid::new_v4().as_bytes()[0]) / 2;
        let logged_in_clients = all_clients.extract_if(.., |client| client.is_logged_in());
        let old_clients = logged_in_clients.take(WRITER_COUNT).collect();
        let mut clients = kill_under_load(&server, write_count, old_clients);
        server = new_program().start();
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
    let _guard = wait_for_other_tests();
    let work_dir = WorkDir::new();
    assert_no_acknowledged_change_is_lost(|| sqlite_program(&work_dir));
}

#[test]
#[ignore = "needs TEST_POSTGRES_URL and --include-ignored (see CONTRIBUTING)"]
fn on_postgres_no_acknowledged_change_is_lost() {
    let _guard = wait_for_other_tests();
    let (work_dir, postgres) = (WorkDir::new(), Postgres::new());
    assert_no_acknowledged_change_is_lost(|| postgres_program(&work_dir, &postgres));
}

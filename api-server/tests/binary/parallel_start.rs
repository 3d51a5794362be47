//! Tests several processes that start at the same time on one new database.

use harness::{Postgres, Program, SECRET, Server, WorkDir};

const PROCESS_COUNT: usize = 6;

/// Asserts that all servers become ready, and that each server returns the tasks that were created on all servers.
fn assert_servers_share_a_new_database(new_program: impl Fn() -> Program) {
    let starting_processes: Vec<_> = (0..PROCESS_COUNT).map(|_| new_program().spawn()).collect();
    let servers: Vec<_> = starting_processes
        .into_iter()
        .map(Server::wait_until_listening)
        .collect();
    for server in &servers {
        server.get("/readyz", "").expect(200);
    }
    let user = servers[0].register("ada@example.com", "correct horse battery staple");
    for (number, server) in servers.iter().enumerate() {
        server.add_task(&user, &number.to_string()).expect(201);
    }
    for server in servers {
        assert_eq!(server.task_titles(&user), ["5", "4", "3", "2", "1", "0"]);
        let log = server.stop().text();
        assert!(!log.contains("ERROR"), "{log}");
    }
}

#[test]
fn processes_start_in_parallel_on_a_new_sqlite_file() {
    let work_dir = WorkDir::new();
    assert_servers_share_a_new_database(|| work_dir.program().with_weak_hashing());
    assert_eq!(work_dir.names(), ["data"]);
    // A process that finds no secret file writes a temporary file. One of these files becomes the secret file. No
    // temporary file may be left over. The folder `mail` has the mails of the registrations.
    let expected_names = [
        "auth.db",
        "auth.db-shm",
        "auth.db-wal",
        "auth.db.secret",
        "mail",
    ];
    for entry in std::fs::read_dir(work_dir.path("data")).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(
            expected_names
                .iter()
                .any(|expected_name| name == *expected_name),
            "left over: {name:?}"
        );
    }
}

#[test]
#[ignore = "needs TEST_POSTGRES_URL and --include-ignored (see CONTRIBUTING)"]
fn processes_start_in_parallel_on_a_new_postgres_database() {
    let (work_dir, postgres) = (WorkDir::new(), Postgres::new());
    assert_servers_share_a_new_database(|| {
        let program = work_dir.program().with_weak_hashing();
        let program = program.set("DATABASE_URL", postgres.url_with_password("hunter2"));
        program.set("AUTH_SECRET", SECRET)
    });
}

//! Tests that SIGINT (Ctrl-C) and SIGTERM end an import at a batch.

mod files;

use std::thread;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};
use harness::{Running, TIMEOUT};
use rustix::process::Signal;

use crate::transfer::fixtures::{Engine, Fixture, on_both_engines};
use crate::transfer::lines::user_line;

on_both_engines! {
    an_import_ends_at_a_batch_and_a_second_run_completes_it,
}

/// The delay between two looks at the database.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// The number of users that an import writes in one transaction.
const BATCH_SIZE: usize = 500;
/// Two batches, and a part of the third.
const USER_COUNT: usize = 2 * BATCH_SIZE + 200;

fn import_of_standard_input(fixture: &Fixture) -> Running {
    let program = fixture.program().set("RUST_LOG", "warn");
    program
        .args(&["users", "import", "json"])
        .spawn_with_input()
}

fn wait_until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + TIMEOUT;
    while !condition() {
        assert!(Instant::now() < deadline, "it did not happen");
        thread::sleep(POLL_INTERVAL);
    }
}

fn an_import_ends_at_a_batch_and_a_second_run_completes_it(engine: Engine) {
    for (signal, name, exit_code) in [(Signal::INT, "SIGINT", 130), (Signal::TERM, "SIGTERM", 143)]
    {
        let fixture = Fixture::without_tables(engine);
        fixture
            .program()
            .args(&["migrate"])
            .run()
            .assert_succeeded();
        let lines: Vec<_> = (0..USER_COUNT).map(user_line).collect();
        let mut import = import_of_standard_input(&fixture);
        import.write(&lines.concat());
        wait_until(|| fixture.exported_user_ids().len() == 2 * BATCH_SIZE);
        import.signal(signal);
        assert_eq!(import.exit_code(), Some(exit_code));
        import.stderr.line("stopping after the current batch");
        import
            .stderr
            .line("users: 1000 imported, 0 already present, 0 rejected");
        import.stderr.line(&format!(
            "interrupted by {name}: The rows imported so far stay. Run the command again to import the others."
        ));
        assert_eq!(fixture.exported_user_ids().len(), 2 * BATCH_SIZE);

        let mut second_import = import_of_standard_input(&fixture);
        second_import.write(&lines.concat());
        second_import.close_input();
        assert_eq!(second_import.exit_code(), Some(0));
        second_import
            .stderr
            .line("users: 200 imported, 1000 already present, 0 rejected");
        assert_eq!(fixture.exported_user_ids().len(), USER_COUNT);
    }
}

#[test]
fn a_signal_before_the_first_batch_imports_nothing() {
    let fixture = Fixture::without_tables(Engine::Sqlite);
    let mut import = import_of_standard_input(&fixture);
    import.write(&user_line(1));
    import.stderr.line("import: 1 lines");
    import.signal(Signal::INT);
    assert_eq!(import.exit_code(), Some(130));
    assert_eq!(fixture.exported_user_ids(), [""; 0]);
}

#[test]
#[ignore = "needs TEST_POSTGRES_URL and --include-ignored (see CONTRIBUTING)"]
fn a_second_signal_ends_an_import_that_waits_for_the_database() {
    let fixture = Fixture::without_tables(Engine::Postgres);
    fixture
        .program()
        .args(&["migrate"])
        .run()
        .assert_succeeded();
    let mut locker = PgConnection::establish(&fixture.postgres_target().unwrap()).unwrap();
    let lock = "BEGIN; LOCK TABLE users IN EXCLUSIVE MODE";
    locker.batch_execute(lock).unwrap();
    let mut import = import_of_standard_input(&fixture);
    import.write(&(0..BATCH_SIZE).map(user_line).collect::<String>());
    let waiting = "SELECT 1 / count(*) FROM pg_stat_activity \
        WHERE wait_event_type = 'Lock' AND datname = current_database()";
    // The division fails while nobody waits.
    wait_until(|| {
        let mut observer = PgConnection::establish(&fixture.postgres_target().unwrap()).unwrap();
        observer.batch_execute(waiting).is_ok()
    });
    import.signal(Signal::INT);
    import.stderr.line("another Ctrl-C stops at once");
    import.signal(Signal::TERM);
    assert_eq!(import.exit_code(), Some(143));
    import
        .stderr
        .line("interrupted by SIGTERM again: rows that are not committed yet are rolled back");
    locker.batch_execute("ROLLBACK").unwrap();
    assert_eq!(fixture.exported_user_ids(), [""; 0]);
}

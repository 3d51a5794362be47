//! Tests sessions with several server processes, at once or in turn: logouts, removals of roles, replacements of the
//! secret, and kills.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a test that fails"
)]

mod several_servers;

use std::sync::{Mutex, MutexGuard, PoisonError};

use harness::{Postgres, Program, SECRET, WorkDir};

/// Waits until no other test of this binary runs. Each test keeps the returned guard until its end, because on a small
/// machine the servers of parallel tests would be too slow.
fn wait_for_other_tests() -> MutexGuard<'static, ()> {
    static RUNNING_TEST: Mutex<()> = Mutex::new(());
    RUNNING_TEST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns a program that uses the SQLite file in `work_dir`. Registrations send no mails, whose writes would delay
/// those of the sessions on a small machine.
fn sqlite_program(work_dir: &WorkDir) -> Program {
    let program = work_dir.program().with_weak_hashing();
    program.set("EMAIL_VERIFICATION", "off")
}

/// Returns a program that uses the PostgreSQL database.
fn postgres_program(work_dir: &WorkDir, postgres: &Postgres) -> Program {
    sqlite_program(work_dir)
        .set("DATABASE_URL", postgres.url_with_password("hunter2"))
        .set("AUTH_SECRET", SECRET)
}

//! Sessions across server processes: logouts on another process, rotations of the secret, and kills.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a test that fails"
)]

mod clients;
mod kill;
mod logout;
mod rotation;

use std::sync::{Mutex, MutexGuard, PoisonError};

use harness::{Postgres, Program, SECRET, WorkDir};

/// Held by each test, so that only one runs at a time: on a small machine, the servers of parallel tests would be too
/// slow.
fn run_alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A server on the SQLite file that all servers of `work_dir` share.
fn on_sqlite(work_dir: &WorkDir) -> Program {
    work_dir.program().with_weak_hashing()
}

fn on_postgres(work_dir: &WorkDir, postgres: &Postgres) -> Program {
    on_sqlite(work_dir)
        .set("DATABASE_URL", postgres.url("hunter2"))
        .set("AUTH_SECRET", SECRET)
}

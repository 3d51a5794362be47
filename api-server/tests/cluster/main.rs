//! Sessions of whole processes: what one of several knows of another's logout, and what is left after a kill.

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

use harness::{Place, Postgres, Program, SECRET};

/// Held by each test: several servers each, under load, would starve one another on a small machine.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A server on the one SQLite file of `place`.
fn on_sqlite(place: &Place) -> Program {
    place.program().with_weak_hashing()
}

fn on_postgres(place: &Place, postgres: &Postgres) -> Program {
    on_sqlite(place)
        .set("DATABASE_URL", postgres.url("hunter2"))
        .set("AUTH_SECRET", SECRET)
}

//! Runs each test on both engines.

use std::future::Future;

use tokio::runtime::Builder;

use crate::{App, Engine};

/// The argument of a test: a running server, or the engine for a server that the test configures.
pub trait Start {
    /// Creates the argument for a run on this engine.
    fn start(engine: Engine) -> Self;
}

/// For tests that start with a default server.
impl Start for App {
    fn start(engine: Engine) -> Self {
        Self::on(engine).start()
    }
}

/// For tests that configure their own server.
impl Start for Engine {
    fn start(engine: Engine) -> Self {
        engine
    }
}

/// Runs a test on this engine.
pub fn run<A: Start, F: Future<Output = ()>>(engine: Engine, test: impl FnOnce(A) -> F) {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("an async runtime");
    runtime.block_on(test(A::start(engine)));
}

/// Turns each `async fn` into two tests: `name::sqlite` and `name::postgres`. An unlisted function is dead code,
/// which the compiler reports.
#[macro_export]
macro_rules! on_both_engines {
    ($($test:ident),+ $(,)?) => {$(
        mod $test {
            #[test]
            fn sqlite() {
                $crate::run($crate::Engine::Sqlite, super::$test);
            }

            #[test]
            #[ignore = "needs TEST_POSTGRES_URL and --include-ignored (see CONTRIBUTING)"]
            fn postgres() {
                $crate::run($crate::Engine::Postgres, super::$test);
            }
        }
    )+};
}

/// Like [`on_both_engines!`], for SQLite only.
#[macro_export]
macro_rules! on_sqlite {
    ($($test:ident),+ $(,)?) => {$(
        mod $test {
            #[test]
            fn sqlite() {
                $crate::run($crate::Engine::Sqlite, super::$test);
            }
        }
    )+};
}

/// Like [`on_both_engines!`], for PostgreSQL only.
#[macro_export]
macro_rules! on_postgres {
    ($($test:ident),+ $(,)?) => {$(
        mod $test {
            #[test]
            #[ignore = "needs TEST_POSTGRES_URL and --include-ignored (see CONTRIBUTING)"]
            fn postgres() {
                $crate::run($crate::Engine::Postgres, super::$test);
            }
        }
    )+};
}

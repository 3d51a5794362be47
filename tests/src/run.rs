//! One test, two engines.

use std::future::Future;

use tokio::runtime::Builder;

use crate::{App, Engine};

/// What a test may ask for as its argument.
pub trait Start {
    /// Makes it on this engine.
    fn start(engine: Engine) -> Self;
}

/// For tests that begin with a server as it is by default.
impl Start for App {
    fn start(engine: Engine) -> Self {
        Self::on(engine).start()
    }
}

/// For tests that build their own.
impl Start for Engine {
    fn start(engine: Engine) -> Self {
        engine
    }
}

/// Runs a test to its end.
pub fn run<A: Start, F: Future<Output = ()>>(engine: Engine, test: impl FnOnce(A) -> F) {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("an async runtime");
    runtime.block_on(test(A::start(engine)));
}

/// Makes each `async fn` two tests: `name::sqlite` and `name::postgres`. A function left out is dead code, which the
/// compiler reports.
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

/// As [`on_both_engines!`], for what only SQLite can do.
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

/// As [`on_both_engines!`], for what only a database server can do.
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

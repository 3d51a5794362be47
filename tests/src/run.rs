//! Runs tests on one database engine, or on both.

use std::future::Future;

use tokio::runtime::Builder;

use crate::{App, Engine};

/// The argument of a test: a running server, or the engine for a server that the test configures.
pub trait TestArgument {
    /// Creates the argument for a run on this engine.
    fn create(engine: Engine) -> Self;
}

/// A test with this argument gets a running server with the default options.
impl TestArgument for App {
    fn create(engine: Engine) -> Self {
        Self::on(engine).start()
    }
}

/// A test with this argument gets only the engine, and starts servers with the options that the test needs.
impl TestArgument for Engine {
    fn create(engine: Engine) -> Self {
        engine
    }
}

/// Runs a test on this engine.
pub fn run<A: TestArgument, F: Future<Output = ()>>(engine: Engine, test: impl FnOnce(A) -> F) {
    let result = Builder::new_current_thread().enable_all().build();
    let runtime = result.expect("an async runtime");
    runtime.block_on(test(A::create(engine)));
}

/// Turns each `async fn` into two tests: `name::sqlite` and `name::postgres`. A function that is in no such list is
/// reported by the compiler as dead code.
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

/// Turns each `async fn` into one test, `name::sqlite`.
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

/// Turns each `async fn` into one test, `name::postgres`.
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

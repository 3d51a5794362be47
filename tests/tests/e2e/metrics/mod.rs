//! Tests `api-server/src/metrics` and `api-server/src/scrape`: what is counted, and on which address it is shown.

mod address;
mod events;
mod mails;
mod requests;
mod state;

use e2e::{App, Engine, Metrics, Options};

/// Returns options for a server with metrics. The server trusts the test as a proxy, so that each IP address in
/// `X-Forwarded-For` is a network of its own.
fn options(engine: Engine) -> Options {
    App::on(engine).behind_proxy().with_metrics()
}

/// Asserts that exactly these counters have changed, each by one.
#[track_caller]
fn assert_counted_once(earlier: &Metrics, later: &Metrics, expected_counters: &[&str]) {
    let mut expected: Vec<_> = expected_counters.iter().map(|name| (*name, 1)).collect();
    expected.sort_unstable();
    assert_eq!(later.changes_since(earlier), expected);
}

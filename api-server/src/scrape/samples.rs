//! Reads the values that need no counter, such as the lengths of queues, the age of the oldest mail and the version.

use std::time::Duration;

use super::ScrapeContext;
use crate::db::Timestamp;
use crate::mail::store::{self as outbox, OutboxState};
use crate::metrics::Sample;

/// Reads all values. While the database does not respond, the values of the outbox are missing.
pub(super) async fn read(scrape: &ScrapeContext) -> Vec<Sample> {
    let mut samples = vec![build_info()];
    samples.extend(of_connections(scrape));
    samples.extend(of_database(scrape));
    samples.extend(of_revocations(scrape));
    samples.push(Sample::gauge(
        "api_server_password_hash_queue_length",
        "Requests that wait for a core to hash or compare a password.",
        count(scrape.accounts.passwords.hasher.queue_length()),
    ));
    if let Ok(state) = scrape.sessions.db.read(outbox::state).await {
        samples.extend(of_outbox(scrape, &state));
    }
    samples
}

fn build_info() -> Sample {
    Sample {
        label: Some(("version", env!("CARGO_PKG_VERSION"))),
        ..Sample::gauge(
            "api_server_build_info",
            "1, with the version of the program.",
            1.0,
        )
    }
}

fn of_connections(scrape: &ScrapeContext) -> [Sample; 2] {
    [
        Sample::gauge(
            "api_server_connections",
            "Open connections of clients.",
            count(scrape.connections.open_count()),
        ),
        Sample::gauge(
            "api_server_connections_max",
            "The most open connections of clients.",
            count(scrape.connections.max_count()),
        ),
    ]
}

fn of_database(scrape: &ScrapeContext) -> [Sample; 4] {
    let state = scrape.sessions.db.state();
    [
        Sample::gauge(
            "api_server_database_queue_length",
            "Jobs that wait for the database.",
            count(state.waiting_jobs),
        ),
        Sample::gauge(
            "api_server_database_connections",
            "Open connections to the database.",
            f64::from(state.connections),
        ),
        Sample::gauge(
            "api_server_database_connections_idle",
            "Open connections to the database that no thread holds.",
            f64::from(state.idle_connections),
        ),
        Sample::gauge(
            "api_server_database_connections_max",
            "The most open connections to the database.",
            f64::from(state.max_connections),
        ),
    ]
}

fn of_revocations(scrape: &ScrapeContext) -> Vec<Sample> {
    let set_size = Sample::gauge(
        "api_server_revocation_set_size",
        "Revocations in memory.",
        count(scrape.sessions.revoked.len()),
    );
    let lag = scrape.sessions.feed.lag().map(|lag| {
        Sample::gauge(
            "api_server_revocations_lag_seconds",
            "Time since the start of the last read that reached the newest revocation.",
            lag.as_secs_f64(),
        )
    });
    [Some(set_size), lag].into_iter().flatten().collect()
}

fn of_outbox(scrape: &ScrapeContext, state: &OutboxState) -> [Sample; 2] {
    let now = Timestamp::from(scrape.sessions.now());
    let age = state
        .oldest
        .map_or(Duration::ZERO, |oldest| now.since(oldest));
    [
        Sample::gauge(
            "api_server_outbox_length",
            "Mails of all processes that wait to be sent.",
            count(usize::try_from(state.waiting).unwrap_or_default()),
        ),
        Sample::gauge(
            "api_server_outbox_oldest_seconds",
            "Age of the oldest mail that waits to be sent; 0 if none waits.",
            age.as_secs_f64(),
        ),
    ]
}

/// Converts a count to the type of a sample. Every count is far below 2^32.
fn count(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

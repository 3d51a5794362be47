//! The cost of the revocation check in a verification: without a set, with an empty set, with 100 000 revoked sessions.

#![expect(
    clippy::unwrap_used,
    reason = "a bench whose setup fails has nothing to measure"
)]

use std::cell::Cell;
use std::time::{Duration, SystemTime};

use auth_core::{Keyring, RevokedSessions, Secret, Subject, TokenIssuer, TokenVerifier};
use divan::{Bencher, black_box};

const REVOKED: u64 = 100_000;
/// The number of different ids that are looked up, enough to reach all parts of the set.
const LOOKUPS: u64 = 1000;

fn main() {
    divan::main();
}

/// Formats a session id like the server: a UUID of version 7.
fn session_id(number: u64) -> String {
    format!("0198f2d4-{:04x}-7d51-8f0e-{number:012x}", number % 0xffff)
}

fn revoked() -> RevokedSessions {
    let revoked = RevokedSessions::default();
    let until = SystemTime::now() + Duration::from_secs(900);
    for number in 0..REVOKED {
        revoked.insert(&session_id(number), until);
    }
    revoked
}

/// Returns a function that returns one text after the other, and the first one again after the last.
fn cycle(all: Vec<String>) -> impl Fn() -> String {
    let next = Cell::new(0);
    move || {
        next.set((next.get() + 1) % all.len());
        all.get(next.get()).unwrap().clone()
    }
}

fn tokens(keyring: Keyring, now: SystemTime) -> Vec<String> {
    let lifetime = Duration::from_secs(900);
    let issuer = TokenIssuer::new(keyring, "api-server", "api", lifetime).unwrap();
    let issue = |number| {
        let subject = Subject {
            id: "0198f2d4-7c1e-7bb3-9a55-3c9a1f6f2b10",
            email: "ada.lovelace@example.com",
            session_id: &session_id(number),
        };
        issuer.issue(&subject, now).unwrap().token
    };
    (REVOKED..REVOKED + LOOKUPS).map(issue).collect()
}

fn bench_verify(bencher: Bencher<'_, '_>, revoked: Option<RevokedSessions>) {
    let keyring = Keyring::new(Secret::new("wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P").unwrap());
    let now = SystemTime::now();
    let tokens = tokens(keyring.clone(), now);
    let mut verifier = TokenVerifier::new(keyring, "api-server", "api").unwrap();
    if let Some(revoked) = revoked {
        verifier = verifier.with_revoked(revoked);
    }
    bencher
        .with_inputs(cycle(tokens))
        // The claims are dropped at once, as after a request.
        .bench_local_refs(|token| verifier.verify(black_box(token), now).is_ok());
}

#[divan::bench(sample_count = 2000, sample_size = 100)]
fn verify_without_a_set(bencher: Bencher<'_, '_>) {
    bench_verify(bencher, None);
}

#[divan::bench(sample_count = 2000, sample_size = 100)]
fn verify_with_an_empty_set(bencher: Bencher<'_, '_>) {
    bench_verify(bencher, Some(RevokedSessions::default()));
}

#[divan::bench(sample_count = 2000, sample_size = 100)]
fn verify_with_100_000_revoked_sessions(bencher: Bencher<'_, '_>) {
    bench_verify(bencher, Some(revoked()));
}

fn bench_contains(bencher: Bencher<'_, '_>, first: u64, expected: bool) {
    let revoked = revoked();
    let ids = (first..first + LOOKUPS).map(session_id).collect();
    bencher
        .with_inputs(cycle(ids))
        .bench_local_refs(|id| assert_eq!(revoked.contains(black_box(id)), expected));
}

#[divan::bench(sample_count = 2000, sample_size = 100)]
fn contains_a_revoked_session(bencher: Bencher<'_, '_>) {
    bench_contains(bencher, 0, true);
}

#[divan::bench(sample_count = 2000, sample_size = 100)]
fn does_not_contain_an_active_session(bencher: Bencher<'_, '_>) {
    bench_contains(bencher, REVOKED, false);
}

#[divan::bench(sample_count = 1000, sample_size = 100)]
fn insert(bencher: Bencher<'_, '_>) {
    let (revoked, next) = (revoked(), Cell::new(REVOKED));
    let until = SystemTime::now() + Duration::from_secs(900);
    let ids = || {
        next.set(next.get() + 1);
        session_id(next.get())
    };
    bencher
        .with_inputs(ids)
        .bench_local_refs(|id| revoked.insert(id, until));
}

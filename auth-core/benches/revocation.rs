//! Measures the verification of a token without a set of revoked sessions, with an empty set, and with a set of 100 000
//! sessions, also with 100 000 users whose older tokens are stale. Measures lookups in the set of 100 000 sessions, and
//! insertions, which make this set larger.

#![expect(
    clippy::unwrap_used,
    reason = "a bench whose setup fails has nothing to measure"
)]

use std::cell::Cell;
use std::time::{Duration, SystemTime};

use auth_core::{Keyring, Revocations, Secret, Subject, TokenIssuer, TokenVerifier};
use divan::{Bencher, black_box};

const REVOKED_COUNT: u64 = 100_000;
/// The number of different session ids in a bench of lookups or verifications.
const LOOKUP_COUNT: u64 = 1000;

fn main() {
    divan::main();
}

/// Formats a session id in the same way as the server: as a UUID of version 7.
fn session_id(number: u64) -> String {
    format!("0198f2d4-{:04x}-7d51-8f0e-{number:012x}", number % 0xffff)
}

fn revoked_sessions() -> Revocations {
    let revoked = Revocations::default();
    let until = SystemTime::now() + Duration::from_secs(900);
    for number in 0..REVOKED_COUNT {
        revoked.revoke_session(&session_id(number), until);
    }
    revoked
}

/// Returns a function that returns one text after the other, and starts again after the last text.
fn cycle(texts: Vec<String>) -> impl Fn() -> String {
    let index = Cell::new(0);
    move || {
        index.set((index.get() + 1) % texts.len());
        texts.get(index.get()).unwrap().clone()
    }
}

fn issue_tokens(keyring: Keyring, now: SystemTime) -> Vec<String> {
    let lifetime = Duration::from_secs(900);
    let issuer = TokenIssuer::new(keyring, "api-server", "api", lifetime).unwrap();
    let issue = |number| {
        let subject = Subject {
            id: "0198f2d4-7c1e-7bb3-9a55-3c9a1f6f2b10",
            email: "ada.lovelace@example.com",
            email_verified: Some(true),
            session_id: &session_id(number),
        };
        issuer.issue(&subject, now).unwrap().token
    };
    let numbers = REVOKED_COUNT..REVOKED_COUNT + LOOKUP_COUNT;
    numbers.map(issue).collect()
}

fn bench_verify(bencher: Bencher<'_, '_>, revoked: Option<Revocations>) {
    let keyring = Keyring::new(Secret::new("wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P").unwrap());
    let now = SystemTime::now();
    let tokens = issue_tokens(keyring.clone(), now);
    let mut verifier = TokenVerifier::new(keyring, "api-server", "api").unwrap();
    if let Some(revoked) = revoked {
        verifier = verifier.with_revocations(revoked);
    }
    bencher
        .with_inputs(cycle(tokens))
        // divan drops returned values after the measurement. `is_ok` drops the claims during the measurement.
        .bench_local_refs(|token| verifier.verify(black_box(token), now).is_ok());
}

#[divan::bench(sample_count = 2000, sample_size = 100)]
fn verify_without_a_set(bencher: Bencher<'_, '_>) {
    bench_verify(bencher, None);
}

#[divan::bench(sample_count = 2000, sample_size = 100)]
fn verify_with_an_empty_set(bencher: Bencher<'_, '_>) {
    bench_verify(bencher, Some(Revocations::default()));
}

#[divan::bench(sample_count = 2000, sample_size = 100)]
fn verify_with_100_000_revoked_sessions(bencher: Bencher<'_, '_>) {
    bench_verify(bencher, Some(revoked_sessions()));
}

#[divan::bench(sample_count = 2000, sample_size = 100)]
fn verify_with_100_000_revoked_sessions_and_stale_users(bencher: Bencher<'_, '_>) {
    let revocations = revoked_sessions();
    let until = SystemTime::now() + Duration::from_secs(900);
    for number in 0..REVOKED_COUNT {
        revocations.mark_stale(&session_id(number), 1, until);
    }
    bench_verify(bencher, Some(revocations));
}

fn bench_contains(bencher: Bencher<'_, '_>, first_number: u64, expected: bool) {
    let revoked = revoked_sessions();
    let numbers = first_number..first_number + LOOKUP_COUNT;
    let ids = numbers.map(session_id).collect();
    bencher
        .with_inputs(cycle(ids))
        .bench_local_refs(|id| assert_eq!(revoked.has_session(black_box(id)), expected));
}

#[divan::bench(sample_count = 2000, sample_size = 100)]
fn contains_a_revoked_session(bencher: Bencher<'_, '_>) {
    bench_contains(bencher, 0, true);
}

#[divan::bench(sample_count = 2000, sample_size = 100)]
fn does_not_contain_an_active_session(bencher: Bencher<'_, '_>) {
    bench_contains(bencher, REVOKED_COUNT, false);
}

#[divan::bench(sample_count = 1000, sample_size = 100)]
fn insert(bencher: Bencher<'_, '_>) {
    let (revoked, last_number) = (revoked_sessions(), Cell::new(REVOKED_COUNT));
    let until = SystemTime::now() + Duration::from_secs(900);
    let create_session_id = || {
        last_number.set(last_number.get() + 1);
        session_id(last_number.get())
    };
    bencher
        .with_inputs(create_session_id)
        .bench_local_refs(|id| revoked.revoke_session(id, until));
}

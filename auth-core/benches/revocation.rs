//! What the check of ended sessions adds to a verification: nothing to consult, an empty set, 100 000 ended sessions.

#![expect(
    clippy::unwrap_used,
    reason = "a bench that cannot be set up has nothing to measure"
)]

use std::cell::Cell;
use std::time::{Duration, SystemTime};

use auth_core::{Keyring, RevokedSessions, Secret, Subject, TokenIssuer, TokenVerifier};
use divan::{Bencher, black_box};

const ENDED: u64 = 100_000;
/// So many that each looks at another part of the set.
const ASKING: u64 = 1000;

fn main() {
    divan::main();
}

/// As the server writes them: a UUID of version 7.
fn session_id(number: u64) -> String {
    format!("0198f2d4-{:04x}-7d51-8f0e-{number:012x}", number % 0xffff)
}

fn ended() -> RevokedSessions {
    let ended = RevokedSessions::default();
    let until = SystemTime::now() + Duration::from_secs(900);
    for number in 0..ENDED {
        ended.insert(&session_id(number), until);
    }
    ended
}

/// In turn, for ever.
fn ring(all: Vec<String>) -> impl Fn() -> String {
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
    (ENDED..ENDED + ASKING).map(issue).collect()
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
        .with_inputs(ring(tokens))
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
fn verify_with_100_000_ended_sessions(bencher: Bencher<'_, '_>) {
    bench_verify(bencher, Some(ended()));
}

fn bench_contains(bencher: Bencher<'_, '_>, first: u64, expected: bool) {
    let ended = ended();
    let asked = (first..first + ASKING).map(session_id).collect();
    bencher
        .with_inputs(ring(asked))
        .bench_local_refs(|id| assert_eq!(ended.contains(black_box(id)), expected));
}

#[divan::bench(sample_count = 2000, sample_size = 100)]
fn contains_an_ended_session(bencher: Bencher<'_, '_>) {
    bench_contains(bencher, 0, true);
}

#[divan::bench(sample_count = 2000, sample_size = 100)]
fn contains_no_live_session(bencher: Bencher<'_, '_>) {
    bench_contains(bencher, ENDED, false);
}

#[divan::bench(sample_count = 1000, sample_size = 100)]
fn insert(bencher: Bencher<'_, '_>) {
    let (ended, next) = (ended(), Cell::new(ENDED));
    let until = SystemTime::now() + Duration::from_secs(900);
    let ids = || {
        next.set(next.get() + 1);
        session_id(next.get())
    };
    bencher
        .with_inputs(ids)
        .bench_local_refs(|id| ended.insert(id, until));
}

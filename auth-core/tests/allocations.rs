//! What verification costs the heap. The crate under `allocation_counter` replaces the allocator, hence a file of its own.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

use std::time::{Duration, SystemTime};

use allocation_counter::measure;
use auth_core::{Authority, Keyring, Secret, Subject, TokenIssuer, TokenVerifier};

const SUBJECT: Subject<'_> = Subject {
    id: "0198f2d4-7c1e-7bb3-9a55-3c9a1f6f2b10",
    email: "ada.lovelace@example.com",
    session_id: "0198f2d4-8a02-7d51-8f0e-5d2f4c7b9e21",
};
/// `sub`, `email`, `sid` and `jti`, which the caller keeps.
const CLAIMS: u64 = 4;

fn keyring(text: &str) -> Keyring {
    Keyring::new(secret(text))
}

fn secret(text: &str) -> Secret {
    Secret::new(text).unwrap()
}

fn verifier(keyring: Keyring) -> TokenVerifier {
    TokenVerifier::new(keyring, "api-server", "api").unwrap()
}

fn token(keyring: Keyring) -> String {
    let lifetime = Duration::from_secs(900);
    let issuer = TokenIssuer::new(keyring, "api-server", "api", lifetime).unwrap();
    issuer.issue(&SUBJECT, SystemTime::now()).unwrap().token
}

fn allocations(verifier: &TokenVerifier, token: &str, accepted: bool) -> u64 {
    let now = SystemTime::now();
    measure(|| assert_eq!(verifier.verify(token, now).is_ok(), accepted)).count_total
}

const ONE: &str = "wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P";
const OTHER: &str = "P0aS6fG3dH5cN1bZ7mL4tY8x2qkRv9Jw";

#[test]
fn an_authority_adds_no_allocation_to_a_local_verification() {
    let mut headers = http::HeaderMap::new();
    let bearer = format!("Bearer {}", token(keyring(ONE)));
    headers.insert("authorization", bearer.parse().unwrap());
    let authority = Authority::from(verifier(keyring(ONE)));
    let count = measure(|| assert!(authority.admit(&headers).now().is_ok())).count_total;
    assert_eq!(count, CLAIMS);
}

#[test]
fn verifying_allocates_nothing_but_the_strings_of_the_claims() {
    let own = token(keyring(ONE));
    let count = allocations(&verifier(keyring(ONE)), &own, true);
    assert_eq!(count, CLAIMS);
}

#[test]
fn a_previous_secret_costs_no_more() {
    let rotated = keyring(OTHER).with_previous([secret(ONE)]);
    let own = token(keyring(ONE));
    let count = allocations(&verifier(rotated), &own, true);
    assert_eq!(count, CLAIMS);
}

#[test]
fn a_forged_token_allocates_nothing() {
    let own = token(keyring(ONE));
    let (message, _) = own.rsplit_once('.').unwrap();
    let forged = format!("{message}.{}", "A".repeat(43));
    let count = allocations(&verifier(keyring(ONE)), &forged, false);
    assert_eq!(count, 0);
}

#[test]
fn junk_and_tokens_that_are_too_long_cost_nothing() {
    let verifier = verifier(keyring(ONE));
    for junk in ["", "a.b", "....", &"x".repeat(8193)] {
        assert_eq!(allocations(&verifier, junk, false), 0, "{junk:.10}");
    }
}

/// A buffer that grew would leave pieces of the password behind in memory that nobody wipes.
#[cfg(feature = "password")]
#[test]
fn a_password_is_copied_once() {
    use auth_core::password::PasswordAttempt;
    for text in [
        "x",
        &"x".repeat(128),
        &"😀".repeat(128),
        &"😀".repeat(129),
        &"ﬀ".repeat(128),
    ] {
        let count = measure(|| drop(PasswordAttempt::new(text))).count_total;
        assert_eq!(count, 1, "{text}");
    }
}

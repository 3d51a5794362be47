//! What verification costs the heap. The crate under `allocation_counter` replaces the allocator, hence a file of its own.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

#[path = "tokens/foreign.rs"]
mod foreign;

use std::time::{Duration, SystemTime};

use allocation_counter::measure;
use auth_core::{Keyring, Secret, Subject, TokenIssuer, TokenVerifier};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const SUBJECT: Subject<'_> = Subject {
    id: "0198f2d4-7c1e-7bb3-9a55-3c9a1f6f2b10",
    email: "ada.lovelace@example.com",
    session_id: "0198f2d4-8a02-7d51-8f0e-5d2f4c7b9e21",
};
/// `sub`, `email`, `sid` and `jti`, which the caller keeps.
const CLAIMS: u64 = 4;
/// Per MAC that is tried: the backend's boxed key and the decoded signature.
const PER_MAC: u64 = 2;

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
    let count =
        || measure(|| assert_eq!(verifier.verify(token, now).is_ok(), accepted)).count_total;
    // The backend sets itself up at the first use.
    count();
    count()
}

const ONE: &str = "wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P";
const OTHER: &str = "P0aS6fG3dH5cN1bZ7mL4tY8x2qkRv9Jw";

#[test]
fn verifying_allocates_twice_beside_the_strings_of_the_claims() {
    let own = token(keyring(ONE));
    let count = allocations(&verifier(keyring(ONE)), &own, true);
    assert!(count <= CLAIMS + PER_MAC, "{count}");
}

#[test]
fn a_previous_secret_costs_no_more() {
    let rotated = keyring(OTHER).with_previous([secret(ONE)]);
    let own = token(keyring(ONE));
    let count = allocations(&verifier(rotated), &own, true);
    assert!(count <= CLAIMS + PER_MAC, "{count}");
}

/// RFC 7515 § 4.1.4: the `kid` says which secret to try first.
#[test]
fn a_foreign_token_that_names_its_secret_costs_one_mac_among_many_secrets() {
    let verifier = verifier(keyring(OTHER).with_previous([secret(ONE)]));
    let own = token(keyring(ONE));
    let payload = own.split('.').nth(1).unwrap();
    let payload = URL_SAFE_NO_PAD.decode(payload).unwrap();
    let signed = |kid: &str| {
        let header = format!(r#"{{"kid":"{kid}","alg":"HS256","typ":"at+jwt"}}"#);
        foreign::sign(header, &payload, ONE)
    };
    let named = allocations(&verifier, &signed(keyring(ONE).key_id()), true);
    let unnamed = allocations(&verifier, &signed("unknown"), true);
    assert_eq!(unnamed, named + PER_MAC);
}

#[test]
fn a_forged_token_costs_only_the_mac() {
    let own = token(keyring(ONE));
    let (message, _) = own.rsplit_once('.').unwrap();
    let forged = format!("{message}.{}", "A".repeat(43));
    let count = allocations(&verifier(keyring(ONE)), &forged, false);
    assert!(count <= PER_MAC, "{count}");
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
    for text in ["x", &"x".repeat(128), &"😀".repeat(128), &"😀".repeat(129)] {
        let count = measure(|| drop(PasswordAttempt::new(text))).count_total;
        assert_eq!(count, 1, "{text}");
    }
}

//! Tests how many allocations a verification makes.

use std::time::{Duration, SystemTime};

use allocation_counter::measure;
use auth_core::{Authority, Keyring, Secret, Subject, TokenIssuer, TokenVerifier};

const SUBJECT: Subject<'_> = Subject {
    id: "0198f2d4-7c1e-7bb3-9a55-3c9a1f6f2b10",
    email: "ada.lovelace@example.com",
    email_verified: Some(true),
    session_id: "0198f2d4-8a02-7d51-8f0e-5d2f4c7b9e21",
};
/// The number of strings in [`auth_core::Claims`]: `sub`, `email`, `sid` and `jti`.
const CLAIM_STRING_COUNT: u64 = 4;

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

fn count_allocations(verifier: &TokenVerifier, token: &str, is_accepted: bool) -> u64 {
    let now = SystemTime::now();
    measure(|| assert_eq!(verifier.verify(token, now).is_ok(), is_accepted)).count_total
}

const SECRET: &str = "wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P";
const OTHER_SECRET: &str = "P0aS6fG3dH5cN1bZ7mL4tY8x2qkRv9Jw";

#[test]
fn an_authority_adds_no_allocation() {
    let mut headers = http::HeaderMap::new();
    let bearer = format!("Bearer {}", token(keyring(SECRET)));
    headers.insert("authorization", bearer.parse().unwrap());
    let authority = Authority::from(verifier(keyring(SECRET)));
    let count =
        measure(|| assert!(authority.authenticate(&headers).into_ready().is_ok())).count_total;
    assert_eq!(count, CLAIM_STRING_COUNT);
}

#[test]
fn verification_allocates_the_strings_of_the_claims_only() {
    let valid_token = token(keyring(SECRET));
    let count = count_allocations(&verifier(keyring(SECRET)), &valid_token, true);
    assert_eq!(count, CLAIM_STRING_COUNT);
}

#[test]
fn a_previous_secret_adds_no_allocation() {
    let rotated_keyring = keyring(OTHER_SECRET).with_previous([secret(SECRET)]);
    let valid_token = token(keyring(SECRET));
    let count = count_allocations(&verifier(rotated_keyring), &valid_token, true);
    assert_eq!(count, CLAIM_STRING_COUNT);
}

#[test]
fn a_forged_token_allocates_nothing() {
    let valid_token = token(keyring(SECRET));
    let (message, _) = valid_token.rsplit_once('.').unwrap();
    let forged_token = format!("{message}.{}", "A".repeat(43));
    let count = count_allocations(&verifier(keyring(SECRET)), &forged_token, false);
    assert_eq!(count, 0);
}

#[test]
fn malformed_and_too_long_tokens_allocate_nothing() {
    let verifier = verifier(keyring(SECRET));
    for invalid_token in ["", "a.b", "....", &"x".repeat(8193)] {
        assert_eq!(
            count_allocations(&verifier, invalid_token, false),
            0,
            "{invalid_token:.10}"
        );
    }
}

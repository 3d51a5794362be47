//! Cargo unifies features: with both backends enabled, stock `jsonwebtoken` cannot select one and panics. `auth-core`
//! does not depend on the backends and still works.

use std::panic;
use std::time::SystemTime;

use auth_core::testing::TestAuthority;
use auth_core::{Error, Keyring, Secret};
use other_dependency::jsonwebtoken::{DecodingKey, Validation, decode};

const SECRET: &[u8] = b"wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P";

#[test]
fn with_both_backends_stock_verification_panics() {
    let test = TestAuthority::new();
    let token = test.token_for("42");
    let stock = panic::catch_unwind(|| {
        decode::<serde_json::Value>(
            &token,
            &DecodingKey::from_secret(SECRET),
            &Validation::default(),
        )
        .map(drop)
        .map_err(|error| error.to_string())
    });
    assert!(
        stock.is_err(),
        "only one backend is enabled, so this tests nothing: {stock:?}"
    );
}

#[test]
fn auth_core_issues_verifies_and_rejects_tokens() {
    let test = TestAuthority::new();
    let (verifier, now) = (test.verifier(), SystemTime::now());
    assert_eq!(
        verifier.verify(&test.token_for("42"), now).unwrap().sub,
        "42"
    );
    let expired = verifier.verify(&test.expired_token_for("42"), now);
    assert_eq!(expired, Err(Error::Expired));
    let unrelated = TestAuthority::new().token_for("42");
    assert_eq!(
        verifier.verify(&unrelated, now),
        Err(Error::SignatureMismatch)
    );
}

#[test]
fn auth_core_hashes_passwords_and_derives_keys() {
    use auth_core::password::{Cost, Password, PasswordAttempt};

    let hash = Password::new("correct horse battery staple").unwrap();
    let hash = hash.hash(Cost::new(4).unwrap()).unwrap();
    let attempt = PasswordAttempt::new("correct horse battery staple").unwrap();
    assert!(attempt.matches(&hash).unwrap());
    let keyring = Keyring::new(Secret::new(SECRET).unwrap());
    assert_ne!(
        keyring.for_audience("reports").unwrap().key_id(),
        keyring.key_id()
    );
}

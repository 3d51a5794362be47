//! Tests `auth-core` in a program whose dependencies enable both backends of `jsonwebtoken`. Cargo enables both
//! backends for the whole program. `jsonwebtoken` then cannot select a backend and panics. `auth-core` does not depend
//! on the backends and still works.

use std::panic;
use std::time::SystemTime;

use auth_core::testing::TestAuthority;
use auth_core::{Error, Keyring, Secret};
use other_dependency::jsonwebtoken::{DecodingKey, Validation, decode};

const SECRET: &[u8] = b"wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P";

#[test]
fn with_both_backends_jsonwebtoken_panics() {
    let authority = TestAuthority::new();
    let token = authority.token_for("42");
    let result = panic::catch_unwind(|| {
        decode::<serde_json::Value>(
            &token,
            &DecodingKey::from_secret(SECRET),
            &Validation::default(),
        )
        .map(drop)
        .map_err(|error| error.to_string())
    });
    assert!(
        result.is_err(),
        "only one backend is enabled, so this tests nothing: {result:?}"
    );
}

#[test]
fn auth_core_issues_verifies_and_rejects_tokens() {
    let authority = TestAuthority::new();
    let (verifier, now) = (authority.verifier(), SystemTime::now());
    assert_eq!(
        verifier.verify(&authority.token_for("42"), now).unwrap().sub,
        "42"
    );
    let result = verifier.verify(&authority.expired_token_for("42"), now);
    assert_eq!(result, Err(Error::Expired));
    let unrelated_token = TestAuthority::new().token_for("42");
    assert_eq!(
        verifier.verify(&unrelated_token, now),
        Err(Error::SignatureMismatch)
    );
}

#[test]
fn auth_core_signs_and_verifies_with_public_keys() {
    use auth_core::public_key::{Algorithm, KeySet, SigningKey};
    use auth_core::{Subject, TokenIssuer, TokenVerifier};
    use std::time::Duration;

    for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
        let key = SigningKey::generate(algorithm).unwrap();
        let keys = KeySet::new([key.public_key().clone()]).unwrap();
        let issuer = TokenIssuer::new(key, "api-server", "api", Duration::from_secs(900)).unwrap();
        let verifier = TokenVerifier::new(keys, "api-server", "api").unwrap();
        let subject = Subject {
            id: "42",
            email: "ada@example.com",
            email_verified: None,
            session_id: "7",
        };
        let now = SystemTime::now();
        let token = issuer.issue(&subject, now).unwrap().token;
        assert_eq!(verifier.verify(&token, now).unwrap().sub, "42");
    }
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

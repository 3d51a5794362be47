//! Tests the tokens that a [`TestAuthority`] with a private key issues for the tests of a service.

use std::time::SystemTime;

use auth_core::public_key::{Algorithm, KeySet};
use auth_core::testing::TestAuthority;
use auth_core::{Error, TokenVerifier};

use crate::fixtures::ALGORITHMS;

const ISSUER: &str = "https://auth.example.com";

fn authority(algorithm: Algorithm) -> TestAuthority {
    TestAuthority::with_issuer_and_audience(ISSUER, "reports").with_private_key(algorithm)
}

/// Returns a verifier as a service creates it from the published key set.
fn verifier_of(authority: &TestAuthority) -> TokenVerifier {
    let document = authority.public_keys().to_jwks();
    let keys = KeySet::from_jwks(document.as_bytes()).unwrap();
    TokenVerifier::new(keys, ISSUER, "reports").unwrap()
}

#[test]
fn a_service_with_the_published_document_accepts_its_tokens() {
    for algorithm in ALGORITHMS {
        let authority = authority(algorithm);
        let token = authority.token_with_roles("42", &["admin"]);
        for verifier in [verifier_of(&authority), authority.verifier()] {
            let claims = verifier.verify(&token, SystemTime::now()).unwrap();
            assert!(claims.sub == "42" && claims.has_role("admin"));
        }
    }
}

#[test]
fn a_service_rejects_tokens_of_another_test_authority() {
    for algorithm in ALGORITHMS {
        let authority = authority(algorithm);
        let with_another_key = authority.clone().with_private_key(algorithm);
        let with_a_secret = TestAuthority::with_issuer_and_audience(ISSUER, "reports");
        for other_authority in [with_another_key, with_a_secret] {
            let token = other_authority.token_for("42");
            let result = verifier_of(&authority).verify(&token, SystemTime::now());
            assert!(
                matches!(
                    result,
                    Err(Error::UnknownKey | Error::UnacceptableHeader(_))
                ),
                "{result:?}"
            );
        }
    }
}

#[test]
fn its_verifier_rejects_expired_and_revoked_tokens() {
    for algorithm in ALGORITHMS {
        let authority = authority(algorithm);
        let verify = |token: &str| authority.verifier().verify(token, SystemTime::now());
        assert_eq!(
            verify(&authority.expired_token_for("42")),
            Err(Error::Expired)
        );
        let token = authority.token_for("42");
        assert!(verify(&token).is_ok());
        authority.revoke_session_of("42");
        assert_eq!(verify(&token), Err(Error::Revoked));
    }
}

#[test]
#[should_panic(expected = "call with_private_key first")]
fn an_authority_with_a_secret_has_no_public_keys() {
    let _keys = TestAuthority::new().public_keys();
}

//! Tests tokens that are signed with a signing key.

use auth_core::public_key::{Algorithm, PublicKey, SigningKey};
use auth_core::{Error, TokenIssuer};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::fixtures::{
    ALGORITHMS, AUDIENCE, ISSUER, SUBJECT, issuer, now, public_key, token, verify,
};

fn decode(token: &str, part: usize) -> Value {
    let part = token.split('.').nth(part).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[test]
fn a_verifier_returns_the_claims_of_the_issuer() {
    for algorithm in ALGORITHMS {
        let issued = issuer(algorithm).issue(&SUBJECT, now()).unwrap();
        assert_eq!(verify(algorithm, &issued.token).unwrap(), issued.claims);
    }
}

#[test]
fn the_header_names_type_algorithm_and_key() {
    for algorithm in ALGORITHMS {
        let header = decode(&token(algorithm), 0);
        assert_eq!(header["typ"], "at+jwt");
        assert_eq!(header["alg"], algorithm.name());
        assert_eq!(header["kid"], public_key(algorithm).thumbprint());
        assert_eq!(header.as_object().unwrap().len(), 3);
    }
}

#[test]
fn the_payload_is_the_same_as_with_a_secret() {
    let payload = decode(&token(Algorithm::EdDsa), 1);
    let names: Vec<&str> = payload
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        names,
        [
            "aud",
            "email",
            "email_verified",
            "exp",
            "iat",
            "iss",
            "jti",
            "sid",
            "sub"
        ]
    );
}

#[test]
fn equal_input_results_in_the_same_token() {
    for algorithm in ALGORITHMS {
        let issue = |jti: &str| {
            let issued = issuer(algorithm).issue_with_id(&SUBJECT, jti.to_owned(), now());
            issued.unwrap().token
        };
        assert_eq!(issue("t1"), issue("t1"));
        assert_ne!(issue("t1"), issue("t2"));
    }
}

#[test]
fn every_signature_has_64_bytes() {
    for algorithm in ALGORITHMS {
        for _ in 0..20 {
            let token = token(algorithm);
            let signature = token.rsplit_once('.').unwrap().1;
            assert_eq!(URL_SAFE_NO_PAD.decode(signature).unwrap().len(), 64);
        }
    }
}

#[test]
fn a_token_of_another_key_with_the_same_id_is_rejected() {
    for algorithm in ALGORITHMS {
        let other_key = SigningKey::generate(algorithm).unwrap();
        let lifetime = std::time::Duration::from_secs(900);
        let other_issuer = TokenIssuer::new(other_key.clone(), ISSUER, AUDIENCE, lifetime).unwrap();
        let token = other_issuer.issue(&SUBJECT, now()).unwrap().token;
        let other_id = other_key.public_key().key_id();
        let jwk = public_key(algorithm)
            .to_jwk()
            .replace(public_key(algorithm).key_id(), other_id);
        let keys = [PublicKey::from_jwk(&jwk).unwrap()];
        let keys = auth_core::public_key::KeySet::new(keys).unwrap();
        let result = crate::fixtures::verifier(keys).verify(&token, now());
        assert_eq!(result, Err(Error::SignatureMismatch));
    }
}

#[test]
fn a_token_that_would_be_too_long_is_an_error() {
    let email = "a".repeat(9000);
    let subject = auth_core::Subject {
        email: &email,
        ..SUBJECT
    };
    for algorithm in ALGORITHMS {
        let result = issuer(algorithm).issue(&subject, now());
        assert_eq!(result.map(|issued| issued.token), Err(Error::TokenTooLong));
    }
}

//! Tests verifiers of several issuers.

use std::time::Duration;

use auth_core::public_key::{Algorithm, KeySet, PublicKey};
use auth_core::{Claims, Error, Issuers, Keyring, Secret, TokenIssuer, TokenVerifier};

use crate::fixtures::{
    ALGORITHMS, AUDIENCE, ISSUER, SUBJECT, base64url, header, key_set, now, payload, public_key,
    sign, signing_key, token,
};

const OTHER_ISSUER: &str = "https://partner.example";
const SECRET_ISSUER: &str = "api-server";

fn keyring() -> Keyring {
    Keyring::new(Secret::new("wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P").unwrap())
}

/// Returns the verifiers of three issuers: with an Ed25519 key, with a P-256 key, and with a secret.
fn issuers() -> Issuers {
    Issuers::new([
        TokenVerifier::new(key_set(Algorithm::EdDsa), ISSUER, AUDIENCE).unwrap(),
        TokenVerifier::new(key_set(Algorithm::Es256), OTHER_ISSUER, AUDIENCE).unwrap(),
        TokenVerifier::new(keyring(), SECRET_ISSUER, AUDIENCE).unwrap(),
    ])
    .unwrap()
}

fn verify(token: &str) -> Result<Claims, Error> {
    issuers().verify(token, now())
}

fn token_of(signer: impl Into<auth_core::TokenSigner>, issuer: &str) -> String {
    let lifetime = Duration::from_secs(900);
    let issuer = TokenIssuer::new(signer, issuer, AUDIENCE, lifetime).unwrap();
    issuer.issue(&SUBJECT, now()).unwrap().token
}

#[test]
fn a_token_of_each_issuer_is_accepted() {
    for token in [
        token_of(signing_key(Algorithm::EdDsa), ISSUER),
        token_of(signing_key(Algorithm::Es256), OTHER_ISSUER),
        token_of(keyring(), SECRET_ISSUER),
    ] {
        assert_eq!(verify(&token).unwrap().sub, "42");
    }
}

#[test]
fn no_issuer_can_sign_for_another() {
    for (signer, own_issuer) in [
        (signing_key(Algorithm::EdDsa), ISSUER),
        (signing_key(Algorithm::Es256), OTHER_ISSUER),
    ] {
        for issuer in [ISSUER, OTHER_ISSUER, SECRET_ISSUER] {
            let result = verify(&token_of(signer.clone(), issuer));
            assert_eq!(result.is_ok(), issuer == own_issuer, "{issuer}");
        }
    }
    for issuer in [ISSUER, OTHER_ISSUER] {
        assert!(verify(&token_of(keyring(), issuer)).is_err());
    }
}

#[test]
fn equal_key_ids_of_two_issuers_do_not_mix_their_keys() {
    let with_id = |algorithm| {
        let key: PublicKey = public_key(algorithm);
        let jwk = key.to_jwk().replace(key.key_id(), "1");
        KeySet::new([PublicKey::from_jwk(&jwk).unwrap()]).unwrap()
    };
    let issuers = Issuers::new([
        TokenVerifier::new(with_id(Algorithm::EdDsa), ISSUER, AUDIENCE).unwrap(),
        TokenVerifier::new(with_id(Algorithm::Es256), OTHER_ISSUER, AUDIENCE).unwrap(),
    ])
    .unwrap();
    for algorithm in ALGORITHMS {
        let header = format!(r#"{{"alg":"{algorithm}","typ":"at+jwt","kid":"1"}}"#);
        for issuer in [ISSUER, OTHER_ISSUER] {
            let payload = payload().replace(ISSUER, issuer);
            let result = issuers.verify(&sign(algorithm, &header, &payload), now());
            let is_own = (algorithm == Algorithm::EdDsa) == (issuer == ISSUER);
            assert_eq!(result.is_ok(), is_own, "{algorithm} {issuer}");
        }
    }
}

#[test]
fn an_issuer_is_compared_exactly() {
    for issuer in [
        "https://auth.example.com/",
        "https://AUTH.example.com",
        " https://auth.example.com",
        "",
        "x",
    ] {
        let payload = payload().replace(ISSUER, issuer);
        let token = sign(Algorithm::EdDsa, &header(Algorithm::EdDsa), &payload);
        assert_eq!(verify(&token), Err(Error::InvalidClaim("iss")), "{issuer}");
    }
}

#[test]
fn the_issuer_is_read_strictly_before_anything_is_verified() {
    let own_issuer = format!(r#""iss":"{ISSUER}""#);
    for (member, expected) in [
        (
            format!(r#"{own_issuer},"iss":"{OTHER_ISSUER}""#),
            Error::InvalidClaim("iss"),
        ),
        (
            format!("{own_issuer},{own_issuer}"),
            Error::InvalidClaim("iss"),
        ),
        (
            format!(r#"{own_issuer},"\u0069ss":"{OTHER_ISSUER}""#),
            Error::InvalidClaim("iss"),
        ),
        (r#""iss":null"#.to_owned(), Error::InvalidClaim("iss")),
        (r#""iss":7"#.to_owned(), Error::InvalidClaim("iss")),
        (format!(r#""iss":["{ISSUER}"]"#), Error::InvalidClaim("iss")),
        (r#""a":1"#.to_owned(), Error::MissingClaim("iss")),
    ] {
        let payload = payload().replace(&own_issuer, &member);
        let token = sign(Algorithm::EdDsa, &header(Algorithm::EdDsa), &payload);
        assert_eq!(verify(&token), Err(expected), "{member}");
    }
    // An escaped name is the same name.
    let escaped = payload().replace("\"iss\"", r#""\u0069ss""#);
    assert!(verify(&sign(Algorithm::EdDsa, &header(Algorithm::EdDsa), &escaped)).is_ok());
}

#[test]
fn a_malformed_token_is_rejected() {
    let long_token = "a".repeat(8193);
    for token in ["", "a", "a.b", "a.b.c", "a.b.c.d", "..", &long_token] {
        assert_eq!(verify(token).unwrap_err().status(), 401, "{token:.10}");
    }
    for payload in ["", "[]", "7", "{", "{}", r#"{"iss":"#, "\u{feff}{}"] {
        let token = format!("{}.{}.AA", base64url("{}"), base64url(payload));
        assert_eq!(verify(&token).unwrap_err().status(), 401, "{payload}");
    }
}

#[test]
fn issuers_are_different_and_at_least_one() {
    let verifier = || TokenVerifier::new(keyring(), SECRET_ISSUER, AUDIENCE).unwrap();
    assert!(Issuers::new([]).is_err());
    assert!(Issuers::new([verifier(), verifier()]).is_err());
    assert!(Issuers::new([verifier()]).is_ok());
}

#[test]
fn a_single_verifier_checks_every_token() {
    let issuers =
        Issuers::from(TokenVerifier::new(key_set(Algorithm::EdDsa), ISSUER, AUDIENCE).unwrap());
    assert!(issuers.verify(&token(Algorithm::EdDsa), now()).is_ok());
    let result = issuers.verify(&token(Algorithm::Es256), now());
    assert_eq!(result, Err(Error::UnknownKey));
}

//! Tests keys and signatures with the vectors of Wycheproof and of the RFCs. Claims in the payloads are not checked.

use base16ct::mixed::decode_vec;
use serde::Deserialize;
use serde_json::{Value, json};

use super::eddsa::Ed25519Key;
use super::es256::P256Key;
use super::{JwkSet, KeySet, PublicKey};
use crate::jws::Jws;
use crate::token_type::{TokenType, TokenTypes};
use crate::{Error, VerificationKeys};

const ED25519_VECTORS: &str = include_str!("../../tests/vectors/wycheproof_ed25519.jsonl");
const P256_VECTORS: &str = include_str!("../../tests/vectors/wycheproof_ecdsa_p256.jsonl");
const JWS_VECTORS: &str = include_str!("../../tests/vectors/wycheproof_public_keys.jsonl");
const RFC_VECTORS: &str = include_str!("../../tests/vectors/rfc_jws_jwt.json");

#[derive(Deserialize)]
struct SignatureVector {
    id: u32,
    key: String,
    message: String,
    signature: String,
    result: String,
}

#[derive(Deserialize)]
struct JwsVector {
    id: String,
    alg: String,
    keys: Value,
    jws: String,
    expect: String,
}

#[derive(Deserialize)]
struct RfcVector {
    id: String,
    jwk: Option<Value>,
    token: String,
}

fn parse_lines<T: for<'t> Deserialize<'t>>(json_lines: &str) -> Vec<T> {
    let parse = |line| serde_json::from_str(line).unwrap();
    json_lines.lines().map(parse).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    decode_vec(hex).unwrap()
}

/// Asserts that `verifies` returns the expected result for every signature. Returns the number of valid signatures.
fn check_signatures(vectors: &str, verifies: impl Fn(&[u8], &[u8], &[u8]) -> bool) -> usize {
    let vectors: Vec<SignatureVector> = parse_lines(vectors);
    for vector in &vectors {
        let (key, message) = (bytes(&vector.key), bytes(&vector.message));
        let is_valid = verifies(&key, &message, &bytes(&vector.signature));
        assert_eq!(is_valid, vector.result == "valid", "{}", vector.id);
    }
    vectors
        .iter()
        .filter(|vector| vector.result == "valid")
        .count()
}

#[test]
fn every_ed25519_signature_of_wycheproof_has_the_expected_result() {
    let count = check_signatures(ED25519_VECTORS, |key, message, signature| {
        let key = Ed25519Key::new(key.try_into().unwrap()).unwrap();
        key.verifies(message, signature)
    });
    assert_eq!(count, 88);
}

/// The points of some keys have small coordinates. These keys are valid too.
#[test]
fn every_p256_signature_of_wycheproof_has_the_expected_result() {
    let count = check_signatures(P256_VECTORS, |key, message, signature| {
        let (x, y) = key[1..].split_at(32);
        let key = P256Key::new(x.try_into().unwrap(), y.try_into().unwrap()).unwrap();
        key.verifies(message, signature)
    });
    assert_eq!(count, 173);
}

#[cfg(feature = "rs256")]
#[test]
fn every_rsa_signature_of_wycheproof_has_the_expected_result() {
    #[derive(Deserialize)]
    struct RsaVector {
        id: u32,
        n: String,
        e: String,
        message: String,
        signature: String,
        result: String,
    }
    let vectors: Vec<RsaVector> = parse_lines(include_str!(
        "../../tests/vectors/wycheproof_rsa_2048.jsonl"
    ));
    assert_eq!(vectors.len(), 259);
    let strip_zeros = |hex: &str| bytes(hex.strip_prefix("00").unwrap_or(hex));
    for vector in vectors {
        let exponent = bytes(&vector.e)
            .into_iter()
            .skip_while(|byte| *byte == 0)
            .collect();
        let key = super::rs256::RsaKey::new(strip_zeros(&vector.n), exponent).unwrap();
        let is_valid = key.verifies(&bytes(&vector.message), &bytes(&vector.signature));
        // The result `acceptable` means that the hash algorithm lacks the parameter NULL. Such a signature is rejected.
        assert_eq!(is_valid, vector.result == "valid", "{}", vector.id);
    }
}

fn verify(keys: KeySet, token: &str) -> Result<(), Error> {
    let types = [TokenType::AccessToken, TokenType::Jwt, TokenType::Absent];
    VerificationKeys::from(keys).verify(&Jws::split(token)?, TokenTypes::new(types)?)
}

/// Without the feature `rs256` no RSA key is usable, so no RS256 token is accepted.
#[test]
fn every_jws_of_wycheproof_has_the_expected_result() {
    let vectors: Vec<JwsVector> = parse_lines(JWS_VECTORS);
    assert_eq!(vectors.len(), 290);
    let mut accepted_count = 0;
    for vector in vectors {
        let document = json!({ "keys": vector.keys }).to_string();
        let result = KeySet::from_jwks(document.as_bytes());
        let result = result.and_then(|keys| verify(keys, &vector.jws));
        let is_supported = cfg!(feature = "rs256") || vector.alg != "RS256";
        let should_pass = vector.expect == "accept" && is_supported;
        assert_eq!(result.is_ok(), should_pass, "{}: {result:?}", vector.id);
        accepted_count += usize::from(result.is_ok());
    }
    assert_eq!(accepted_count, if cfg!(feature = "rs256") { 12 } else { 2 });
}

/// The tokens of the RFCs have no `kid`, so a key set rejects them, although their signatures are valid.
#[test]
fn the_examples_of_the_rfcs_have_valid_signatures_and_need_a_key_id() {
    let vectors: Vec<RfcVector> = serde_json::from_str(RFC_VECTORS).unwrap();
    for id in ["rfc7515-A.3", "rfc8037-A.4"] {
        let vector = vectors.iter().find(|vector| vector.id == id).unwrap();
        let key = PublicKey::from_jwk(&vector.jwk.as_ref().unwrap().to_string()).unwrap();
        let jws = Jws::split(&vector.token).unwrap();
        assert_eq!(jws.verify_signature(&key), Ok(()), "{id}");
        let result = verify(KeySet::new([key]).unwrap(), &vector.token);
        let expected = Error::UnacceptableHeader("The token does not name its key (kid)");
        assert_eq!(result, Err(expected), "{id}");
    }
}

#[test]
fn a_secret_of_wycheproof_is_never_a_key_of_a_set() {
    let document = json!({ "keys": [
        { "kty": "oct", "alg": "HS256", "use": "sig", "kid": "a", "k": "-ebuDNsVZ2iJtoZ-akfXTSCt4UO2cruLCsbWlBinggE" },
        { "kty": "oct", "alg": "A256GCM", "use": "sig", "kid": "b", "k": "-ebuDNsVZ2iJtoZ-akfXTSCt4UO2cruLCsbWlBinggE" },
        { "kty": "oct", "alg": "HS256", "use": "sig", "kid": "c", "k": "" },
    ] });
    let set = JwkSet::parse(document.to_string().as_bytes()).unwrap();
    assert!(set.keys().is_empty());
    assert!(
        set.skipped()
            .iter()
            .all(|key| key.reason.to_string().contains("is a secret"))
    );
}

//! Tests JWS verification with the vectors of Wycheproof and of the RFCs. Claims in the payloads are not checked.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::Jws;
use crate::{Error, Keyring, Secret};

const HS256_VECTORS: &str = include_str!("../../tests/vectors/wycheproof_hs256.jsonl");
const OTHER_ALGORITHM_VECTORS: &str =
    include_str!("../../tests/vectors/wycheproof_other_algorithms.jsonl");
const RFC_VECTORS: &str = include_str!("../../tests/vectors/rfc_jws_jwt.json");

#[derive(Deserialize)]
struct WycheproofVector {
    id: String,
    class: String,
    key: KeyOrKeySet,
    jws: String,
    expect: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum KeyOrKeySet {
    Set { keys: Vec<OctetKey> },
    Single(OctetKey),
}

#[derive(Deserialize)]
struct OctetKey {
    k: String,
}

#[derive(Deserialize)]
struct OtherAlgorithmVector {
    id: String,
    jws: String,
}

#[derive(Deserialize)]
struct RfcVector {
    id: String,
    alg: String,
    jwk: Option<serde_json::Value>,
    token: String,
    layer: String,
    expect: String,
}

impl OctetKey {
    fn bytes(&self) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(&self.k).unwrap()
    }

    fn secret(&self) -> Secret {
        Secret::unchecked(self.bytes())
    }
}

impl KeyOrKeySet {
    fn keys(&self) -> &[OctetKey] {
        match self {
            Self::Set { keys } => keys,
            Self::Single(key) => std::slice::from_ref(key),
        }
    }

    fn keyring(&self) -> Keyring {
        let (current, previous) = self.keys().split_first().unwrap();
        Keyring::new(current.secret()).with_previous(previous.iter().map(OctetKey::secret))
    }
}

fn parse_lines<T: for<'t> Deserialize<'t>>(json_lines: &str) -> Vec<T> {
    let parse = |line| serde_json::from_str(line).unwrap();
    json_lines.lines().map(parse).collect()
}

fn token_vectors(expect: &str) -> Vec<WycheproofVector> {
    let mut vectors = parse_lines::<WycheproofVector>(HS256_VECTORS);
    vectors.retain(|vector| vector.class == "token" && vector.expect == expect);
    vectors
}

fn key_vector(id: &str) -> WycheproofVector {
    let mut vectors = parse_lines::<WycheproofVector>(HS256_VECTORS).into_iter();
    vectors
        .find(|vector| vector.class == "key" && vector.id == id)
        .unwrap()
}

fn verify(token: &str, keyring: &Keyring) -> Result<(), Error> {
    let jws = Jws::split(token)?;
    jws.verify(keyring, None)?;
    jws.with_payload(|_text| Ok(()))
}

#[test]
fn every_valid_hs256_token_of_wycheproof_is_accepted() {
    let vectors = token_vectors("accept");
    assert_eq!(vectors.len(), 11);
    for vector in vectors {
        let result = verify(&vector.jws, &vector.key.keyring());
        assert_eq!(result, Ok(()), "{}", vector.id);
    }
}

#[test]
fn every_invalid_hs256_token_of_wycheproof_is_rejected() {
    let vectors = token_vectors("reject");
    assert_eq!(vectors.len(), 32);
    for vector in vectors {
        let result = verify(&vector.jws, &vector.key.keyring());
        assert!(result.is_err(), "{}", vector.id);
    }
}

#[test]
fn short_and_empty_keys_of_wycheproof_are_rejected_and_a_long_key_is_accepted() {
    for (id, length) in [("json_web_key:10", 31), ("json_web_key:16", 0)] {
        let short_key = key_vector(id).key.keys()[0].bytes();
        assert_eq!(short_key.len(), length, "{id}");
        let result = Secret::new(short_key).map(|_accepted| ());
        assert!(matches!(result, Err(Error::WeakSecret(_))), "{id}");
    }
    let long_key_vector = key_vector("json_web_key:13");
    assert_eq!(long_key_vector.expect, "accept");
    let secret = Secret::new(long_key_vector.key.keys()[0].bytes()).unwrap();
    assert_eq!(secret.expose().len(), 65);
    assert_eq!(verify(&long_key_vector.jws, &Keyring::new(secret)), Ok(()));
}

#[test]
fn no_token_of_another_algorithm_is_accepted_under_any_hs256_key_of_wycheproof() {
    let vectors = parse_lines::<OtherAlgorithmVector>(OTHER_ALGORITHM_VECTORS);
    assert_eq!(vectors.len(), 359);
    let keyrings: Vec<Keyring> = parse_lines::<WycheproofVector>(HS256_VECTORS)
        .iter()
        .map(|vector| vector.key.keyring())
        .collect();
    assert_eq!(keyrings.len(), 11 + 32 + 3);
    for vector in vectors {
        for keyring in &keyrings {
            assert!(verify(&vector.jws, keyring).is_err(), "{}", vector.id);
        }
    }
}

/// Valid `ES256` and `EdDSA` examples must be rejected too: a [`Keyring`] verifies only `HS256`.
#[test]
fn jws_examples_of_the_rfcs_are_accepted_only_if_they_are_hs256() {
    let mut vectors: Vec<RfcVector> = serde_json::from_str(RFC_VECTORS).unwrap();
    assert_eq!(vectors.len(), 15);
    vectors.retain(|vector| vector.layer == "jws");
    assert_eq!(vectors.len(), 10);
    let mut accepted_ids = Vec::new();
    for vector in &vectors {
        let key_bytes = vector
            .jwk
            .as_ref()
            .and_then(|jwk| jwk.get("k")?.as_str())
            .map(|k| URL_SAFE_NO_PAD.decode(k).unwrap());
        let secret = key_bytes.map_or_else(|| Secret::generate().unwrap(), Secret::unchecked);
        let result = verify(&vector.token, &Keyring::new(secret));
        let should_pass = vector.expect == "accept" && vector.alg == "HS256";
        assert_eq!(result.is_ok(), should_pass, "{}: {result:?}", vector.id);
        accepted_ids.extend(result.is_ok().then_some(vector.id.as_str()));
    }
    assert_eq!(accepted_ids, ["rfc7515-A.1", "rfc7520-4.4"]);
}

//! Parses arbitrary bytes as a JWK Set document and as a key in PEM. Nothing must panic, the keys of an accepted document
//! must pass the checks of `require_valid`, and no key must verify a token that it did not sign.
#![no_main]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_core::TokenVerifier;
use auth_core::public_key::{JwkSet, KeySet, MAX_KEYS, PublicKey, SigningKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const PRIVATE_NAMES: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Checks a key of an accepted document, as another JSON parser reads the document.
fn require_valid(key: &PublicKey, element: &Value) {
    let text = |name: &str| element.get(name).map(|value| value.as_str().unwrap());
    assert_eq!(text("kid"), Some(key.key_id()));
    assert!(!PRIVATE_NAMES.iter().any(|name| element.get(name).is_some()));
    assert!(matches!(text("use"), None | Some("sig")));
    if let Some(operations) = element.get("key_ops") {
        assert!(operations.as_array().unwrap().contains(&Value::from("verify")));
    }
    let (kty, crv, alg) = match key.algorithm().name() {
        "EdDSA" => ("OKP", "Ed25519", ["EdDSA", "Ed25519"]),
        _ => ("EC", "P-256", ["ES256", "ES256"]),
    };
    assert_eq!((text("kty"), text("crv")), (Some(kty), Some(crv)));
    assert!(text("alg").is_none_or(|name| alg.contains(&name)));
    for name in ["x", "y"].into_iter().take(if kty == "EC" { 2 } else { 1 }) {
        assert_eq!(URL_SAFE_NO_PAD.decode(text(name).unwrap()).unwrap().len(), 32);
    }
    assert_eq!(PublicKey::from_jwk(&key.to_jwk()).as_ref(), Ok(key));
}

/// Requires that the key does not verify a token with a signature that its private key did not make.
fn require_unforgeable(key: &PublicKey) {
    let header = format!(
        r#"{{"alg":"{}","typ":"at+jwt","kid":{}}}"#,
        key.algorithm(),
        Value::from(key.key_id())
    );
    let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
    let keys = KeySet::new([key.clone()]).unwrap();
    let verifier = TokenVerifier::new(keys, "api-server", "api").unwrap();
    let now: SystemTime = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    // R = the neutral element and S = 0: a valid signature under every key of small order.
    let mut neutral = [0; 64];
    neutral[0] = 1;
    for signature in [neutral, [0; 64]] {
        let token = format!("{}.{}.{}", encode(header.as_bytes()), encode(b"{}"), encode(&signature));
        let error = verifier.verify(&token, now).unwrap_err();
        // A signature that matched would lead to an error about the claims, which are absent.
        let message = error.to_string();
        assert!(message.contains("signature") || token.len() > 8192, "{message}");
    }
}

fuzz_target!(|input: &[u8]| {
    if let Ok(set) = JwkSet::parse(input) {
        let document: Value = match serde_json::from_slice(input) {
            Ok(document) => document,
            // `serde_json` also parses the members that `JwkSet` ignores, and has limits for them.
            Err(_limit) => return,
        };
        let elements = document["keys"].as_array().unwrap();
        assert_eq!(set.keys().len() + set.skipped().len(), elements.len());
        assert!(elements.len() <= MAX_KEYS);
        let is_skipped = |index: &usize| set.skipped().iter().any(|key| key.index == *index);
        let used = (0..elements.len()).filter(|index| !is_skipped(index));
        for (key, index) in set.keys().iter().zip(used) {
            require_valid(key, &elements[index]);
            require_unforgeable(key);
        }
        for skipped in set.skipped() {
            assert_eq!(skipped.to_string().lines().count(), 1);
        }
        if !set.keys().is_empty() {
            let keys = KeySet::new(set.keys().iter().cloned()).unwrap();
            assert_eq!(KeySet::from_jwks(keys.to_jwks().as_bytes()), Ok(keys));
        }
    }
    if let Ok(text) = std::str::from_utf8(input) {
        if let Ok(key) = PublicKey::from_pem(text) {
            assert_eq!(PublicKey::from_pem(&key.to_pem().unwrap()), Ok(key));
        }
        if let Ok(key) = SigningKey::from_pem(text) {
            let read = SigningKey::from_pem(&key.to_pem().unwrap()).unwrap();
            assert_eq!(read.public_key(), key.public_key());
        }
    }
});

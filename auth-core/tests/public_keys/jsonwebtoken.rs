//! Compares this crate with `jsonwebtoken`: each verifies tokens of the other, and `jsonwebtoken` reads key sets of
//! this crate. Shows why this crate does not read keys with `jsonwebtoken`.

use ::jsonwebtoken::jwk::{self, ThumbprintHash};
use ::jsonwebtoken::{
    Algorithm as OtherAlgorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode,
};
use auth_core::public_key::{Algorithm, KeySet};
use serde_json::Value;

use crate::fixtures::{
    ALGORITHMS, AUDIENCE, ISSUER, der, key_set, payload, public_key, token, verify,
};

const fn other_algorithm(algorithm: Algorithm) -> OtherAlgorithm {
    match algorithm {
        Algorithm::EdDsa => OtherAlgorithm::EdDSA,
        _ => OtherAlgorithm::ES256,
    }
}

fn read_set(keys: &KeySet) -> jwk::JwkSet {
    serde_json::from_str(&keys.to_jwks()).unwrap()
}

#[test]
fn it_verifies_tokens_of_this_crate_with_the_published_keys() {
    for algorithm in ALGORITHMS {
        let set = read_set(&key_set(algorithm));
        let token = token(algorithm);
        let key_id = ::jsonwebtoken::decode_header(&token).unwrap().kid.unwrap();
        let key = DecodingKey::from_jwk(set.find(&key_id).unwrap()).unwrap();
        let mut validation = Validation::new(other_algorithm(algorithm));
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        let claims = decode::<Value>(&token, &key, &validation).unwrap().claims;
        assert_eq!(claims["sub"], "42");
    }
}

#[test]
fn it_computes_the_same_thumbprints() {
    for algorithm in ALGORITHMS {
        let set = read_set(&key_set(algorithm));
        let thumbprint = set.keys[0].thumbprint(ThumbprintHash::SHA256).unwrap();
        assert_eq!(thumbprint, public_key(algorithm).thumbprint());
    }
}

#[test]
fn its_tokens_are_accepted() {
    for algorithm in ALGORITHMS {
        let key = match algorithm {
            Algorithm::EdDsa => EncodingKey::from_ed_der(&der("ed25519")),
            _ => EncodingKey::from_ec_der(&der("p256")),
        };
        let header = Header {
            typ: Some("at+jwt".to_owned()),
            kid: Some(public_key(algorithm).key_id().to_owned()),
            ..Header::new(other_algorithm(algorithm))
        };
        let claims: Value = serde_json::from_str(&payload()).unwrap();
        let token = encode(&header, &claims, &key).unwrap();
        assert_eq!(verify(algorithm, &token).unwrap().sub, "42");
    }
}

/// Shows why this crate does not read key sets with `jsonwebtoken`.
#[test]
fn one_bad_key_makes_the_whole_set_unusable_for_it() {
    let jwk = public_key(Algorithm::EdDsa).to_jwk();
    for other_key in [
        r#"{"kty":"OKP","kid":7}"#,
        "null",
        r#"{"kty":"EC","x5c":"text"}"#,
    ] {
        let document = format!(r#"{{"keys":[{jwk},{other_key}]}}"#);
        assert!(
            serde_json::from_str::<jwk::JwkSet>(&document).is_err(),
            "{other_key}"
        );
        assert!(
            KeySet::from_jwks(document.as_bytes()).is_ok(),
            "{other_key}"
        );
    }
}

/// Shows why this crate does not decode keys with `jsonwebtoken`, which ignores `use`, `key_ops`, `crv` and `d`.
#[test]
fn it_accepts_keys_that_are_not_for_verifying() {
    let jwk = public_key(Algorithm::Es256).to_jwk();
    for (old, new) in [
        (r#""use":"sig""#, r#""use":"enc""#),
        (r#""use":"sig""#, r#""key_ops":["encrypt"]"#),
        (r#""use":"sig""#, r#""d":"AA""#),
        (r#""crv":"P-256""#, r#""crv":"P-384""#),
    ] {
        let document = format!(r#"{{"keys":[{}]}}"#, jwk.replace(old, new));
        let set: jwk::JwkSet = serde_json::from_str(&document).unwrap();
        assert!(DecodingKey::from_jwk(&set.keys[0]).is_ok(), "{new}");
        assert!(KeySet::from_jwks(document.as_bytes()).is_err(), "{new}");
    }
}

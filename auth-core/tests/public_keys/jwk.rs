//! Tests which single JSON Web Keys are accepted, and which are rejected.

mod points;
#[cfg(feature = "rs256")]
mod rsa;

use auth_core::public_key::{Algorithm, PublicKey};
use serde_json::{Map, Value, json};

use crate::fixtures::{ALGORITHMS, invalid_key, public_key};

/// Returns the JWK of the key of an algorithm.
fn jwk(algorithm: Algorithm) -> Map<String, Value> {
    let value: Value = serde_json::from_str(&public_key(algorithm).to_jwk()).unwrap();
    value.as_object().unwrap().clone()
}

/// Reads the JWK of the algorithm with this member, which replaces the valid one.
fn read_with(
    algorithm: Algorithm,
    name: &str,
    value: impl Into<Value>,
) -> Result<PublicKey, auth_core::Error> {
    let mut jwk = jwk(algorithm);
    jwk.insert(name.to_owned(), value.into());
    PublicKey::from_jwk(&Value::from(jwk).to_string())
}

fn rejection(algorithm: Algorithm, name: &str, value: impl Into<Value>) -> &'static str {
    invalid_key(read_with(algorithm, name, value))
}

#[test]
fn a_written_key_is_read_again_and_has_no_private_member() {
    for algorithm in ALGORITHMS {
        let key = public_key(algorithm);
        assert_eq!(PublicKey::from_jwk(&key.to_jwk()).unwrap(), key);
        let names: Vec<String> = jwk(algorithm).keys().cloned().collect();
        let expected: &[&str] = match algorithm {
            Algorithm::EdDsa => &["alg", "crv", "kid", "kty", "use", "x"],
            _ => &["alg", "crv", "kid", "kty", "use", "x", "y"],
        };
        assert_eq!(names, expected);
        assert_eq!(jwk(algorithm)["kid"], key.thumbprint());
        assert_eq!(jwk(algorithm)["alg"], algorithm.name());
    }
}

#[test]
fn optional_members_may_be_absent_and_unknown_ones_are_ignored() {
    for algorithm in ALGORITHMS {
        let mut jwk = jwk(algorithm);
        for name in ["alg", "use", "kid"] {
            jwk.remove(name);
        }
        let key = PublicKey::from_jwk(&Value::from(jwk.clone()).to_string()).unwrap();
        assert_eq!(key.key_id(), key.thumbprint());
        for ignored in [
            json!(null),
            json!(7),
            json!("text"),
            json!([{}]),
            json!({ "d": "x" }),
        ] {
            for name in ["x5c", "x5u", "x5t", "x5t#S256", "iat", "exp", "ext", ""] {
                jwk.insert(name.to_owned(), ignored.clone());
            }
            assert!(PublicKey::from_jwk(&Value::from(jwk.clone()).to_string()).is_ok());
        }
    }
}

#[test]
fn any_text_but_the_empty_one_is_a_key_id() {
    for key_id in ["1", "a b", "\u{e4}\n", &"x".repeat(10_000)] {
        let key = read_with(Algorithm::EdDsa, "kid", key_id).unwrap();
        assert_eq!(key.key_id(), key_id);
        assert_ne!(key.thumbprint(), key_id);
    }
    assert!(rejection(Algorithm::EdDsa, "kid", "").contains("`kid` is empty"));
}

#[test]
fn a_key_that_states_another_use_than_signatures_is_rejected() {
    for algorithm in ALGORITHMS {
        for accepted in [
            json!(["verify"]),
            json!(["sign", "verify"]),
            json!(["verify", "other"]),
        ] {
            assert!(read_with(algorithm, "key_ops", accepted).is_ok());
        }
        for rejected in [
            json!([]),
            json!(["encrypt"]),
            json!(["sign"]),
            json!(["Verify"]),
        ] {
            assert!(rejection(algorithm, "key_ops", rejected).contains("lacks `verify`"));
        }
        for rejected in [
            json!("verify"),
            json!(["verify", 1]),
            json!({ "verify": true }),
            json!(null),
        ] {
            assert!(rejection(algorithm, "key_ops", rejected).contains("not an array of texts"));
        }
        for rejected in ["enc", "", "SIG", "sig ", "sign"] {
            assert!(rejection(algorithm, "use", rejected).contains("`use` is not `sig`"));
        }
    }
}

#[test]
fn the_algorithm_of_a_key_is_that_of_its_type() {
    assert!(read_with(Algorithm::EdDsa, "alg", "Ed25519").is_ok());
    for algorithm in ALGORITHMS {
        let own_names: &[&str] = match algorithm {
            Algorithm::EdDsa => &["EdDSA", "Ed25519"],
            _ => &["ES256"],
        };
        for name in [
            "EdDSA", "Ed25519", "ES256", "HS256", "RS256", "PS256", "ES384", "ES512", "ES256K",
            "none", "", "eddsa", "es256", "ECDH-ES",
        ] {
            if !own_names.contains(&name) {
                assert!(
                    rejection(algorithm, "alg", name).contains("`alg` is not"),
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn a_member_of_another_json_type_is_rejected() {
    for algorithm in ALGORITHMS {
        for name in ["kty", "crv", "x", "kid", "use", "alg"] {
            for value in [
                json!(1),
                json!(null),
                json!(true),
                json!(["sig"]),
                json!({}),
            ] {
                assert!(
                    rejection(algorithm, name, value).contains("not text"),
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn a_private_member_is_rejected_whatever_its_value() {
    for algorithm in ALGORITHMS {
        for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            for value in [json!("AA"), json!(""), json!(null), json!([])] {
                assert!(
                    rejection(algorithm, name, value).contains("private member"),
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn a_secret_and_other_types_of_keys_are_rejected() {
    for algorithm in ALGORITHMS {
        assert!(rejection(algorithm, "kty", "oct").contains("is a secret"));
        for kty in ["AKP", "oKP", "ec", "", "RSA1"] {
            assert!(
                rejection(algorithm, "kty", kty).contains("not supported"),
                "{kty}"
            );
        }
    }
    assert!(rejection(Algorithm::EdDsa, "kty", "EC").contains("`crv`"));
    assert!(rejection(Algorithm::Es256, "kty", "OKP").contains("`crv`"));
}

#[test]
fn a_curve_of_another_type_or_name_is_rejected() {
    for algorithm in ALGORITHMS {
        for crv in [
            "P-256",
            "P-384",
            "P-521",
            "secp256k1",
            "Ed25519",
            "Ed448",
            "X25519",
            "p-256",
            "",
        ] {
            let own = match algorithm {
                Algorithm::EdDsa => "Ed25519",
                _ => "P-256",
            };
            if crv != own {
                assert!(rejection(algorithm, "crv", crv).contains("`crv`"), "{crv}");
            }
        }
    }
}

#[test]
fn a_text_that_is_not_one_json_object_without_duplicates_is_rejected() {
    let valid_jwk = public_key(Algorithm::EdDsa).to_jwk();
    for text in ["", "{", "[]", "null", "7", "\"\"", "{}{}", "\u{feff}{}"] {
        assert!(
            invalid_key(PublicKey::from_jwk(text)).contains("not one JSON object"),
            "{text}"
        );
    }
    assert!(invalid_key(PublicKey::from_jwk("{}")).contains("`kty`"));
    let trailing = format!("{valid_jwk} x");
    assert!(invalid_key(PublicKey::from_jwk(&trailing)).contains("not one JSON object"));
    for member in [
        r#""kid":"2","#,
        r#""\u006bid":"2","#,
        r#""kty":"OKP","#,
        r#""z":1,"z":2,"#,
    ] {
        let text = valid_jwk.replacen('{', &format!("{{{member}"), 1);
        assert!(
            invalid_key(PublicKey::from_jwk(&text)).contains("twice"),
            "{member}"
        );
    }
}

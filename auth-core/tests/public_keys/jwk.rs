//! Tests single JSON Web Keys: which are accepted, and every kind of hostile key.

use auth_core::public_key::{Algorithm, PublicKey};
use serde_json::{Map, Value, json};

use crate::fixtures::{ALGORITHMS, base64url, invalid_key, public_key};

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

fn read_ed25519(x: &[u8]) -> Result<PublicKey, auth_core::Error> {
    read_with(Algorithm::EdDsa, "x", base64url(x))
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .chars()
        .map(|digit| u8::try_from(digit.to_digit(16).unwrap()).unwrap())
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
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
fn a_key_is_for_signatures_as_far_as_it_says_what_it_is_for() {
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
fn an_ed25519_key_has_exactly_32_bytes() {
    let valid_key = bytes("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    assert!(read_ed25519(&valid_key).is_ok());
    for length in (0..32).chain([33, 44, 64, 1_000_000]) {
        let x: Vec<u8> = valid_key.iter().copied().cycle().take(length).collect();
        assert!(
            invalid_key(read_ed25519(&x)).contains("not 32 bytes"),
            "{length}"
        );
    }
    let spki = [bytes("302a300506032b6570032100"), valid_key].concat();
    assert!(invalid_key(read_ed25519(&spki)).contains("not 32 bytes"));
}

#[test]
fn coordinates_are_strict_base64url() {
    for algorithm in ALGORITHMS {
        let valid_x = jwk(algorithm)["x"].as_str().unwrap().to_owned();
        for x in [
            format!("{valid_x}="),
            format!("{valid_x}\n"),
            format!(" {valid_x}"),
            format!("{}+", &valid_x[..42]),
            // The last character has two spare bits, which must be zero.
            format!(
                "{}{}",
                &valid_x[..42],
                if valid_x.ends_with('B') { 'C' } else { 'B' }
            ),
        ] {
            assert!(
                rejection(algorithm, "x", x.as_str()).contains("not 32 bytes"),
                "{x:?}"
            );
        }
    }
}

#[test]
fn an_ed25519_point_of_small_order_is_rejected_in_every_encoding() {
    // Anyone can make a signature that such a key verifies. The last six encodings are not canonical.
    for x in [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ] {
        let text = invalid_key(read_ed25519(&bytes(x)));
        let is_expected = text.contains("small order") || text.contains("not a point");
        assert!(is_expected, "{x}: {text}");
    }
}

#[test]
fn an_ed25519_key_in_an_encoding_that_is_not_canonical_is_rejected() {
    // y = 2^255 - 19 + n for small n is another encoding of y = n.
    let mut rejected_count = 0;
    for low_byte in 0xed..=0xff_u8 {
        let mut x = [0xff; 32];
        x[0] = low_byte;
        for high_byte in [0x7f, 0xff] {
            x[31] = high_byte;
            let text = invalid_key(read_ed25519(&x));
            rejected_count += usize::from(text.contains("canonical"));
        }
    }
    assert!(
        rejected_count > 0,
        "every encoding was rejected for another reason"
    );
}

#[test]
fn half_of_all_texts_are_no_point_of_ed25519() {
    assert!(invalid_key(read_ed25519(&[2; 32])).contains("not a point"));
}

#[test]
fn a_p256_key_has_two_coordinates_of_32_bytes() {
    let jwk = jwk(Algorithm::Es256);
    let decode = |name: &str| {
        use base64::Engine as _;
        let text = jwk[name].as_str().unwrap();
        base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(text)
            .unwrap()
    };
    let point = [decode("x"), decode("y")].concat();
    let read = |x: &[u8], y: &[u8]| {
        let mut jwk = jwk.clone();
        jwk.insert("x".to_owned(), base64url(x).into());
        jwk.insert("y".to_owned(), base64url(y).into());
        PublicKey::from_jwk(&Value::from(jwk).to_string())
    };
    assert!(read(&point[..32], &point[32..]).is_ok());
    for middle in [0, 1, 31, 33, 63, 64] {
        let text = invalid_key(read(&point[..middle], &point[middle..]));
        assert!(text.contains("not 32 bytes"), "{middle}");
    }
    let padded_y = [&[0], &point[32..]].concat();
    assert!(read(&point[..32], &padded_y).is_err());
    assert!(read(&point[..32], &vec![7; 1 << 20]).is_err());
    // Swapped coordinates, the origin and x = p are no points of the curve.
    let p = bytes("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
    for (x, y) in [
        (&point[32..], &point[..32]),
        (&[0; 32], &[0; 32]),
        (&p, &point[32..]),
    ] {
        assert!(invalid_key(read(x, y)).contains("not a point"));
    }
}

#[test]
fn a_p256_key_without_a_coordinate_is_rejected() {
    for name in ["x", "y"] {
        let mut jwk = jwk(Algorithm::Es256);
        jwk.remove(name);
        let result = PublicKey::from_jwk(&Value::from(jwk).to_string());
        assert!(invalid_key(result).contains("not 32 bytes"));
    }
}

#[test]
fn a_point_of_secp256k1_is_no_key_on_p256() {
    let jwk = json!({
        "kty": "EC", "crv": "P-256",
        "x": base64url(bytes("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")),
        "y": base64url(bytes("483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8")),
    });
    assert!(invalid_key(PublicKey::from_jwk(&jwk.to_string())).contains("not a point"));
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

#[cfg(feature = "rs256")]
mod rsa {
    use super::{PublicKey, base64url, invalid_key, json};
    use crate::fixtures::pem;

    fn read(n: &[u8], e: &[u8]) -> Result<PublicKey, auth_core::Error> {
        let jwk = json!({ "kty": "RSA", "n": base64url(n), "e": base64url(e) });
        PublicKey::from_jwk(&jwk.to_string())
    }

    /// Returns an odd number of this many bits.
    fn modulus(bits: usize) -> Vec<u8> {
        let mut bytes = vec![0xff; bits.div_ceil(8)];
        bytes[0] = 0xff >> (bytes.len() * 8 - bits);
        bytes
    }

    #[test]
    fn an_rsa_key_has_2048_to_8192_bits() {
        for (bits, is_accepted) in [
            (1024, false),
            (2047, false),
            (2048, true),
            (3072, true),
            (8192, true),
            (8193, false),
            (65_536, false),
        ] {
            let result = read(&modulus(bits), &[1, 0, 1]);
            assert_eq!(result.is_ok(), is_accepted, "{bits}: {result:?}");
        }
        for n in [&[] as &[u8], &[0], &[1], &[2]] {
            assert!(read(n, &[1, 0, 1]).is_err(), "{n:?}");
        }
    }

    #[test]
    fn an_exponent_is_an_odd_number_from_3_to_33_bits() {
        let n = modulus(2048);
        for (e, is_accepted) in [
            (&[] as &[u8], false),
            (&[0], false),
            (&[1], false),
            (&[2], false),
            (&[3], true),
            (&[1, 0, 1], true),
            (&[1, 0, 0], false),
            (&[0, 1, 0, 1], false),
            (&[1, 0, 0, 0, 1], true),
            (&[2, 0, 0, 0, 1], false),
            (&[1, 0, 0, 0, 0, 1], false),
        ] {
            assert_eq!(read(&n, e).is_ok(), is_accepted, "{e:?}");
        }
    }

    #[test]
    fn leading_zeros_and_even_numbers_are_rejected() {
        let n = modulus(2048);
        let padded = [&[0], &n[..]].concat();
        assert!(invalid_key(read(&padded, &[1, 0, 1])).contains("leading zero"));
        let mut even = n;
        even[255] = 0xfe;
        assert!(read(&even, &[1, 0, 1]).is_err());
    }

    #[test]
    fn a_key_of_openssl_is_read_and_written() {
        let key = PublicKey::from_pem(&pem("rsa2048.pub")).unwrap();
        assert_eq!(key.to_pem().unwrap(), pem("rsa2048.pub"));
        assert_eq!(PublicKey::from_jwk(&key.to_jwk()).unwrap(), key);
        let text = invalid_key(PublicKey::from_pem(&pem("rsa1024.pub")));
        assert!(text.contains("2048 to 8192 bits"));
    }
}

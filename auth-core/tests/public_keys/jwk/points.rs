//! Tests the points of keys: their encoding, and points for which anyone can sign.

use auth_core::public_key::{Algorithm, PublicKey};
use serde_json::{Value, json};

use super::{jwk, read_with, rejection};
use crate::fixtures::{ALGORITHMS, base64url, invalid_key};

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
fn bytes_that_are_no_point_of_ed25519_are_rejected() {
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

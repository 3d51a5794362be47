//! Tests RSA keys: their size, and numbers that are no key.

use auth_core::public_key::PublicKey;
use serde_json::json;

use crate::fixtures::{base64url, invalid_key, pem};

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

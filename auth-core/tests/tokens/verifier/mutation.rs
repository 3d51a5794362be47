//! Every change of a valid token is rejected.

use auth_core::{Error, bearer};

use crate::fixtures::{
    OTHER_SECRET, SUBJECT, error_name, issuer, keyring, now, secret, valid_token, verifier, verify,
};

#[test]
fn a_token_with_any_bit_flipped_is_rejected() {
    let valid = valid_token();
    let verifier = verifier(keyring().with_previous([secret(OTHER_SECRET)]));
    assert!(verifier.verify(&valid, now()).is_ok());
    let (mut as_text, mut as_bytes) = (0, 0);
    for index in 0..valid.len() {
        for bit in 0..8 {
            let mut bytes = valid.clone().into_bytes();
            bytes[index] ^= 1 << bit;
            if let Ok(text) = std::str::from_utf8(&bytes) {
                as_text += 1;
                assert!(
                    verifier.verify(text, now()).is_err(),
                    "{index}.{bit}: {text}"
                );
            } else {
                as_bytes += 1;
                let header = [b"Bearer ", bytes.as_slice()].concat();
                let result = bearer::token([header.as_slice()]);
                assert!(
                    matches!(result, Err(Error::MalformedCredentials(_))),
                    "{index}.{bit}"
                );
            }
        }
    }
    assert_eq!((as_text, as_bytes), (7 * valid.len(), valid.len()));
}

#[test]
fn a_token_with_a_character_removed_or_added_is_rejected() {
    let valid = valid_token();
    for index in 0..valid.len() {
        let (before, rest) = valid.split_at(index);
        let removed = format!("{before}{}", &rest[1..]);
        assert!(verify(&removed).is_err(), "without {index}: {removed}");
        for more in ["A", "=", ".", " ", "\0"] {
            let added = format!("{before}{more}{rest}");
            assert!(verify(&added).is_err(), "{index}: {added}");
        }
        assert!(verify(before).is_err(), "cut at {index}");
    }
}

#[test]
fn parts_of_two_valid_tokens_do_not_combine() {
    let (one, other) = (valid_token(), {
        let root = auth_core::Subject { id: "1", ..SUBJECT };
        issuer(keyring()).issue(&root, now()).unwrap().token
    });
    let (one, other): (Vec<&str>, Vec<&str>) =
        (one.split('.').collect(), other.split('.').collect());
    let crossed = format!("{}.{}.{}", one[0], other[1], one[2]);
    assert_eq!(error_name(&verify(&crossed)), "signature");
    let crossed = format!("{}.{}.{}", one[0], one[1], other[2]);
    assert_eq!(error_name(&verify(&crossed)), "signature");
    let swapped = format!("{}.{}.{}", one[1], one[0], one[2]);
    assert_eq!(error_name(&verify(&swapped)), "header");
}

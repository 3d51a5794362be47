//! Tests that changed copies of a valid token are rejected.

use auth_core::{Error, bearer};

use crate::fixtures::{
    OTHER_SECRET, SUBJECT, error_name, issuer, keyring, now, secret, valid_token, verifier, verify,
};

#[test]
fn a_token_with_any_bit_flipped_is_rejected() {
    let valid_token = valid_token();
    let verifier = verifier(keyring().with_previous([secret(OTHER_SECRET)]));
    assert!(verifier.verify(&valid_token, now()).is_ok());
    let (mut valid_utf8_count, mut invalid_utf8_count) = (0, 0);
    for index in 0..valid_token.len() {
        for bit in 0..8 {
            let mut bytes = valid_token.clone().into_bytes();
            bytes[index] ^= 1 << bit;
            if let Ok(text) = std::str::from_utf8(&bytes) {
                valid_utf8_count += 1;
                assert!(
                    verifier.verify(text, now()).is_err(),
                    "{index}.{bit}: {text}"
                );
            } else {
                invalid_utf8_count += 1;
                let header = [b"Bearer ", bytes.as_slice()].concat();
                let result = bearer::token([header.as_slice()]);
                assert!(
                    matches!(result, Err(Error::MalformedCredentials(_))),
                    "{index}.{bit}"
                );
            }
        }
    }
    assert_eq!(
        (valid_utf8_count, invalid_utf8_count),
        (7 * valid_token.len(), valid_token.len())
    );
}

#[test]
fn a_token_with_a_character_removed_or_added_is_rejected() {
    let valid_token = valid_token();
    for index in 0..valid_token.len() {
        let (start, end) = valid_token.split_at(index);
        let shorter_token = format!("{start}{}", &end[1..]);
        assert!(
            verify(&shorter_token).is_err(),
            "without {index}: {shorter_token}"
        );
        for inserted_text in ["A", "=", ".", " ", "\0"] {
            let longer_token = format!("{start}{inserted_text}{end}");
            assert!(verify(&longer_token).is_err(), "{index}: {longer_token}");
        }
        assert!(verify(start).is_err(), "cut at {index}");
    }
}

#[test]
fn parts_of_two_valid_tokens_do_not_combine() {
    let (first_token, second_token) = (valid_token(), {
        let subject = auth_core::Subject { id: "1", ..SUBJECT };
        issuer(keyring()).issue(&subject, now()).unwrap().token
    });
    let (first_parts, second_parts): (Vec<&str>, Vec<&str>) = (
        first_token.split('.').collect(),
        second_token.split('.').collect(),
    );
    let token_with_second_payload =
        format!("{}.{}.{}", first_parts[0], second_parts[1], first_parts[2]);
    assert_eq!(error_name(&verify(&token_with_second_payload)), "signature");
    let token_with_second_signature =
        format!("{}.{}.{}", first_parts[0], first_parts[1], second_parts[2]);
    assert_eq!(
        error_name(&verify(&token_with_second_signature)),
        "signature"
    );
    let swapped_token = format!("{}.{}.{}", first_parts[1], first_parts[0], first_parts[2]);
    assert_eq!(error_name(&verify(&swapped_token)), "header");
}

//! A good token with anything changed is not a good token.

use auth_core::{Error, bearer};

use crate::world::{
    OTHER_SECRET, SUBJECT, fault, issued, issuer, keyring, now, secret, verifier, verify,
};

#[test]
fn flipping_any_bit_makes_a_token_unacceptable() {
    let good = issued();
    let verifier = verifier(keyring().with_previous([secret(OTHER_SECRET)]));
    assert!(verifier.verify(&good, now()).is_ok());
    let (mut as_text, mut as_bytes) = (0, 0);
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut bytes = good.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            if let Ok(text) = std::str::from_utf8(&bytes) {
                as_text += 1;
                assert!(verifier.verify(text, now()).is_err(), "{at}.{bit}: {text}");
            } else {
                as_bytes += 1;
                let header = [b"Bearer ", bytes.as_slice()].concat();
                let answer = bearer::token([header.as_slice()]);
                assert!(
                    matches!(answer, Err(Error::MalformedCredentials(_))),
                    "{at}.{bit}"
                );
            }
        }
    }
    assert_eq!((as_text, as_bytes), (7 * good.len(), good.len()));
}

#[test]
fn a_token_with_a_character_less_or_more_is_unacceptable() {
    let good = issued();
    for at in 0..good.len() {
        let (before, rest) = good.split_at(at);
        let less = format!("{before}{}", &rest[1..]);
        assert!(verify(&less).is_err(), "without {at}: {less}");
        for more in ["A", "=", ".", " ", "\0"] {
            let more = format!("{before}{more}{rest}");
            assert!(verify(&more).is_err(), "{at}: {more}");
        }
        assert!(verify(before).is_err(), "cut at {at}");
    }
}

#[test]
fn parts_of_two_good_tokens_do_not_make_a_third() {
    let (one, other) = (issued(), {
        let root = auth_core::Subject { id: "1", ..SUBJECT };
        issuer(keyring()).issue(&root, now()).unwrap().token
    });
    let (one, other): (Vec<&str>, Vec<&str>) =
        (one.split('.').collect(), other.split('.').collect());
    let crossed = format!("{}.{}.{}", one[0], other[1], one[2]);
    assert_eq!(fault(&verify(&crossed)), "signature");
    let crossed = format!("{}.{}.{}", one[0], one[1], other[2]);
    assert_eq!(fault(&verify(&crossed)), "signature");
    let swapped = format!("{}.{}.{}", one[1], one[0], one[2]);
    assert_eq!(fault(&verify(&swapped)), "header");
}

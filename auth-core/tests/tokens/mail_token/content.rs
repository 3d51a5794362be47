//! Tests the limits of the content of a mail token, and that only its canonical text is parsed.

use auth_core::Error;
use auth_core::mail_token::{MailPurpose, MailToken, MailTokens};
use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::{
    EMAIL, MAIL_KEY, PURPOSES, any_token, change_token, encode, reset_token, tokens, verify_text,
};

const MALFORMED: Error = Error::MalformedToken("The token from the mail is malformed");
/// The position of the length of the user id in a payload.
const USER_ID_LENGTH_AT: usize = 10;

/// Returns the payload of a token, and the encoded MAC.
fn split(token: &MailToken) -> (Vec<u8>, String) {
    let text = encode(token);
    let (payload, mac) = text.split_once('.').unwrap();
    (URL_SAFE_NO_PAD.decode(payload).unwrap(), mac.to_owned())
}

/// Parses a token with this payload and a MAC of 32 bytes.
fn parse_payload(payload: &[u8]) -> Result<(), Error> {
    let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(payload), "A".repeat(43));
    MailTokens::parse(&text).map(|_token| ())
}

#[test]
fn a_user_id_has_1_to_254_bytes() {
    for (user_id, is_allowed) in [
        (String::new(), false),
        ("4".to_owned(), true),
        ("4".repeat(254), true),
        ("é".repeat(127), true),
        ("4".repeat(255), false),
        ("é".repeat(128), false),
        ("4".repeat(65_536), false),
    ] {
        let token = MailToken {
            user_id,
            ..reset_token()
        };
        let result = tokens().encode(&token, EMAIL, MAIL_KEY);
        if is_allowed {
            assert_eq!(verify_text(&result.unwrap()), Ok(token));
        } else {
            assert_eq!(result, Err(Error::InvalidClaim("user_id")));
        }
    }
}

#[test]
fn a_detail_has_at_most_254_bytes() {
    for (length, is_allowed) in [(0, true), (254, true), (255, false), (70_000, false)] {
        let token = MailToken {
            detail: "x".repeat(length),
            ..reset_token()
        };
        let result = tokens().encode(&token, EMAIL, MAIL_KEY);
        if is_allowed {
            assert_eq!(verify_text(&result.unwrap()), Ok(token));
        } else {
            assert_eq!(result, Err(Error::InvalidClaim("detail")));
        }
    }
}

#[test]
fn the_longest_token_has_740_characters() {
    let token = MailToken {
        user_id: "u".repeat(254),
        detail: "d".repeat(254),
        ..reset_token()
    };
    assert_eq!(encode(&token).len(), 740);
}

#[test]
fn a_text_of_more_than_1024_characters_is_not_parsed() {
    for length in [1025, 8192, 1_000_000] {
        let text = format!("{}.{}", "A".repeat(length - 44), "A".repeat(43));
        assert_eq!(text.len(), length);
        assert_eq!(verify_text(&text), Err(MALFORMED));
    }
}

#[test]
fn a_token_that_was_cut_off_at_any_length_is_rejected() {
    for token in [reset_token(), change_token()] {
        let text = encode(&token);
        for end in 0..text.len() {
            assert_eq!(verify_text(&text[..end]), Err(MALFORMED), "{end}");
            assert!(verify_text(&text[end + 1..]).is_err(), "{end}");
        }
    }
}

#[test]
fn a_token_with_a_changed_character_is_rejected() {
    let text = encode(&change_token());
    for index in 0..text.len() {
        for character in "ABCDwxyz0189-_.=+/ \0é".chars() {
            let changed_text = format!("{}{character}{}", &text[..index], &text[index + 1..]);
            if changed_text != text {
                assert!(verify_text(&changed_text).is_err(), "{changed_text}");
            }
        }
    }
}

#[test]
fn a_token_with_an_added_character_is_rejected() {
    let text = encode(&change_token());
    for index in 0..=text.len() {
        for character in "A_.= \n".chars() {
            let extended_text = format!("{}{character}{}", &text[..index], &text[index..]);
            assert!(verify_text(&extended_text).is_err(), "{extended_text}");
        }
    }
}

#[test]
fn padding_and_the_standard_alphabet_are_rejected() {
    let (payload, mac) = split(&reset_token());
    let padded_payload = URL_SAFE.encode(&payload);
    assert!(padded_payload.ends_with('='));
    assert_eq!(
        verify_text(&format!("{padded_payload}.{mac}")),
        Err(MALFORMED)
    );
    let encoded_payload = URL_SAFE_NO_PAD.encode(&payload);
    assert_eq!(
        verify_text(&format!("{encoded_payload}.{mac}=")),
        Err(MALFORMED)
    );
    let standard_mac = mac.replace('_', "/");
    assert_ne!(standard_mac, mac);
    let text = format!("{encoded_payload}.{standard_mac}");
    assert_eq!(verify_text(&text), Err(MALFORMED));
}

/// The last character of this payload, and of a MAC, holds 4 bits of data. Its 2 other bits must be zero.
#[test]
fn spare_bits_are_rejected() {
    let text = encode(&reset_token());
    let (payload, mac) = text.split_once('.').unwrap();
    assert_eq!(payload.len() % 4, 3);
    for part in [payload, mac] {
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let (start, last) = part.split_at(part.len() - 1);
        let value = alphabet.find(last).unwrap();
        assert_eq!(value % 4, 0);
        for spare_bits in 1..4 {
            let index = value + spare_bits;
            let changed_part = format!("{start}{}", &alphabet[index..=index]);
            let changed_text = text.replace(part, &changed_part);
            assert_eq!(verify_text(&changed_text), Err(MALFORMED), "{changed_text}");
        }
    }
}

#[test]
fn an_unknown_version_or_purpose_is_rejected() {
    let (valid_payload, _) = split(&reset_token());
    for (index, known) in [(0, 1..=1), (1, 1..=5)] {
        for byte in 0..=u8::MAX {
            let mut payload = valid_payload.clone();
            payload[index] = byte;
            let expected = if known.contains(&byte) {
                Ok(())
            } else {
                Err(MALFORMED)
            };
            assert_eq!(parse_payload(&payload), expected, "{index}: {byte}");
        }
    }
}

#[test]
fn lengths_that_do_not_match_the_payload_are_rejected() {
    let (valid_payload, _) = split(&change_token());
    assert_eq!(parse_payload(&valid_payload), Ok(()));
    let detail_length_at = USER_ID_LENGTH_AT + 2 + "42".len();
    for (index, length) in [(USER_ID_LENGTH_AT, 2_u16), (detail_length_at, 19)] {
        assert_eq!(valid_payload[index..index + 2], length.to_be_bytes());
        for wrong_length in (0..300).chain([u16::MAX]) {
            let mut payload = valid_payload.clone();
            payload[index..index + 2].copy_from_slice(&wrong_length.to_be_bytes());
            let expected = if wrong_length == length {
                Ok(())
            } else {
                Err(MALFORMED)
            };
            assert_eq!(parse_payload(&payload), expected, "{index}: {wrong_length}");
        }
    }
    for end in 0..valid_payload.len() {
        assert_eq!(
            parse_payload(&valid_payload[..end]),
            Err(MALFORMED),
            "{end}"
        );
    }
    let extended_payload = [&valid_payload[..], b"\0"].concat();
    assert_eq!(parse_payload(&extended_payload), Err(MALFORMED));
}

#[test]
fn text_that_is_not_utf_8_or_too_long_is_rejected() {
    let payload = |user_id: &[u8], detail: &[u8]| {
        let length = |text: &[u8]| u16::try_from(text.len()).unwrap().to_be_bytes();
        let start = [1, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        [
            &start[..],
            &length(user_id)[..],
            user_id,
            &length(detail),
            detail,
        ]
        .concat()
    };
    assert_eq!(parse_payload(&payload(b"42", b"")), Ok(()));
    assert_eq!(parse_payload(&payload(&[b'x'; 254], &[b'x'; 254])), Ok(()));
    for (user_id, detail) in [
        (&b""[..], &b"x"[..]),
        (b"\xff", b""),
        (b"42", b"\xc3"),
        (b"42", b"\xed\xa0\x80"),
        (&[b'x'; 255], b""),
        (b"42", &[b'x'; 255]),
    ] {
        assert_eq!(parse_payload(&payload(user_id, detail)), Err(MALFORMED));
    }
}

#[test]
fn parsing_promises_nothing_about_the_mac() {
    let (payload, _) = split(&change_token());
    let forged_text = format!("{}.{}", URL_SAFE_NO_PAD.encode(payload), "A".repeat(43));
    let unverified = MailTokens::parse(&forged_text).unwrap();
    assert_eq!(unverified.purpose(), MailPurpose::EmailChange);
    assert_eq!(unverified.user_id(), "42");
    assert_eq!(unverified.detail(), "bücher@example.org");
    assert_eq!(verify_text(&forged_text), Err(Error::SignatureMismatch));
}

#[test]
fn each_purpose_has_its_own_byte() {
    let bytes = PURPOSES.map(|purpose| {
        let (payload, _) = split(&MailToken {
            purpose,
            ..reset_token()
        });
        payload[1]
    });
    assert_eq!(bytes, [1, 2, 3, 4, 5]);
}

proptest! {
    #[test]
    fn a_payload_that_is_parsed_is_canonical(bytes in prop::collection::vec(any::<u8>(), 0..100), token in any_token()) {
        let (mut payload, _) = split(&token);
        payload.truncate(bytes.len().min(12));
        payload.extend_from_slice(&bytes);
        let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(&payload), "A".repeat(43));
        if let Ok(unverified) = MailTokens::parse(&text) {
            let content = MailToken {
                purpose: unverified.purpose(),
                user_id: unverified.user_id().to_owned(),
                expires_at: unverified.expires_at(),
                detail: unverified.detail().to_owned(),
            };
            prop_assert_eq!(split(&content).0, payload);
        }
    }

    #[test]
    fn a_changed_bit_is_rejected(token in any_token(), position in any::<prop::sample::Index>(), bit in 0..8) {
        let (mut payload, mac) = split(&token);
        let index = position.index(payload.len());
        payload[index] ^= 1_u8 << bit;
        let text = format!("{}.{mac}", URL_SAFE_NO_PAD.encode(&payload));
        prop_assert!(verify_text(&text).is_err());
    }
}

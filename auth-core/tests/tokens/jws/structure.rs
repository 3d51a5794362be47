//! Tests the length, the parts and the base64url encoding of tokens (RFC 7515 § 2, § 3.1, § 5.2).

use auth_core::{Error, MAX_TOKEN_BYTES};

use crate::fixtures::{HEADER, Payload, SECRET, error_name, valid_token, verify};
use crate::reference::{base64url, mac, sign, sign_parts};

/// Returns a token of exactly `length` bytes, valid unless it is too long. An unknown claim and an unknown header
/// parameter fill the token.
fn valid_token_of_length(length: usize) -> String {
    let sizes = (0..3).flat_map(|header_padding| {
        (length * 3 / 4 - 400..length).map(move |payload_padding| (header_padding, payload_padding))
    });
    sizes
        .map(|(header_padding, payload_padding)| {
            let header = format!(
                r#"{{"alg":"HS256","typ":"at+jwt","x":"{}"}}"#,
                "x".repeat(header_padding)
            );
            let payload =
                Payload::valid().with_member("x", format!("\"{}\"", "x".repeat(payload_padding)));
            sign(header, payload.json(), SECRET)
        })
        .find(|token| token.len() == length)
        .unwrap()
}

#[test]
fn a_token_has_at_most_8192_bytes() {
    assert_eq!(MAX_TOKEN_BYTES, 8192);
    assert_eq!(
        error_name(&verify(&valid_token_of_length(8191))),
        "accepted"
    );
    assert_eq!(
        error_name(&verify(&valid_token_of_length(8192))),
        "accepted"
    );
    assert_eq!(
        verify(&valid_token_of_length(8193)),
        Err(Error::TokenTooLong)
    );
    assert_eq!(verify(&"x".repeat(1 << 20)), Err(Error::TokenTooLong));
}

#[test]
fn a_token_has_exactly_three_non_empty_parts() {
    let valid_token = valid_token();
    let [header, payload, signature] = *valid_token.split('.').collect::<Vec<_>>() else {
        panic!("three parts")
    };
    let message = format!("{header}.{payload}");
    for (name, token) in [
        ("an empty text", String::new()),
        ("a dot", ".".to_owned()),
        ("two dots", "..".to_owned()),
        ("three dots", "...".to_owned()),
        ("a header alone", header.to_owned()),
        ("no signature and no dot", message.clone()),
        ("no signature", format!("{message}.")),
        ("no payload", format!("{header}..{signature}")),
        ("no header", format!(".{payload}.{signature}")),
        ("a dot at the start", format!(".{valid_token}")),
        ("a dot at the end", format!("{valid_token}.")),
        ("four parts", format!("{valid_token}.{signature}")),
        (
            "five parts, the shape of a JWE",
            format!("{valid_token}.a.b"),
        ),
        (
            "the MAC of an empty payload",
            sign_parts(header, "", SECRET),
        ),
        ("the MAC of four parts", sign_parts(&message, "e30", SECRET)),
        (
            "the JSON serialisation",
            format!(
                r#"{{"protected":"{header}","payload":"{payload}","signature":"{signature}"}}"#
            ),
        ),
    ] {
        assert_eq!(error_name(&verify(&token)), "malformed", "{name}");
    }
}

/// Returns changed forms of an encoded part. A lenient decoder might accept these forms.
fn lenient_forms(part: &str) -> Vec<(&'static str, String)> {
    let (first_character, rest) = part.split_at(1);
    vec![
        ("one =", format!("{part}=")),
        ("two =", format!("{part}==")),
        ("a space at the start", format!(" {part}")),
        ("a space inside", format!("{first_character} {rest}")),
        ("a space at the end", format!("{part} ")),
        ("a line feed inside", format!("{first_character}\n{rest}")),
        ("CR LF at the end", format!("{part}\r\n")),
        ("a tab at the end", format!("{part}\t")),
        ("NUL at the end", format!("{part}\0")),
        (
            "a question mark inside",
            format!("{first_character}?{rest}"),
        ),
        (
            "a percent escape",
            format!("%{:02x}{rest}", part.as_bytes()[0]),
        ),
        ("a letter that is not ASCII", format!("{part}é")),
        (
            "one character too many",
            format!("{part}{}", "A".repeat(5 - part.len() % 4)),
        ),
    ]
}

#[test]
fn each_part_must_be_strict_base64url_even_if_the_mac_matches() {
    let (header, payload) = (
        base64url(HEADER.as_bytes()),
        base64url(valid_payload_json().as_bytes()),
    );
    let signature = mac(&format!("{header}.{payload}"), SECRET);
    for (name, form) in lenient_forms(&header) {
        let token = sign_parts(&form, &payload, SECRET);
        assert_eq!(error_name(&verify(&token)), "malformed", "header: {name}");
    }
    for (name, form) in lenient_forms(&payload) {
        let token = sign_parts(&header, &form, SECRET);
        assert_eq!(error_name(&verify(&token)), "malformed", "payload: {name}");
    }
    for (name, form) in lenient_forms(&signature) {
        let token = format!("{header}.{payload}.{form}");
        assert_eq!(
            error_name(&verify(&token)),
            "malformed",
            "signature: {name}"
        );
    }
}

fn valid_payload_json() -> String {
    Payload::valid().json()
}

/// Returns the texts that differ from `part` only in the unused bits of the last character.
fn forms_with_other_unused_bits(part: &str) -> Vec<String> {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (start, last_character) = part.split_at(part.len() - 1);
    let last_value = alphabet.find(last_character).unwrap();
    let unused_values = match part.len() % 4 {
        2 => 16,
        3 => 4,
        _ => 1,
    };
    let first_value = last_value - last_value % unused_values;
    (first_value..first_value + unused_values)
        .filter(|other_value| *other_value != last_value)
        .map(|other_value| format!("{start}{}", &alphabet[other_value..=other_value]))
        .collect()
}

#[test]
fn unused_last_bits_must_be_zero() {
    let mut form_count = 0;
    for padding_length in 0..3 {
        let member = format!("\"{}\"", "x".repeat(padding_length));
        let header =
            base64url(format!(r#"{{"alg":"HS256","typ":"at+jwt","x":{member}}}"#).as_bytes());
        let payload = base64url(Payload::valid().with_member("x", member).json().as_bytes());
        for form in forms_with_other_unused_bits(&header) {
            form_count += 1;
            let token = sign_parts(&form, &payload, SECRET);
            assert_eq!(error_name(&verify(&token)), "malformed", "header {form}");
        }
        for form in forms_with_other_unused_bits(&payload) {
            form_count += 1;
            let token = sign_parts(&header, &form, SECRET);
            assert_eq!(error_name(&verify(&token)), "malformed", "payload {form}");
        }
        let message = format!("{header}.{payload}");
        for form in forms_with_other_unused_bits(&mac(&message, SECRET)) {
            form_count += 1;
            let token = format!("{message}.{form}");
            assert_eq!(error_name(&verify(&token)), "malformed", "signature {form}");
        }
    }
    assert_eq!(form_count, 2 * (15 + 3) + 3 * 3);
}

#[test]
fn the_standard_alphabet_is_rejected() {
    let json = Payload::valid().with_member("x", r#""~~~???>>>ÿÿ""#).json();
    let payload = base64url(json.as_bytes());
    assert!(payload.contains('-') && payload.contains('_'), "{payload}");
    let header = base64url(HEADER.as_bytes());
    let url_safe_token = sign_parts(&header, &payload, SECRET);
    assert_eq!(error_name(&verify(&url_safe_token)), "accepted");
    for (character, replacement) in [("-", "+"), ("_", "/")] {
        let token = sign_parts(&header, &payload.replace(character, replacement), SECRET);
        assert_eq!(error_name(&verify(&token)), "malformed", "{replacement}");
    }
}

#[test]
fn a_mac_of_another_length_or_value_is_rejected() {
    let (message, signature) = {
        let token = valid_token();
        let (message, signature) = token.rsplit_once('.').unwrap();
        (message.to_owned(), signature.to_owned())
    };
    let other_last_character = if signature.ends_with('A') { "E" } else { "A" };
    for form in [
        &signature[..4],
        &signature[..40],
        &format!("{}{other_last_character}", &signature[..42]),
    ] {
        let token = format!("{message}.{form}");
        assert!(verify(&token).is_err(), "{form}");
    }
    let token_with_long_mac = format!("{message}.{}{}", &signature[..40], signature);
    assert!(verify(&token_with_long_mac).is_err());
    let token_with_zero_mac = format!("{message}.{}", base64url(&[0; 32]));
    assert_eq!(verify(&token_with_zero_mac), Err(Error::SignatureMismatch));
}

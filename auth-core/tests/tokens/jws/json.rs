//! Tests that header and payload must be one UTF-8 JSON object each (RFC 7519 § 7.2, RFC 8259, RFC 8725 § 3.7).

use crate::fixtures::{HEADER, Payload, error_name, verify_with_header, verify_with_payload};

fn encode_as_utf16(text: &str, has_byte_order_mark: bool, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let byte_order_mark = has_byte_order_mark.then_some(0xFEFF);
    byte_order_mark
        .into_iter()
        .chain(text.encode_utf16())
        .flat_map(to_bytes)
        .collect()
}

/// Returns the JSON object `text` in UTF-16, in UTF-8 with a byte order mark, and with bytes that are not UTF-8.
fn invalid_encodings(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let insert_bytes = |bytes: &[u8]| {
        let (start, end) = text.as_bytes().split_at(text.len() - 1);
        [start, br#","x":""#, bytes, br#"""#, end].concat()
    };
    vec![
        ("UTF-16 LE", encode_as_utf16(text, false, u16::to_le_bytes)),
        ("UTF-16 BE", encode_as_utf16(text, false, u16::to_be_bytes)),
        (
            "UTF-16 LE with a byte order mark",
            encode_as_utf16(text, true, u16::to_le_bytes),
        ),
        (
            "UTF-16 BE with a byte order mark",
            encode_as_utf16(text, true, u16::to_be_bytes),
        ),
        (
            "UTF-8 with a byte order mark",
            [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
        ),
        ("a lone 0xFF", insert_bytes(b"\xFF")),
        ("Latin-1", insert_bytes(b"caf\xE9")),
        ("an overlong slash", insert_bytes(b"\xC0\xAF")),
        ("a surrogate", insert_bytes(b"\xED\xA0\x80")),
        ("beyond U+10FFFF", insert_bytes(b"\xF4\x90\x80\x80")),
        ("a cut-off sequence", insert_bytes(b"\xF0\x9F\x92")),
    ]
}

/// Returns texts that are not exactly one valid JSON object: fixed texts, and changed forms of the JSON object `text`.
fn texts_that_are_not_one_object(text: &str) -> Vec<(&'static str, String)> {
    let members = &text[1..text.len() - 1];
    vec![
        ("blank", " ".to_owned()),
        ("null", "null".to_owned()),
        ("true", "true".to_owned()),
        ("a number", "42".to_owned()),
        ("a string", r#""{}""#.to_owned()),
        ("an empty array", "[]".to_owned()),
        ("an object in an array", format!("[{text}]")),
        ("two objects", format!("{text}{text}")),
        ("two objects on two lines", format!("{text}\n{{}}")),
        ("an object and a word", format!("{text} true")),
        ("an object and NUL", format!("{text}\0")),
        ("a missing brace", format!("{{{members}")),
        ("a brace too many", format!("{text}}}")),
        ("a trailing comma", format!("{{{members},}}")),
        ("a comment", format!("{{/* */{members}}}")),
        ("single quotes", text.replace('"', "'")),
        ("bare names", format!("{{{members},x:1}}")),
        ("a name that is a number", format!("{{{members},1:1}}")),
        ("NaN", format!("{{{members},\"x\":NaN}}")),
        (
            "a number with a leading zero",
            format!("{{{members},\"x\":01}}"),
        ),
        (
            "a raw line feed in a string",
            format!("{{{members},\"x\":\"\n\"}}"),
        ),
        (
            "an unknown escape",
            format!("{{{members},\"x\":\"\\x41\"}}"),
        ),
        (
            "a lone surrogate in a name",
            format!("{{{members},\"\\ud800\":1}}"),
        ),
    ]
}

#[test]
fn a_header_is_utf_8() {
    for (name, bytes) in invalid_encodings(HEADER) {
        assert_eq!(
            error_name(&verify_with_header(bytes)),
            "malformed",
            "{name}"
        );
    }
}

#[test]
fn a_payload_is_utf_8() {
    for (name, bytes) in invalid_encodings(&Payload::valid().json()) {
        assert_eq!(
            error_name(&verify_with_payload(bytes)),
            "malformed",
            "{name}"
        );
    }
}

#[test]
fn a_header_is_one_json_object() {
    for (name, text) in texts_that_are_not_one_object(HEADER) {
        assert_eq!(error_name(&verify_with_header(text)), "malformed", "{name}");
    }
}

#[test]
fn a_payload_is_one_json_object() {
    for (name, text) in texts_that_are_not_one_object(&Payload::valid().json()) {
        assert_eq!(
            error_name(&verify_with_payload(text)),
            "malformed",
            "{name}"
        );
    }
}

#[test]
fn white_space_around_and_inside_json_is_allowed() {
    let add_white_space = |text: &str| format!(" \t\r\n{} \n", text.replace(',', " ,\r\n\t"));
    assert_eq!(
        error_name(&verify_with_header(add_white_space(HEADER))),
        "accepted"
    );
    let payload = add_white_space(&Payload::valid().json());
    assert_eq!(error_name(&verify_with_payload(payload)), "accepted");
}

#[test]
fn deep_nesting_is_accepted_in_unknown_members_and_rejected_in_claims() {
    for depth in [127, 128, 129, 1500] {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            let inner = if open == "[" { "" } else { "1" };
            let nested_json =
                |count| format!("{}{inner}{}", open.repeat(count), close.repeat(count));
            let repetitions = if open == "[" { depth } else { depth / 2 };
            let header = format!(
                r#"{{"alg":"HS256","typ":"at+jwt","x":{}}}"#,
                nested_json(repetitions)
            );
            assert_eq!(
                error_name(&verify_with_header(header)),
                "accepted",
                "{open} {repetitions}"
            );
            let payload = Payload::valid().with_member("x", nested_json(repetitions));
            assert_eq!(
                error_name(&payload.verify()),
                "accepted",
                "{open} {repetitions}"
            );
            for claim in ["sub", "aud", "exp"] {
                let payload = Payload::valid().with(claim, nested_json(repetitions));
                assert_eq!(
                    error_name(&payload.verify()),
                    "invalid claim",
                    "{open} {claim}"
                );
            }
        }
    }
}

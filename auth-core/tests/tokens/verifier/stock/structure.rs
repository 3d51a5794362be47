//! Parts, encoding and the JSON of the payload.

use serde_json::Value;

use super::{HEADER, SECRET, check, now, same, signed, stricter, valid_claims, with};
use crate::reference;

#[test]
fn payloads_that_are_not_an_object() {
    let by_position = format!(r#"[{},null,"42","api-server","api"]"#, now() + 900);
    check(vec![
        same("null", signed("null"), false),
        same("text", signed(r#""x""#), false),
        same("two objects", signed("{}{}"), false),
        stricter(
            "an array",
            signed(&by_position),
            "stock reads an array by position; RFC 7519 § 7.2 requires an object",
        ),
    ]);
}

#[test]
fn parts_encoding_and_length() {
    let token = signed(&Value::from(valid_claims()).to_string());
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (header, payload) = message.split_once('.').unwrap();
    let with_space = reference::sign_parts(header, &format!("{payload} "), SECRET);
    let padded = reference::sign_parts(header, &format!("{payload}="), SECRET);
    let long = with("x", "x".repeat(7000));
    assert!(long.len() > 8192);
    check(vec![
        same("unchanged", token.clone(), true),
        same("no signature", format!("{message}."), false),
        same("two parts", message.to_owned(), false),
        same("four parts", format!("{token}.{signature}"), false),
        same("a padded signature", format!("{token}="), false),
        same("a padded payload", padded, false),
        same("a space in the payload", with_space, false),
        same("a line feed at the end", format!("{token}\n"), false),
        same(
            "another secret",
            reference::sign(HEADER, "{}", "another secret"),
            false,
        ),
        stricter("9000 bytes", long, "a token has at most 8192 bytes"),
    ]);
}

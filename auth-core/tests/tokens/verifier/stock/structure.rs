//! Parts, encoding and the JSON of the payload.

use serde_json::Value;

use super::{HEADER, SECRET, check, now, same_result, signed, stricter, valid_claims, with_claim};
use crate::reference;

#[test]
fn compares_payloads_that_are_not_an_object() {
    let by_position = format!(r#"[{},null,"42","api-server","api"]"#, now() + 900);
    check(vec![
        same_result("null", signed("null"), false),
        same_result("text", signed(r#""x""#), false),
        same_result("two objects", signed("{}{}"), false),
        stricter(
            "an array",
            signed(&by_position),
            "stock reads an array by position; RFC 7519 § 7.2 requires an object",
        ),
    ]);
}

#[test]
fn compares_parts_encoding_and_length() {
    let token = signed(&Value::from(valid_claims()).to_string());
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (header, payload) = message.split_once('.').unwrap();
    let with_space = reference::sign_parts(header, &format!("{payload} "), SECRET);
    let padded = reference::sign_parts(header, &format!("{payload}="), SECRET);
    let long = with_claim("x", "x".repeat(7000));
    assert!(long.len() > 8192);
    check(vec![
        same_result("unchanged", token.clone(), true),
        same_result("no signature", format!("{message}."), false),
        same_result("two parts", message.to_owned(), false),
        same_result("four parts", format!("{token}.{signature}"), false),
        same_result("a padded signature", format!("{token}="), false),
        same_result("a padded payload", padded, false),
        same_result("a space in the payload", with_space, false),
        same_result("a line feed at the end", format!("{token}\n"), false),
        same_result(
            "another secret",
            reference::sign(HEADER, "{}", "another secret"),
            false,
        ),
        stricter("9000 bytes", long, "a token has at most 8192 bytes"),
    ]);
}

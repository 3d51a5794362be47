//! Compares the results of the two libraries for tokens of invalid structure, encoding or length.

use serde_json::Value;

use super::{
    HEADER, SECRET, assert_results, now, only_jsonwebtoken_accepts, same_result, sign_payload,
    token_with, valid_claims,
};
use crate::reference;

#[test]
fn compares_payloads_that_are_not_an_object() {
    let claims_by_position = format!(r#"[{},null,"42","api-server","api"]"#, now() + 900);
    assert_results(vec![
        same_result("null", sign_payload("null"), false),
        same_result("text", sign_payload(r#""x""#), false),
        same_result("two objects", sign_payload("{}{}"), false),
        only_jsonwebtoken_accepts(
            "an array",
            sign_payload(&claims_by_position),
            "jsonwebtoken reads an array by position; RFC 7519 § 7.2 requires an object",
        ),
    ]);
}

#[test]
fn compares_parts_encoding_and_length() {
    let token = sign_payload(&Value::from(valid_claims()).to_string());
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (header, payload) = message.split_once('.').unwrap();
    let token_with_space = reference::sign_parts(header, &format!("{payload} "), SECRET);
    let padded_token = reference::sign_parts(header, &format!("{payload}="), SECRET);
    let long_token = token_with("x", "x".repeat(7000));
    assert!(long_token.len() > 8192);
    assert_results(vec![
        same_result("unchanged", token.clone(), true),
        same_result("no signature", format!("{message}."), false),
        same_result("two parts", message.to_owned(), false),
        same_result("four parts", format!("{token}.{signature}"), false),
        same_result("a padded signature", format!("{token}="), false),
        same_result("a padded payload", padded_token, false),
        same_result("a space in the payload", token_with_space, false),
        same_result("a line feed at the end", format!("{token}\n"), false),
        same_result(
            "another secret",
            reference::sign(HEADER, "{}", "another secret"),
            false,
        ),
        only_jsonwebtoken_accepts("too long", long_token, "a token has at most 8192 bytes"),
    ]);
}

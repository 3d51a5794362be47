//! Compares the results of the two libraries for tokens whose claims are missing, of a wrong type, of a wrong value, or
//! duplicate.

use serde_json::{Value, json};

use super::{
    Case, assert_results, now, only_jsonwebtoken_accepts, same_result, sign_payload, token_with,
    token_with_member, token_without, valid_claims,
};

#[test]
fn compares_missing_claims() {
    const NOT_REQUIRED: &str = "jsonwebtoken compares a claim only if the token has that claim";
    const REQUIRED_BY_THIS_CRATE: &str =
        "this crate requires the claim; jsonwebtoken can require only exp, nbf, aud, iss and sub";
    assert_results(vec![
        same_result(
            "nothing",
            sign_payload(&Value::from(valid_claims()).to_string()),
            true,
        ),
        same_result("exp", token_without("exp"), false),
        only_jsonwebtoken_accepts("iss", token_without("iss"), NOT_REQUIRED),
        only_jsonwebtoken_accepts("aud", token_without("aud"), NOT_REQUIRED),
        only_jsonwebtoken_accepts("sub", token_without("sub"), NOT_REQUIRED),
        only_jsonwebtoken_accepts("iat", token_without("iat"), "jsonwebtoken ignores iat"),
        only_jsonwebtoken_accepts("email", token_without("email"), REQUIRED_BY_THIS_CRATE),
        only_jsonwebtoken_accepts("jti", token_without("jti"), REQUIRED_BY_THIS_CRATE),
        only_jsonwebtoken_accepts("sid", token_without("sid"), REQUIRED_BY_THIS_CRATE),
    ]);
}

#[test]
fn compares_claims_of_a_wrong_type() {
    const UNREADABLE: &str = "jsonwebtoken treats a claim that it cannot parse as absent";
    assert_results(vec![
        same_result("exp is text", token_with("exp", "4102444800"), false),
        same_result("exp is null", token_with("exp", Value::Null), false),
        only_jsonwebtoken_accepts(
            "email_verified is text",
            token_with("email_verified", "true"),
            "jsonwebtoken checks the registered claims only",
        ),
        only_jsonwebtoken_accepts("iss is null", token_with("iss", Value::Null), UNREADABLE),
        only_jsonwebtoken_accepts("iss is a number", token_with("iss", 1), UNREADABLE),
        only_jsonwebtoken_accepts("iss is an object", token_with("iss", json!({})), UNREADABLE),
        only_jsonwebtoken_accepts(
            "iss is an array with the expected value",
            token_with("iss", json!(["api-server"])),
            "jsonwebtoken accepts any of several",
        ),
        same_result(
            "iss is an array without the expected value",
            token_with("iss", json!(["other"])),
            false,
        ),
    ]);
    assert_results(aud_claims_of_a_wrong_type(UNREADABLE));
}

/// Returns the cases for `aud`. The reason applies to all cases in which the libraries differ.
fn aud_claims_of_a_wrong_type(reason: &'static str) -> Vec<Case> {
    vec![
        only_jsonwebtoken_accepts("aud is null", token_with("aud", Value::Null), reason),
        only_jsonwebtoken_accepts("aud is a number", token_with("aud", 1), reason),
        only_jsonwebtoken_accepts(
            "aud is an object",
            token_with("aud", json!({"api": 1})),
            reason,
        ),
        only_jsonwebtoken_accepts(
            "aud has a number, not the expected value",
            token_with("aud", json!(["other", 1])),
            reason,
        ),
        only_jsonwebtoken_accepts(
            "aud has a number and the expected value",
            token_with("aud", json!(["api", 1])),
            reason,
        ),
        same_result(
            "aud is an array with the expected value",
            token_with("aud", json!(["other", "api"])),
            true,
        ),
        same_result(
            "aud is an array without the expected value",
            token_with("aud", json!(["other"])),
            false,
        ),
        same_result("aud is an empty array", token_with("aud", json!([])), false),
    ]
}

#[test]
fn compares_unacceptable_claims_that_jsonwebtoken_ignores() {
    const NOT_COMPARED: &str = "jsonwebtoken compares sub only if it is configured";
    assert_results(vec![
        only_jsonwebtoken_accepts("sub is a number", token_with("sub", 42), NOT_COMPARED),
        only_jsonwebtoken_accepts("sub is empty", token_with("sub", ""), NOT_COMPARED),
        only_jsonwebtoken_accepts(
            "sub ends with a space",
            token_with("sub", "42 "),
            NOT_COMPARED,
        ),
        only_jsonwebtoken_accepts(
            "email is a number",
            token_with("email", 42),
            "a claim of this crate",
        ),
        only_jsonwebtoken_accepts(
            "iat is text",
            token_with("iat", "0"),
            "jsonwebtoken ignores iat",
        ),
        only_jsonwebtoken_accepts(
            "nbf is text",
            token_with("nbf", "0"),
            "jsonwebtoken ignores nbf unless configured otherwise",
        ),
    ]);
}

#[test]
fn compares_claims_of_a_wrong_value() {
    assert_results(vec![
        same_result("another issuer", token_with("iss", "other"), false),
        same_result("another audience", token_with("aud", "other"), false),
        same_result("expired 100 s ago", token_with("exp", now() - 100), false),
        only_jsonwebtoken_accepts(
            "expired 30 s ago",
            token_with("exp", now() - 30),
            "jsonwebtoken's default leeway is 60 s, this crate's is 5 s",
        ),
        same_result(
            "exp has a fraction",
            token_with(
                "exp",
                0.5 + 4_000_000.0 + f64::from(i32::try_from(now()).unwrap()),
            ),
            true,
        ),
        same_result("exp is negative", token_with("exp", -1), false),
        only_jsonwebtoken_accepts(
            "exp is in 401 days",
            token_with("exp", now() + 401 * 86_400),
            "the lifetime ceiling is 400 days",
        ),
        only_jsonwebtoken_accepts(
            "exp is beyond 2^53",
            token_with("exp", u64::MAX),
            "parsers disagree about such an integer",
        ),
        only_jsonwebtoken_accepts(
            "iat is in the future",
            token_with("iat", now() + 60),
            "jsonwebtoken ignores iat",
        ),
        only_jsonwebtoken_accepts(
            "nbf is in the future",
            token_with("nbf", now() + 60),
            "jsonwebtoken ignores nbf unless configured otherwise",
        ),
        same_result("nbf is in the past", token_with("nbf", now() - 60), true),
    ]);
}

#[test]
fn compares_duplicate_claims() {
    const LAST_WINS: &str = "jsonwebtoken uses the last claim, other parsers use the first claim";
    assert_results(vec![
        same_result("sub", token_with_member(r#""sub":"1""#), false),
        same_result("exp", token_with_member(r#""exp":1"#), false),
        only_jsonwebtoken_accepts(
            "email",
            token_with_member(r#""email":"root@example.com""#),
            LAST_WINS,
        ),
        only_jsonwebtoken_accepts("jti", token_with_member(r#""jti":"t0""#), LAST_WINS),
        only_jsonwebtoken_accepts("sid", token_with_member(r#""sid":"1""#), LAST_WINS),
        only_jsonwebtoken_accepts("iat", token_with_member(r#""iat":1"#), LAST_WINS),
        same_result(
            "an unknown claim",
            token_with_member(r#""x":1,"x":2"#),
            true,
        ),
    ]);
}

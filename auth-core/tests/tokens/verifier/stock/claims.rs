//! Claims: presence, type, value and duplicates.

use serde_json::{Value, json};

use super::{
    check, now, same_result, signed, stricter, valid_claims, with_claim, with_member, without_claim,
};

#[test]
fn compares_missing_claims() {
    const CONFIGURED: &str =
        "stock compares a claim that is present; an absent one passes unless listed as required";
    const OWN_CLAIMS: &str = "a claim of this crate; stock knows only those of RFC 7519";
    check(vec![
        same_result(
            "nothing",
            signed(&Value::from(valid_claims()).to_string()),
            true,
        ),
        same_result("exp", without_claim("exp"), false),
        stricter("iss", without_claim("iss"), CONFIGURED),
        stricter("aud", without_claim("aud"), CONFIGURED),
        stricter("sub", without_claim("sub"), CONFIGURED),
        stricter("iat", without_claim("iat"), "stock ignores iat"),
        stricter("email", without_claim("email"), OWN_CLAIMS),
        stricter("jti", without_claim("jti"), OWN_CLAIMS),
        stricter("sid", without_claim("sid"), OWN_CLAIMS),
    ]);
}

#[test]
fn compares_claims_of_a_wrong_type() {
    const UNREADABLE: &str = "stock treats a claim that it cannot parse as absent";
    check(vec![
        same_result("exp is text", with_claim("exp", "4102444800"), false),
        same_result("exp is null", with_claim("exp", Value::Null), false),
        stricter("iss is null", with_claim("iss", Value::Null), UNREADABLE),
        stricter("iss is a number", with_claim("iss", 1), UNREADABLE),
        stricter("iss is an object", with_claim("iss", json!({})), UNREADABLE),
        stricter(
            "iss is an array with the expected one",
            with_claim("iss", json!(["api-server"])),
            "stock accepts any of several",
        ),
        same_result(
            "iss is an array without the expected one",
            with_claim("iss", json!(["other"])),
            false,
        ),
        stricter("aud is null", with_claim("aud", Value::Null), UNREADABLE),
        stricter("aud is a number", with_claim("aud", 1), UNREADABLE),
        stricter(
            "aud is an object",
            with_claim("aud", json!({"api": 1})),
            UNREADABLE,
        ),
        stricter(
            "aud has a number, not the expected one",
            with_claim("aud", json!(["other", 1])),
            UNREADABLE,
        ),
        stricter(
            "aud has a number and the expected one",
            with_claim("aud", json!(["api", 1])),
            UNREADABLE,
        ),
        same_result(
            "aud is an array with the expected one",
            with_claim("aud", json!(["other", "api"])),
            true,
        ),
        same_result(
            "aud is an array without the expected one",
            with_claim("aud", json!(["other"])),
            false,
        ),
        same_result("aud is an empty array", with_claim("aud", json!([])), false),
    ]);
}

#[test]
fn compares_claims_of_a_wrong_type_that_stock_ignores() {
    const NOT_COMPARED: &str = "stock compares sub only if it is configured";
    check(vec![
        stricter("sub is a number", with_claim("sub", 42), NOT_COMPARED),
        stricter("sub is empty", with_claim("sub", ""), NOT_COMPARED),
        stricter(
            "sub ends with a space",
            with_claim("sub", "42 "),
            NOT_COMPARED,
        ),
        stricter(
            "email is a number",
            with_claim("email", 42),
            "a claim of this crate",
        ),
        stricter("iat is text", with_claim("iat", "0"), "stock ignores iat"),
        stricter(
            "nbf is text",
            with_claim("nbf", "0"),
            "stock ignores nbf unless configured otherwise",
        ),
    ]);
}

#[test]
fn compares_claims_of_a_wrong_value() {
    check(vec![
        same_result("another issuer", with_claim("iss", "other"), false),
        same_result("another audience", with_claim("aud", "other"), false),
        same_result("expired 100 s ago", with_claim("exp", now() - 100), false),
        stricter(
            "expired 30 s ago",
            with_claim("exp", now() - 30),
            "stock's default leeway is 60 s, this crate's is 5 s",
        ),
        same_result(
            "exp has a fraction",
            with_claim(
                "exp",
                0.5 + 4_000_000.0 + f64::from(i32::try_from(now()).unwrap()),
            ),
            true,
        ),
        same_result("exp is negative", with_claim("exp", -1), false),
        stricter(
            "exp is in 401 days",
            with_claim("exp", now() + 401 * 86_400),
            "the lifetime ceiling is 400 days",
        ),
        stricter(
            "exp is beyond 2^53",
            with_claim("exp", u64::MAX),
            "parsers disagree about such an integer",
        ),
        stricter(
            "iat is in the future",
            with_claim("iat", now() + 60),
            "stock ignores iat",
        ),
        stricter(
            "nbf is in the future",
            with_claim("nbf", now() + 60),
            "stock ignores nbf unless configured otherwise",
        ),
        same_result("nbf is in the past", with_claim("nbf", now() - 60), true),
    ]);
}

#[test]
fn compares_duplicate_claims() {
    const LAST_WINS: &str = "stock uses the last one, other parsers the first one";
    check(vec![
        same_result("sub", with_member(r#""sub":"1""#), false),
        same_result("exp", with_member(r#""exp":1"#), false),
        stricter(
            "email",
            with_member(r#""email":"root@example.com""#),
            LAST_WINS,
        ),
        stricter("jti", with_member(r#""jti":"t0""#), LAST_WINS),
        stricter("sid", with_member(r#""sid":"1""#), LAST_WINS),
        stricter("iat", with_member(r#""iat":1"#), LAST_WINS),
        same_result("an unknown claim", with_member(r#""x":1,"x":2"#), true),
    ]);
}

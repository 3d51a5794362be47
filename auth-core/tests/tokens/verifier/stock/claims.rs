//! Claims: presence, type, value and duplicates.

use serde_json::{Value, json};

use super::{check, now, same, signed, stricter, valid_claims, with, with_member, without};

#[test]
fn missing_claims() {
    const CONFIGURED: &str =
        "stock compares a claim that is present; an absent one passes unless listed as required";
    const OWN_CLAIMS: &str = "a claim of this crate; stock knows only those of RFC 7519";
    check(vec![
        same(
            "nothing",
            signed(&Value::from(valid_claims()).to_string()),
            true,
        ),
        same("exp", without("exp"), false),
        stricter("iss", without("iss"), CONFIGURED),
        stricter("aud", without("aud"), CONFIGURED),
        stricter("sub", without("sub"), CONFIGURED),
        stricter("iat", without("iat"), "stock ignores iat"),
        stricter("email", without("email"), OWN_CLAIMS),
        stricter("jti", without("jti"), OWN_CLAIMS),
        stricter("sid", without("sid"), OWN_CLAIMS),
    ]);
}

#[test]
fn claims_of_a_wrong_type() {
    const UNREADABLE: &str = "stock treats a claim that it cannot parse as absent";
    check(vec![
        same("exp is text", with("exp", "4102444800"), false),
        same("exp is null", with("exp", Value::Null), false),
        stricter("iss is null", with("iss", Value::Null), UNREADABLE),
        stricter("iss is a number", with("iss", 1), UNREADABLE),
        stricter("iss is an object", with("iss", json!({})), UNREADABLE),
        stricter(
            "iss is an array with the expected one",
            with("iss", json!(["api-server"])),
            "stock accepts any of several",
        ),
        same(
            "iss is an array without the expected one",
            with("iss", json!(["other"])),
            false,
        ),
        stricter("aud is null", with("aud", Value::Null), UNREADABLE),
        stricter("aud is a number", with("aud", 1), UNREADABLE),
        stricter(
            "aud is an object",
            with("aud", json!({"api": 1})),
            UNREADABLE,
        ),
        stricter(
            "aud has a number, not the expected one",
            with("aud", json!(["other", 1])),
            UNREADABLE,
        ),
        stricter(
            "aud has a number and the expected one",
            with("aud", json!(["api", 1])),
            UNREADABLE,
        ),
        same(
            "aud is an array with the expected one",
            with("aud", json!(["other", "api"])),
            true,
        ),
        same(
            "aud is an array without the expected one",
            with("aud", json!(["other"])),
            false,
        ),
        same("aud is an empty array", with("aud", json!([])), false),
    ]);
}

#[test]
fn claims_of_a_wrong_type_that_stock_ignores() {
    const NOT_COMPARED: &str = "stock compares sub only if it is configured";
    check(vec![
        stricter("sub is a number", with("sub", 42), NOT_COMPARED),
        stricter("sub is empty", with("sub", ""), NOT_COMPARED),
        stricter("sub ends with a space", with("sub", "42 "), NOT_COMPARED),
        stricter(
            "email is a number",
            with("email", 42),
            "a claim of this crate",
        ),
        stricter("iat is text", with("iat", "0"), "stock ignores iat"),
        stricter(
            "nbf is text",
            with("nbf", "0"),
            "stock ignores nbf unless configured otherwise",
        ),
    ]);
}

#[test]
fn claims_of_a_wrong_value() {
    check(vec![
        same("another issuer", with("iss", "other"), false),
        same("another audience", with("aud", "other"), false),
        same("expired 100 s ago", with("exp", now() - 100), false),
        stricter(
            "expired 30 s ago",
            with("exp", now() - 30),
            "stock's default leeway is 60 s, this crate's is 5 s",
        ),
        same(
            "exp has a fraction",
            with(
                "exp",
                0.5 + 4_000_000.0 + f64::from(i32::try_from(now()).unwrap()),
            ),
            true,
        ),
        same("exp is negative", with("exp", -1), false),
        stricter(
            "exp is in 401 days",
            with("exp", now() + 401 * 86_400),
            "the lifetime ceiling is 400 days",
        ),
        stricter(
            "exp is beyond 2^53",
            with("exp", u64::MAX),
            "parsers disagree about such an integer",
        ),
        stricter(
            "iat is in the future",
            with("iat", now() + 60),
            "stock ignores iat",
        ),
        stricter(
            "nbf is in the future",
            with("nbf", now() + 60),
            "stock ignores nbf unless configured otherwise",
        ),
        same("nbf is in the past", with("nbf", now() - 60), true),
    ]);
}

#[test]
fn duplicate_claims() {
    const LAST_WINS: &str = "stock uses the last one, other parsers the first one";
    check(vec![
        same("sub", with_member(r#""sub":"1""#), false),
        same("exp", with_member(r#""exp":1"#), false),
        stricter(
            "email",
            with_member(r#""email":"root@example.com""#),
            LAST_WINS,
        ),
        stricter("jti", with_member(r#""jti":"t0""#), LAST_WINS),
        stricter("sid", with_member(r#""sid":"1""#), LAST_WINS),
        stricter("iat", with_member(r#""iat":1"#), LAST_WINS),
        same("an unknown claim", with_member(r#""x":1,"x":2"#), true),
    ]);
}

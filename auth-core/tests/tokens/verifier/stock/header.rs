//! Compares the results of the two libraries for different JOSE headers: algorithm, type, extensions and parameters.

use super::{
    assert_results, only_jsonwebtoken_accepts, only_this_crate_accepts, same_result,
    token_with_header,
};

#[test]
fn compares_algorithms() {
    assert_results(vec![
        same_result(
            "alg none",
            token_with_header(r#"{"alg":"none","typ":"at+jwt"}"#),
            false,
        ),
        same_result(
            "alg hs256",
            token_with_header(r#"{"alg":"hs256","typ":"at+jwt"}"#),
            false,
        ),
        same_result(
            "alg HS384",
            token_with_header(r#"{"alg":"HS384","typ":"at+jwt"}"#),
            false,
        ),
        same_result(
            "alg RS256",
            token_with_header(r#"{"alg":"RS256","typ":"at+jwt"}"#),
            false,
        ),
        same_result("no alg", token_with_header(r#"{"typ":"at+jwt"}"#), false),
    ]);
}

#[test]
fn compares_type_and_crit() {
    const TYPE_NOT_CHECKED: &str =
        "jsonwebtoken does not check typ, so a token of another kind passes (RFC 8725 § 3.11)";
    const CRITICAL: &str =
        "an extension that is not understood must be rejected (RFC 7515 § 4.1.11)";
    assert_results(vec![
        same_result(
            "typ AT+JWT",
            token_with_header(r#"{"alg":"HS256","typ":"AT+JWT"}"#),
            true,
        ),
        only_jsonwebtoken_accepts(
            "no typ",
            token_with_header(r#"{"alg":"HS256"}"#),
            TYPE_NOT_CHECKED,
        ),
        only_jsonwebtoken_accepts(
            "typ JWT",
            token_with_header(r#"{"alg":"HS256","typ":"JWT"}"#),
            TYPE_NOT_CHECKED,
        ),
        only_jsonwebtoken_accepts(
            "typ refresh+jwt",
            token_with_header(r#"{"alg":"HS256","typ":"refresh+jwt"}"#),
            TYPE_NOT_CHECKED,
        ),
        only_jsonwebtoken_accepts(
            "typ null",
            token_with_header(r#"{"alg":"HS256","typ":null}"#),
            TYPE_NOT_CHECKED,
        ),
        only_jsonwebtoken_accepts(
            "crit",
            token_with_header(r#"{"alg":"HS256","typ":"at+jwt","crit":["x"],"x":1}"#),
            CRITICAL,
        ),
    ]);
}

#[test]
fn compares_extensions_duplicates_and_key_ids() {
    assert_results(vec![
        only_jsonwebtoken_accepts(
            "b64",
            token_with_header(r#"{"alg":"HS256","typ":"at+jwt","crit":["b64"],"b64":false}"#),
            "must not be used in a JWT (RFC 7797 § 7)",
        ),
        only_jsonwebtoken_accepts(
            "zip",
            token_with_header(r#"{"alg":"HS256","typ":"at+jwt","zip":"DEF"}"#),
            "zip is not a parameter of JWS",
        ),
        same_result(
            "alg twice",
            token_with_header(r#"{"alg":"HS256","alg":"HS256","typ":"at+jwt"}"#),
            false,
        ),
        only_jsonwebtoken_accepts(
            "an unknown name twice",
            token_with_header(r#"{"alg":"HS256","typ":"at+jwt","x":1,"x":2}"#),
            "names are unique (RFC 7515 § 4); jsonwebtoken checks only the names that it knows",
        ),
        same_result(
            "kid is any text",
            token_with_header(r#"{"alg":"HS256","typ":"at+jwt","kid":"../x"}"#),
            true,
        ),
        same_result(
            "kid is an array",
            token_with_header(r#"{"alg":"HS256","typ":"at+jwt","kid":["x"]}"#),
            false,
        ),
        only_jsonwebtoken_accepts(
            "kid is null",
            token_with_header(r#"{"alg":"HS256","typ":"at+jwt","kid":null}"#),
            "null is not a string",
        ),
        same_result(
            "jku",
            token_with_header(r#"{"alg":"HS256","typ":"at+jwt","jku":"http://127.0.0.1:9"}"#),
            true,
        ),
    ]);
}

/// This crate ignores the parameters that it does not understand, as RFC 7515 § 4 requires.
#[test]
fn compares_parameters_that_only_jsonwebtoken_reads() {
    const IGNORED_HERE: &str =
        "this crate ignores the parameter; jsonwebtoken rejects a malformed value";
    assert_results(vec![
        only_this_crate_accepts(
            "jwk",
            token_with_header(r#"{"alg":"HS256","typ":"at+jwt","jwk":5}"#),
            IGNORED_HERE,
        ),
        only_this_crate_accepts(
            "jku",
            token_with_header(r#"{"alg":"HS256","typ":"at+jwt","jku":5}"#),
            IGNORED_HERE,
        ),
        only_this_crate_accepts(
            "x5c",
            token_with_header(r#"{"alg":"HS256","typ":"at+jwt","x5c":"x"}"#),
            IGNORED_HERE,
        ),
        only_this_crate_accepts(
            "cty",
            token_with_header(r#"{"alg":"HS256","typ":"at+jwt","cty":[]}"#),
            IGNORED_HERE,
        ),
        only_this_crate_accepts(
            "a huge number",
            token_with_header(r#"{"alg":"HS256","typ":"at+jwt","x":1e999}"#),
            IGNORED_HERE,
        ),
    ]);
}

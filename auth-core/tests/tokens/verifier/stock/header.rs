//! Compares tokens with different JOSE headers: algorithm, type, extensions and parameters.

use super::{check, more_lenient, same_result, stricter, token_with_header};

#[test]
fn compares_algorithms() {
    check(vec![
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
    const TYPE: &str =
        "jsonwebtoken does not check typ, so a token of another kind passes (RFC 8725 § 3.11)";
    const CRITICAL: &str =
        "an extension that is not understood must be rejected (RFC 7515 § 4.1.11)";
    check(vec![
        same_result(
            "typ AT+JWT",
            token_with_header(r#"{"alg":"HS256","typ":"AT+JWT"}"#),
            true,
        ),
        stricter("no typ", token_with_header(r#"{"alg":"HS256"}"#), TYPE),
        stricter(
            "typ JWT",
            token_with_header(r#"{"alg":"HS256","typ":"JWT"}"#),
            TYPE,
        ),
        stricter(
            "typ refresh+jwt",
            token_with_header(r#"{"alg":"HS256","typ":"refresh+jwt"}"#),
            TYPE,
        ),
        stricter(
            "typ null",
            token_with_header(r#"{"alg":"HS256","typ":null}"#),
            TYPE,
        ),
        stricter(
            "crit",
            token_with_header(r#"{"alg":"HS256","typ":"at+jwt","crit":["x"],"x":1}"#),
            CRITICAL,
        ),
    ]);
}

#[test]
fn compares_extensions_duplicates_and_key_ids() {
    check(vec![
        stricter(
            "b64",
            token_with_header(r#"{"alg":"HS256","typ":"at+jwt","crit":["b64"],"b64":false}"#),
            "must not be used in a JWT (RFC 7797 § 7)",
        ),
        stricter(
            "zip",
            token_with_header(r#"{"alg":"HS256","typ":"at+jwt","zip":"DEF"}"#),
            "zip is not a parameter of JWS",
        ),
        same_result(
            "alg twice",
            token_with_header(r#"{"alg":"HS256","alg":"HS256","typ":"at+jwt"}"#),
            false,
        ),
        stricter(
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
        stricter(
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

/// RFC 7515 § 4: parameters that are not understood are ignored.
#[test]
fn compares_parameters_that_only_jsonwebtoken_reads() {
    const IGNORED_HERE: &str =
        "this crate ignores the parameter; jsonwebtoken rejects a malformed value";
    check(vec![
        more_lenient(
            "jwk",
            token_with_header(r#"{"alg":"HS256","typ":"at+jwt","jwk":5}"#),
            IGNORED_HERE,
        ),
        more_lenient(
            "jku",
            token_with_header(r#"{"alg":"HS256","typ":"at+jwt","jku":5}"#),
            IGNORED_HERE,
        ),
        more_lenient(
            "x5c",
            token_with_header(r#"{"alg":"HS256","typ":"at+jwt","x5c":"x"}"#),
            IGNORED_HERE,
        ),
        more_lenient(
            "cty",
            token_with_header(r#"{"alg":"HS256","typ":"at+jwt","cty":[]}"#),
            IGNORED_HERE,
        ),
        more_lenient(
            "a huge number",
            token_with_header(r#"{"alg":"HS256","typ":"at+jwt","x":1e999}"#),
            IGNORED_HERE,
        ),
    ]);
}

//! Where strictness makes a difference: the same tokens, read by this library and by stock `jsonwebtoken::decode` set up
//! as its documentation suggests, with the algorithm, the issuer and the audience.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

#[path = "tokens/foreign.rs"]
mod foreign;

use std::time::{SystemTime, UNIX_EPOCH};

use auth_core::{Keyring, Secret, TokenVerifier};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value, json};

const SECRET: &str = "wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P";
const HEADER: &str = r#"{"alg":"HS256","typ":"at+jwt"}"#;

/// One token, both answers, and why they differ if they do.
struct Case {
    name: &'static str,
    token: String,
    ours: bool,
    stock: bool,
    why: &'static str,
}

fn ours(token: &str) -> bool {
    let keyring = Keyring::new(Secret::new(SECRET).unwrap());
    let verifier = TokenVerifier::new(keyring, "api-server", "api").unwrap();
    verifier.verify(token, SystemTime::now()).is_ok()
}

/// The claims are taken as they are, so that it is `decode` that answers and not a struct.
fn stock(token: &str) -> bool {
    let key = DecodingKey::from_secret(SECRET.as_bytes());
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_issuer(&["api-server"]);
    validation.set_audience(&["api"]);
    jsonwebtoken::decode::<Value>(token, &key, &validation).is_ok()
}

/// Stock reads the system's clock, so the times are relative to it, with seconds to spare on both sides.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

fn good() -> Map<String, Value> {
    let claims = json!({
        "iss": "api-server", "aud": "api", "sub": "42", "email": "ada@example.com",
        "iat": now(), "exp": now() + 900, "jti": "t1", "sid": "7",
    });
    claims.as_object().unwrap().clone()
}

fn signed(payload: &str) -> String {
    foreign::sign(HEADER, payload, SECRET)
}

fn with(claim: &str, value: impl Into<Value>) -> String {
    let mut claims = good();
    claims.insert(claim.to_owned(), value.into());
    signed(&Value::from(claims).to_string())
}

fn without(claim: &str) -> String {
    let mut claims = good();
    claims.remove(claim);
    signed(&Value::from(claims).to_string())
}

/// The good claims and one member more, written as text so that it can be a duplicate.
fn and(member: &str) -> String {
    let json = Value::from(good()).to_string();
    signed(&json.replacen('{', &format!("{{{member},"), 1))
}

fn with_header(header: &str) -> String {
    foreign::sign(header, Value::from(good()).to_string(), SECRET)
}

fn case(name: &'static str, token: String, ours: bool, stock: bool, why: &'static str) -> Case {
    Case {
        name,
        token,
        ours,
        stock,
        why,
    }
}

fn same(name: &'static str, token: String, accepted: bool) -> Case {
    case(name, token, accepted, accepted, "")
}

/// We refuse it, stock does not.
fn stricter(name: &'static str, token: String, why: &'static str) -> Case {
    case(name, token, false, true, why)
}

/// We accept it, stock does not.
fn laxer(name: &'static str, token: String, why: &'static str) -> Case {
    case(name, token, true, false, why)
}

fn check(cases: Vec<Case>) {
    for case in cases {
        let Case { name, why, .. } = case;
        assert_eq!(ours(&case.token), case.ours, "ours: {name}; {why}");
        assert_eq!(stock(&case.token), case.stock, "stock: {name}; {why}");
        assert_eq!(
            why.is_empty(),
            case.ours == case.stock,
            "{name}: every difference has its reason"
        );
    }
}

#[test]
fn claims_that_are_missing() {
    const CONFIGURED: &str =
        "stock compares what is there; absent passes unless listed as required";
    const OUR_CLAIMS: &str = "a claim of our profile; stock knows only those of RFC 7519";
    check(vec![
        same("nothing", signed(&Value::from(good()).to_string()), true),
        same("exp", without("exp"), false),
        stricter("iss", without("iss"), CONFIGURED),
        stricter("aud", without("aud"), CONFIGURED),
        stricter("sub", without("sub"), CONFIGURED),
        stricter("iat", without("iat"), "stock never looks at iat"),
        stricter("email", without("email"), OUR_CLAIMS),
        stricter("jti", without("jti"), OUR_CLAIMS),
        stricter("sid", without("sid"), OUR_CLAIMS),
    ]);
}

#[test]
fn claims_of_a_wrong_type() {
    const UNREADABLE: &str = "stock treats a claim that it cannot read as if it were absent";
    check(vec![
        same("exp is text", with("exp", "4102444800"), false),
        same("exp is null", with("exp", Value::Null), false),
        stricter("iss is null", with("iss", Value::Null), UNREADABLE),
        stricter("iss is a number", with("iss", 1), UNREADABLE),
        stricter("iss is an object", with("iss", json!({})), UNREADABLE),
        stricter(
            "iss is an array with ours",
            with("iss", json!(["api-server"])),
            "stock takes one of several",
        ),
        same(
            "iss is an array without ours",
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
            "aud has a number, not ours",
            with("aud", json!(["other", 1])),
            UNREADABLE,
        ),
        stricter(
            "aud has a number and ours",
            with("aud", json!(["api", 1])),
            UNREADABLE,
        ),
        same(
            "aud is an array with ours",
            with("aud", json!(["other", "api"])),
            true,
        ),
        same(
            "aud is an array without ours",
            with("aud", json!(["other"])),
            false,
        ),
        same("aud is an empty array", with("aud", json!([])), false),
    ]);
}

#[test]
fn claims_of_a_wrong_type_that_stock_does_not_read() {
    const NOT_COMPARED: &str = "stock compares sub only when told which";
    check(vec![
        stricter("sub is a number", with("sub", 42), NOT_COMPARED),
        stricter("sub is empty", with("sub", ""), NOT_COMPARED),
        stricter("sub ends with a space", with("sub", "42 "), NOT_COMPARED),
        stricter(
            "email is a number",
            with("email", 42),
            "a claim of our profile",
        ),
        stricter("iat is text", with("iat", "0"), "stock never looks at iat"),
        stricter(
            "nbf is text",
            with("nbf", "0"),
            "stock ignores nbf unless told otherwise",
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
            "a leeway of 60 s by default; ours is 5 s",
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
            "a lifetime has a ceiling, 400 days",
        ),
        stricter(
            "exp is beyond 2^53",
            with("exp", u64::MAX),
            "not the same integer to every reader",
        ),
        stricter(
            "iat is in the future",
            with("iat", now() + 60),
            "stock never looks at iat",
        ),
        stricter(
            "nbf is in the future",
            with("nbf", now() + 60),
            "stock ignores nbf unless told otherwise",
        ),
        same("nbf is in the past", with("nbf", now() - 60), true),
    ]);
}

#[test]
fn claims_that_stand_twice() {
    const LAST_WINS: &str = "the last one wins in stock, and the first one elsewhere";
    check(vec![
        same("sub", and(r#""sub":"1""#), false),
        same("exp", and(r#""exp":1"#), false),
        stricter("email", and(r#""email":"root@example.com""#), LAST_WINS),
        stricter("jti", and(r#""jti":"t0""#), LAST_WINS),
        stricter("sid", and(r#""sid":"1""#), LAST_WINS),
        stricter("iat", and(r#""iat":1"#), LAST_WINS),
        same("an unknown claim", and(r#""x":1,"x":2"#), true),
    ]);
}

#[test]
fn payloads_that_are_no_object() {
    let by_position = format!(r#"[{},null,"42","api-server","api"]"#, now() + 900);
    check(vec![
        same("null", signed("null"), false),
        same("text", signed(r#""x""#), false),
        same("two objects", signed("{}{}"), false),
        stricter(
            "an array",
            signed(&by_position),
            "stock reads the claims of an array by position; RFC 7519 § 7.2 wants an object",
        ),
    ]);
}

#[test]
fn headers() {
    const TYPE: &str = "stock does not check typ: a token of another kind passes (RFC 8725 § 3.11)";
    const CRITICAL: &str =
        "an extension that is not understood must be refused (RFC 7515 § 4.1.11)";
    check(vec![
        same(
            "alg none",
            with_header(r#"{"alg":"none","typ":"at+jwt"}"#),
            false,
        ),
        same(
            "alg hs256",
            with_header(r#"{"alg":"hs256","typ":"at+jwt"}"#),
            false,
        ),
        same(
            "alg HS384",
            with_header(r#"{"alg":"HS384","typ":"at+jwt"}"#),
            false,
        ),
        same(
            "alg RS256",
            with_header(r#"{"alg":"RS256","typ":"at+jwt"}"#),
            false,
        ),
        same("no alg", with_header(r#"{"typ":"at+jwt"}"#), false),
        same(
            "typ AT+JWT",
            with_header(r#"{"alg":"HS256","typ":"AT+JWT"}"#),
            true,
        ),
        stricter("no typ", with_header(r#"{"alg":"HS256"}"#), TYPE),
        stricter(
            "typ JWT",
            with_header(r#"{"alg":"HS256","typ":"JWT"}"#),
            TYPE,
        ),
        stricter(
            "typ refresh+jwt",
            with_header(r#"{"alg":"HS256","typ":"refresh+jwt"}"#),
            TYPE,
        ),
        stricter(
            "typ null",
            with_header(r#"{"alg":"HS256","typ":null}"#),
            TYPE,
        ),
        stricter(
            "crit",
            with_header(r#"{"alg":"HS256","typ":"at+jwt","crit":["x"],"x":1}"#),
            CRITICAL,
        ),
    ]);
}

#[test]
fn headers_that_are_malformed_or_of_another_kind_of_object() {
    check(vec![
        stricter(
            "b64",
            with_header(r#"{"alg":"HS256","typ":"at+jwt","crit":["b64"],"b64":false}"#),
            "must not be used in a JWT (RFC 7797 § 7)",
        ),
        stricter(
            "zip",
            with_header(r#"{"alg":"HS256","typ":"at+jwt","zip":"DEF"}"#),
            "not of JWS",
        ),
        same(
            "alg twice",
            with_header(r#"{"alg":"HS256","alg":"HS256","typ":"at+jwt"}"#),
            false,
        ),
        stricter(
            "an unknown name twice",
            with_header(r#"{"alg":"HS256","typ":"at+jwt","x":1,"x":2}"#),
            "names are unique (RFC 7515 § 4); stock says so of the names it knows",
        ),
        same(
            "kid is any text",
            with_header(r#"{"alg":"HS256","typ":"at+jwt","kid":"../x"}"#),
            true,
        ),
        same(
            "kid is an array",
            with_header(r#"{"alg":"HS256","typ":"at+jwt","kid":["x"]}"#),
            false,
        ),
        stricter(
            "kid is null",
            with_header(r#"{"alg":"HS256","typ":"at+jwt","kid":null}"#),
            "null is no string",
        ),
        same(
            "jku",
            with_header(r#"{"alg":"HS256","typ":"at+jwt","jku":"http://127.0.0.1:9"}"#),
            true,
        ),
    ]);
}

/// What is never looked at cannot be wrong (RFC 7515 § 4: parameters that are not understood are ignored).
#[test]
fn parameters_that_only_stock_reads() {
    const NOT_LOOKED_AT: &str = "we do not read it; stock does and finds it malformed";
    check(vec![
        laxer(
            "jwk",
            with_header(r#"{"alg":"HS256","typ":"at+jwt","jwk":5}"#),
            NOT_LOOKED_AT,
        ),
        laxer(
            "jku",
            with_header(r#"{"alg":"HS256","typ":"at+jwt","jku":5}"#),
            NOT_LOOKED_AT,
        ),
        laxer(
            "x5c",
            with_header(r#"{"alg":"HS256","typ":"at+jwt","x5c":"x"}"#),
            NOT_LOOKED_AT,
        ),
        laxer(
            "cty",
            with_header(r#"{"alg":"HS256","typ":"at+jwt","cty":[]}"#),
            NOT_LOOKED_AT,
        ),
        laxer(
            "a huge number",
            with_header(r#"{"alg":"HS256","typ":"at+jwt","x":1e999}"#),
            NOT_LOOKED_AT,
        ),
    ]);
}

#[test]
fn texts() {
    let token = signed(&Value::from(good()).to_string());
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (header, payload) = message.split_once('.').unwrap();
    let with_space = foreign::sign_parts(header, &format!("{payload} "), SECRET);
    let padded = foreign::sign_parts(header, &format!("{payload}="), SECRET);
    let long = with("x", "x".repeat(7000));
    assert!(long.len() > 8192);
    check(vec![
        same("as it was made", token.clone(), true),
        same("no signature", format!("{message}."), false),
        same("two parts", message.to_owned(), false),
        same("four parts", format!("{token}.{signature}"), false),
        same("a padded signature", format!("{token}="), false),
        same("a padded payload", padded, false),
        same("a space in the payload", with_space, false),
        same("a line feed behind", format!("{token}\n"), false),
        same(
            "another secret",
            foreign::sign(HEADER, "{}", "another secret"),
            false,
        ),
        stricter("9000 bytes", long, "a token has at most 8192 bytes"),
    ]);
}

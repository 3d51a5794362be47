//! Compares this crate with `jsonwebtoken::decode`, for which the algorithm, the issuer and the audience are set. All
//! other settings have their defaults. Each test case in which the libraries differ states why.

mod claims;
mod header;
mod structure;

use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value, json};

use crate::fixtures::{HEADER, SECRET, keyring, verifier};
use crate::reference;

/// A token, whether each library accepts the token, and the reason if the libraries differ.
struct Case {
    name: &'static str,
    token: String,
    accepted_by_this_crate: bool,
    accepted_by_jsonwebtoken: bool,
    reason: &'static str,
}

fn this_crate_accepts(token: &str) -> bool {
    verifier(keyring()).verify(token, SystemTime::now()).is_ok()
}

/// Decodes the claims as a `Value`, which accepts claims of any type. A rejection is therefore a decision of
/// `jsonwebtoken`, not of a struct of the test.
fn jsonwebtoken_accepts(token: &str) -> bool {
    let key = DecodingKey::from_secret(SECRET.as_bytes());
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_issuer(&["api-server"]);
    validation.set_audience(&["api"]);
    jsonwebtoken::decode::<Value>(token, &key, &validation).is_ok()
}

/// Returns the time of the system clock in seconds since 1970, because `jsonwebtoken` reads the system clock. The times
/// in the tests differ from every limit by several seconds, so the duration of a test changes no result.
fn now() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since_1970.as_secs()).unwrap()
}

fn valid_claims() -> Map<String, Value> {
    let claims = json!({
        "iss": "api-server", "aud": "api", "sub": "42", "email": "ada@example.com",
        "iat": now(), "exp": now() + 900, "jti": "t1", "sid": "7",
    });
    claims.as_object().unwrap().clone()
}

fn sign_payload(payload: &str) -> String {
    reference::sign(HEADER, payload, SECRET)
}

/// Returns a token with the valid claims and this claim, which replaces a valid claim of the same name.
fn token_with(claim: &str, value: impl Into<Value>) -> String {
    let mut claims = valid_claims();
    claims.insert(claim.to_owned(), value.into());
    sign_payload(&Value::from(claims).to_string())
}

/// Returns a token with the valid claims except this claim.
fn token_without(claim: &str) -> String {
    let mut claims = valid_claims();
    claims.remove(claim);
    sign_payload(&Value::from(claims).to_string())
}

/// Returns a token with the valid claims and one more JSON member, whose name may be a duplicate.
fn token_with_member(member: &str) -> String {
    let json = Value::from(valid_claims()).to_string();
    sign_payload(&json.replacen('{', &format!("{{{member},"), 1))
}

fn token_with_header(header: &str) -> String {
    reference::sign(header, Value::from(valid_claims()).to_string(), SECRET)
}

fn case(
    name: &'static str,
    token: String,
    accepted_by_this_crate: bool,
    accepted_by_jsonwebtoken: bool,
    reason: &'static str,
) -> Case {
    Case {
        name,
        token,
        accepted_by_this_crate,
        accepted_by_jsonwebtoken,
        reason,
    }
}

/// Returns the case of a token that both libraries accept or both reject.
fn same_result(name: &'static str, token: String, is_accepted: bool) -> Case {
    case(name, token, is_accepted, is_accepted, "")
}

/// Returns the case of a token that only `jsonwebtoken` accepts.
fn only_jsonwebtoken_accepts(name: &'static str, token: String, reason: &'static str) -> Case {
    case(name, token, false, true, reason)
}

/// Returns the case of a token that only this crate accepts.
fn only_this_crate_accepts(name: &'static str, token: String, reason: &'static str) -> Case {
    case(name, token, true, false, reason)
}

fn assert_results(cases: Vec<Case>) {
    for case in cases {
        let Case { name, reason, .. } = case;
        assert_eq!(
            this_crate_accepts(&case.token),
            case.accepted_by_this_crate,
            "this crate: {name}; {reason}"
        );
        assert_eq!(
            jsonwebtoken_accepts(&case.token),
            case.accepted_by_jsonwebtoken,
            "jsonwebtoken: {name}; {reason}"
        );
        assert_eq!(
            reason.is_empty(),
            case.accepted_by_this_crate == case.accepted_by_jsonwebtoken,
            "{name}: every difference has its reason"
        );
    }
}

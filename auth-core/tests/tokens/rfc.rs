//! The JWT examples of the RFCs. None of them is an access token of ours, so all are refused; what they teach about time
//! is shown on a token with the same `exp` and all that is missing.

use std::time::{Duration, UNIX_EPOCH};

use auth_core::{Error, Keyring, Secret, TokenVerifier};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::world::{AUDIENCE, Payload, fault, keyring, verified_by};

const RFC: &str = include_str!("../vectors/rfc_jws_jwt.json");
/// `exp` in RFC 7519 § 3.1.
const EXP: u64 = 1_300_819_380;

fn vectors() -> Vec<Value> {
    let mut vectors: Vec<Value> = serde_json::from_str(RFC).unwrap();
    assert_eq!(vectors.len(), 15);
    vectors.retain(|vector| vector["layer"] == "jwt");
    assert_eq!(vectors.len(), 5);
    vectors
}

#[test]
fn no_jwt_of_the_rfcs_is_an_access_token() {
    let reasons = [
        // It is in time, but its `typ` is `JWT`: a token of another kind (RFC 8725 § 3.11). Claims are missing, too.
        ("rfc7519-3.1-before-exp", "header"),
        // Expired as well; but a header that is not ours is refused before the payload is read.
        ("rfc7519-3.1-at-exp", "header"),
        ("rfc7519-3.1-today", "header"),
        // It has no `typ`; and its payload is prose, not an object.
        ("rfc7520-4.4-as-jwt", "header"),
        // Five parts: a JWE.
        ("rfc7519-A.1-jwe", "malformed"),
    ];
    for (vector, (id, reason)) in vectors().iter().zip(reasons) {
        assert_eq!(vector["id"], id);
        let secret = vector["jwk"]["k"].as_str().map_or_else(
            || Secret::generate().unwrap(),
            |k| Secret::new(URL_SAFE_NO_PAD.decode(k).unwrap()).unwrap(),
        );
        let verifier = TokenVerifier::new(Keyring::new(secret), "joe", AUDIENCE).unwrap();
        let clock = Duration::from_secs(vector["now"].as_u64().unwrap_or(EXP));
        let answer = verifier.verify(vector["token"].as_str().unwrap(), UNIX_EPOCH + clock);
        assert_eq!(fault(&answer), reason, "{id}");
    }
}

/// RFC 7519 § 4.1.4: "on or after" `exp` is too late. The clocks are those of the vectors, the leeway is none.
#[test]
fn the_clocks_of_the_rfc_are_honoured_on_a_complete_token() {
    let verifier = TokenVerifier::new(keyring(), "joe", AUDIENCE)
        .and_then(|verifier| verifier.with_leeway(Duration::ZERO))
        .unwrap();
    let payload = Payload::good()
        .with("iss", r#""joe""#)
        .with("http://example.com/is_root", "true")
        .with("iat", EXP - 900)
        .with("exp", EXP);
    let mut clocks = Vec::new();
    for vector in vectors() {
        let Some("rfc7519-3.1-before-exp" | "rfc7519-3.1-at-exp" | "rfc7519-3.1-today") =
            vector["id"].as_str()
        else {
            continue;
        };
        let clock = vector["now"].as_u64().unwrap();
        let answer = verified_by(
            &verifier,
            payload.json(),
            UNIX_EPOCH + Duration::from_secs(clock),
        );
        let answer = answer.map(|_claims| "accept");
        let expected = match vector["expect"].as_str() {
            Some("accept") => Ok("accept"),
            _ => Err(Error::Expired),
        };
        assert_eq!(answer, expected, "{clock}");
        clocks.push(clock);
    }
    assert_eq!(clocks, [EXP - 1, EXP, 1_700_000_000]);
}

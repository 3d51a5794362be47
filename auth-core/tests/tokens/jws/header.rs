//! Tests the JOSE header of a token (RFC 7515 § 4, RFC 8725 § 3.1, § 3.10, § 3.11).

use auth_core::Error;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha512;

use crate::fixtures::{
    HEADER, OTHER_SECRET, Payload, SECRET, error_name, keyring, secret, verifier, verify,
    verify_with_header,
};
use crate::reference::{base64url, sign};

fn header_with_alg(value: &str) -> String {
    format!(r#"{{"alg":{value},"typ":"at+jwt"}}"#)
}

fn header_with_typ(value: &str) -> String {
    format!(r#"{{"alg":"HS256","typ":{value}}}"#)
}

fn header_with_member(member: &str) -> String {
    format!(r#"{{"alg":"HS256","typ":"at+jwt",{member}}}"#)
}

#[test]
fn the_algorithm_is_exactly_the_string_hs256() {
    for value in [
        r#""none""#,
        r#""None""#,
        r#""NONE""#,
        r#""nOnE""#,
        r#""hs256""#,
        r#""Hs256""#,
        r#""HS256 ""#,
        r#"" HS256""#,
        r#""HS256\u0000""#,
        r#""HS256\n""#,
        r#""HS384""#,
        r#""HS512""#,
        r#""HS1""#,
        r#""RS256""#,
        r#""RS384""#,
        r#""RS512""#,
        r#""PS256""#,
        r#""ES256""#,
        r#""ES256K""#,
        r#""EdDSA""#,
        r#""A256GCMKW""#,
        r#""dir""#,
        r#""ＨＳ２５６""#,
        r#""""#,
        "null",
        "256",
        "true",
        r#"["HS256"]"#,
        r#"{"alg":"HS256"}"#,
    ] {
        let result = verify_with_header(header_with_alg(value));
        assert_eq!(error_name(&result), "header", "{value}");
    }
    let result_without_alg = verify_with_header(r#"{"typ":"at+jwt"}"#);
    assert_eq!(error_name(&result_without_alg), "header", "absent");
    let upper_case_result = verify_with_header(r#"{"ALG":"HS256","typ":"at+jwt"}"#);
    assert_eq!(error_name(&upper_case_result), "header", "ALG");
}

#[test]
fn alg_none_without_a_signature_is_rejected() {
    let token_without_signature = |header: &str| {
        let payload = base64url(Payload::valid().json().as_bytes());
        format!("{}.{payload}.", base64url(header.as_bytes()))
    };
    for value in [r#""none""#, r#""NONE""#, r#""HS256""#] {
        let token = token_without_signature(&header_with_alg(value));
        assert_eq!(error_name(&verify(&token)), "malformed", "{value}");
    }
}

#[test]
fn a_token_signed_with_another_hash_is_rejected() {
    let message = format!(
        "{}.{}",
        base64url(header_with_alg(r#""HS512""#).as_bytes()),
        base64url(Payload::valid().json().as_bytes())
    );
    let mut mac = Hmac::<Sha512>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    let token = format!("{message}.{}", base64url(&mac.finalize().into_bytes()));
    assert_eq!(error_name(&verify(&token)), "header");
}

#[test]
fn the_type_is_at_jwt_in_any_case() {
    for value in [r#""at+jwt""#, r#""AT+JWT""#, r#""At+Jwt""#] {
        assert_eq!(
            error_name(&verify_with_header(header_with_typ(value))),
            "accepted",
            "{value}"
        );
    }
    for value in [
        r#""JWT""#,
        r#""jwt""#,
        r#""application/at+jwt""#,
        r#""refresh+jwt""#,
        r#""id+jwt""#,
        r#""at+jwt ""#,
        r#""at-jwt""#,
        r#""""#,
        "null",
        "1",
        r#"["at+jwt"]"#,
        "{}",
    ] {
        assert_eq!(
            error_name(&verify_with_header(header_with_typ(value))),
            "header",
            "{value}"
        );
    }
    let result_without_typ = verify_with_header(r#"{"alg":"HS256"}"#);
    assert_eq!(error_name(&result_without_typ), "header", "absent");
}

#[test]
fn crit_b64_and_zip_are_rejected_with_any_value() {
    for name in ["crit", "b64", "zip", "\\u0063rit"] {
        for value in [
            "null",
            "[]",
            r#"["exp"]"#,
            r#"["b64"]"#,
            "true",
            "false",
            r#""DEF""#,
        ] {
            let result = verify_with_header(header_with_member(&format!(r#""{name}":{value}"#)));
            assert_eq!(error_name(&result), "header", "{name}: {value}");
        }
    }
}

#[test]
fn a_duplicate_parameter_is_rejected() {
    for (name, header) in [
        (
            "alg, equal",
            r#"{"alg":"HS256","alg":"HS256","typ":"at+jwt"}"#,
        ),
        (
            "alg, none first",
            r#"{"alg":"none","alg":"HS256","typ":"at+jwt"}"#,
        ),
        (
            "alg, none last",
            r#"{"alg":"HS256","typ":"at+jwt","alg":"none"}"#,
        ),
        (
            "alg, escaped",
            r#"{"alg":"HS256","typ":"at+jwt","\u0061lg":"none"}"#,
        ),
        ("typ", r#"{"typ":"JWT","alg":"HS256","typ":"at+jwt"}"#),
        (
            "kid",
            r#"{"alg":"HS256","typ":"at+jwt","kid":"a","kid":"b"}"#,
        ),
        ("jku", r#"{"alg":"HS256","typ":"at+jwt","jku":1,"jku":2}"#),
        ("unknown", r#"{"x":1,"alg":"HS256","typ":"at+jwt","x":1}"#),
        (
            "unknown, escaped",
            r#"{"x":1,"alg":"HS256","typ":"at+jwt","\u0078":1}"#,
        ),
        ("empty", r#"{"":1,"alg":"HS256","typ":"at+jwt","":1}"#),
    ] {
        assert_eq!(error_name(&verify_with_header(header)), "header", "{name}");
    }
}

#[test]
fn parameter_names_are_case_sensitive() {
    let header = header_with_member(r#""ALG":"none","Typ":"JWT","CRIT":["x"],"KID":1"#);
    assert_eq!(error_name(&verify_with_header(header)), "accepted");
}

#[test]
fn json_escapes_are_decoded() {
    let header = r#"{"\u0061lg":"\u0048S256","t\u0079p":"at\u002bjwt"}"#;
    assert_eq!(error_name(&verify_with_header(header)), "accepted");
}

#[test]
fn unknown_parameters_and_key_locations_are_ignored_with_any_value() {
    for member in [
        r#""x":null"#,
        r#""x":{"alg":"none","crit":["x"]}"#,
        r#""x":1e999"#,
        r#""x":123456789012345678901234567890"#,
        r#""cty":"JWT""#,
        r#""enc":"A256GCM""#,
        r#""jku":"http://127.0.0.1:9/jwks.json""#,
        r#""x5u":"http://127.0.0.1:9/x5u""#,
        r#""x5c":["MIIB"]"#,
        r#""x5t":5"#,
        r#""jwk":{"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#,
        r#""":1"#,
    ] {
        assert_eq!(
            error_name(&verify_with_header(header_with_member(member))),
            "accepted",
            "{member}"
        );
    }
}

/// Anyone can put a key into the header (`jwk`, RFC 7515 § 4.1.3), so a signature with that key proves nothing.
#[test]
fn a_key_in_the_header_is_not_used() {
    let key = base64url(OTHER_SECRET.as_bytes());
    let header = header_with_member(&format!(r#""jwk":{{"kty":"oct","k":"{key}"}}"#));
    let token = sign(header, Payload::valid().json(), OTHER_SECRET);
    assert_eq!(verify(&token), Err(Error::SignatureMismatch));
}

/// A `kid` only chooses the secret that is tried first, so any text is harmless.
#[test]
fn a_key_id_may_be_any_string() {
    for kid in [
        "",
        "unknown",
        "../../../../dev/null",
        "/proc/self/environ",
        "x' UNION SELECT 'secret",
        "|| sleep 5",
        "http://127.0.0.1:9/key",
        "\\u0000",
        "\\ud83d\\ude00",
        &"k".repeat(4000),
    ] {
        let header = header_with_member(&format!(r#""kid":"{kid}""#));
        assert_eq!(
            error_name(&verify_with_header(&header)),
            "accepted",
            "{kid}"
        );
        let forged_token = sign(&header, Payload::valid().json(), "");
        assert_eq!(
            verify(&forged_token),
            Err(Error::SignatureMismatch),
            "{kid}"
        );
    }
}

/// RFC 7515 § 4.1.4: "Its value MUST be a case-sensitive string."
#[test]
fn a_key_id_that_is_not_a_string_is_rejected() {
    for kid in ["null", "1", "true", r#"["a"]"#, r#"{"a":1}"#] {
        let result = verify_with_header(header_with_member(&format!(r#""kid":{kid}"#)));
        assert_eq!(error_name(&result), "header", "{kid}");
    }
}

#[test]
fn the_key_id_of_another_secret_changes_no_result() {
    let keyring_of_two_secrets = keyring().with_previous([secret(OTHER_SECRET)]);
    let other_key_id = auth_core::Keyring::new(secret(OTHER_SECRET))
        .key_id()
        .to_owned();
    let header = header_with_member(&format!(r#""kid":"{other_key_id}""#));
    let token = sign(&header, Payload::valid().json(), SECRET);
    let result = verifier(keyring_of_two_secrets).verify(&token, crate::fixtures::now());
    assert_eq!(error_name(&result), "accepted");
    let forged_token = sign(
        &header,
        Payload::valid().json(),
        "a secret that is on no keyring",
    );
    assert_eq!(verify(&forged_token), Err(Error::SignatureMismatch));
}

#[test]
fn a_header_without_a_key_id_is_accepted() {
    assert_eq!(error_name(&verify_with_header(HEADER)), "accepted");
}

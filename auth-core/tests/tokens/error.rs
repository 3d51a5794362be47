//! Tests the code, the status and the message of errors, and the `WWW-Authenticate` challenge of errors with status 401
//! (RFC 6750 § 3, RFC 9110 § 15.5.2).

use auth_core::Error;

/// Every error, with its code and its status.
const ERRORS: [(Error, &str, u16); 21] = [
    (Error::MissingCredentials, "UNAUTHORIZED", 401),
    (Error::MalformedCredentials("reason"), "INVALID_TOKEN", 401),
    (Error::TokenTooLong, "INVALID_TOKEN", 401),
    (Error::MalformedToken("reason"), "INVALID_TOKEN", 401),
    (Error::UnacceptableHeader("reason"), "INVALID_TOKEN", 401),
    (Error::SignatureMismatch, "INVALID_TOKEN", 401),
    (Error::MissingClaim("sub"), "INVALID_TOKEN", 401),
    (Error::InvalidClaim("sub"), "INVALID_TOKEN", 401),
    (Error::NotYetValid, "INVALID_TOKEN", 401),
    (Error::Expired, "TOKEN_EXPIRED", 401),
    (Error::Revoked, "TOKEN_REVOKED", 401),
    (Error::Stale, "TOKEN_STALE", 401),
    (Error::InvalidCustomClaims, "FORBIDDEN", 403),
    (Error::UnacceptableClaims("reason"), "VALIDATION_ERROR", 422),
    (Error::ReservedClaim("sub"), "VALIDATION_ERROR", 422),
    (Error::RevocationsOutdated, "AUTHORITY_UNAVAILABLE", 503),
    (Error::WeakSecret("reason"), "INTERNAL_SERVER_ERROR", 500),
    (
        Error::InvalidSetting("reason"),
        "INTERNAL_SERVER_ERROR",
        500,
    ),
    (
        Error::UnacceptablePassword("reason"),
        "VALIDATION_ERROR",
        422,
    ),
    (Error::InvalidPasswordHash, "INTERNAL_SERVER_ERROR", 500),
    (Error::Crypto, "INTERNAL_SERVER_ERROR", 500),
];

#[test]
fn codes_and_statuses_are_stable() {
    for (error, code, status) in ERRORS {
        assert_eq!((error.code(), error.status()), (code, status), "{error:?}");
    }
}

#[test]
fn only_a_401_has_a_challenge() {
    for (error, _, status) in ERRORS {
        let challenge = error.www_authenticate();
        assert_eq!(challenge.is_some(), status == 401, "{error:?}");
        let Some(challenge) = challenge else { continue };
        assert!(
            challenge.starts_with(r#"Bearer realm="api""#),
            "{challenge}"
        );
        let has_no_credentials = error == Error::MissingCredentials;
        assert_eq!(
            challenge.contains("error="),
            !has_no_credentials,
            "{challenge}"
        );
        let description = format!(r#"error="invalid_token", error_description="{error}""#);
        assert_eq!(
            challenge.ends_with(&description),
            !has_no_credentials,
            "{challenge}"
        );
    }
}

/// RFC 6750 § 3 allows these characters in `error_description`: ASCII from the space to `~`, except `"` and `\`.
#[test]
fn messages_are_one_line_of_plain_ascii() {
    for (error, _, _) in ERRORS {
        let text = error.to_string();
        let is_allowed = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
        assert!(!text.is_empty() && text.bytes().all(is_allowed), "{text}");
    }
}

#[test]
fn messages_of_verification_are_one_line_of_plain_ascii() {
    use crate::fixtures::{HEADER, SECRET, verify};
    use crate::{fixtures, reference};
    let sign = |header: &str, payload: &str| reference::sign(header, payload, SECRET);
    let valid_payload = fixtures::Payload::valid().json();
    let tokens = [
        String::new(),
        "a.b.c".to_owned(),
        sign("{", &valid_payload),
        sign(r#"{"alg":"none"}"#, &valid_payload),
        sign(r#"{"alg":"HS256"}"#, &valid_payload),
        sign(r#"{"alg":"HS256","zip":1}"#, &valid_payload),
        sign(r#"{"alg":"HS256","kid":1}"#, &valid_payload),
        sign(r#"{"x":"HS256","x":1}"#, &valid_payload),
        sign(HEADER, "[]"),
        sign(HEADER, "{}"),
        sign(HEADER, "\u{0}"),
    ];
    for token in tokens {
        let text = verify(&token).unwrap_err().to_string();
        let is_allowed = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
        assert!(text.bytes().all(is_allowed), "{text}");
    }
}

#[test]
fn an_error_contains_no_text_of_the_token() {
    use crate::fixtures::{HEADER, SECRET, verify};
    let payload = r#"{"iss":"api-server","aud":"api","sub":"canary","email":canary}"#;
    let token = crate::reference::sign(HEADER, payload, SECRET);
    let error = verify(&token).unwrap_err();
    let error_texts = format!("{error} {error:?} {:?}", error.www_authenticate());
    assert!(!error_texts.contains("canary"), "{error_texts}");
}

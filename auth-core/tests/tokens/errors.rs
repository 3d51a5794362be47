//! Every error has one code, one status and, if it is a 401, one challenge (RFC 6750 § 3, RFC 9110 § 15.5.2).

use auth_core::Error;

const ALL: [(Error, &str, u16); 15] = [
    (Error::MissingCredentials, "UNAUTHORIZED", 401),
    (Error::MalformedCredentials("why"), "INVALID_TOKEN", 401),
    (Error::TokenTooLong, "INVALID_TOKEN", 401),
    (Error::MalformedToken("why"), "INVALID_TOKEN", 401),
    (Error::UnacceptableHeader("why"), "INVALID_TOKEN", 401),
    (Error::SignatureMismatch, "INVALID_TOKEN", 401),
    (Error::MissingClaim("sub"), "INVALID_TOKEN", 401),
    (Error::InvalidClaim("sub"), "INVALID_TOKEN", 401),
    (Error::NotYetValid, "INVALID_TOKEN", 401),
    (Error::Expired, "TOKEN_EXPIRED", 401),
    (Error::WeakSecret("why"), "INTERNAL_SERVER_ERROR", 500),
    (Error::InvalidSetting("why"), "INTERNAL_SERVER_ERROR", 500),
    (Error::UnacceptablePassword("why"), "VALIDATION_ERROR", 422),
    (Error::InvalidPasswordHash, "INTERNAL_SERVER_ERROR", 500),
    (Error::Crypto, "INTERNAL_SERVER_ERROR", 500),
];

#[test]
fn codes_and_statuses_are_stable() {
    for (error, code, status) in ALL {
        assert_eq!((error.code(), error.status()), (code, status), "{error:?}");
    }
}

#[test]
fn a_401_challenges_and_nothing_else_does() {
    for (error, _, status) in ALL {
        let challenge = error.www_authenticate();
        assert_eq!(challenge.is_some(), status == 401, "{error:?}");
        let Some(challenge) = challenge else { continue };
        assert!(
            challenge.starts_with(r#"Bearer realm="api""#),
            "{challenge}"
        );
        let sent_none = error == Error::MissingCredentials;
        assert_eq!(challenge.contains("error="), !sent_none, "{challenge}");
        let described = format!(r#"error="invalid_token", error_description="{error}""#);
        assert_eq!(challenge.ends_with(&described), !sent_none, "{challenge}");
    }
}

/// RFC 6750 § 3: `error_description` has neither `"` nor `\`.
#[test]
fn messages_are_one_line_of_plain_ascii() {
    for (error, _, _) in ALL {
        let text = error.to_string();
        let plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
        assert!(!text.is_empty() && text.bytes().all(plain), "{text}");
    }
}

#[test]
fn the_library_s_own_messages_are_plain_too() {
    use crate::world::{HEADER, SECRET, verify};
    use crate::{foreign, world};
    let sign = |header: &str, payload: &str| foreign::sign(header, payload, SECRET);
    let good = world::Payload::good().json();
    let tokens = [
        String::new(),
        "a.b.c".to_owned(),
        sign("{", &good),
        sign(r#"{"alg":"none"}"#, &good),
        sign(r#"{"alg":"HS256"}"#, &good),
        sign(r#"{"alg":"HS256","zip":1}"#, &good),
        sign(r#"{"alg":"HS256","kid":1}"#, &good),
        sign(r#"{"x":"HS256","x":1}"#, &good),
        sign(HEADER, "[]"),
        sign(HEADER, "{}"),
        sign(HEADER, "\u{0}"),
    ];
    for token in tokens {
        let text = verify(&token).unwrap_err().to_string();
        let plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
        assert!(text.bytes().all(plain), "{text}");
    }
}

#[test]
fn an_error_repeats_nothing_of_the_token() {
    use crate::world::{HEADER, SECRET, verify};
    let payload = r#"{"iss":"api-server","aud":"api","sub":"canary","email":canary}"#;
    let token = crate::foreign::sign(HEADER, payload, SECRET);
    let error = verify(&token).unwrap_err();
    let said = format!("{error} {error:?} {:?}", error.www_authenticate());
    assert!(!said.contains("canary"), "{said}");
}

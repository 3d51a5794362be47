//! Defines the secret, the issuer, the audience and the time that most of these tests use, and a valid payload that
//! tests change.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_core::{Claims, Error, Keyring, Secret, Subject, TokenIssuer, TokenVerifier};

use crate::reference;

/// The time at which most of these tests issue and verify tokens, in seconds since 1970.
pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const SECRET: &str = "wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P";
pub(crate) const OTHER_SECRET: &str = "P0aS6fG3dH5cN1bZ7mL4tY8x2qkRv9Jw";
/// The header of a valid token of another library, without `kid`.
pub(crate) const HEADER: &str = r#"{"alg":"HS256","typ":"at+jwt"}"#;
pub(crate) const ISSUER: &str = "api-server";
pub(crate) const AUDIENCE: &str = "api";
pub(crate) const SUBJECT: Subject<'_> = Subject {
    id: "42",
    email: "ada@example.com",
    email_verified: Some(true),
    session_id: "7",
};

pub(crate) fn secret(text: &str) -> Secret {
    Secret::new(text).unwrap()
}

pub(crate) fn keyring() -> Keyring {
    Keyring::new(secret(SECRET))
}

pub(crate) fn issuer(keyring: Keyring) -> TokenIssuer {
    TokenIssuer::new(keyring, ISSUER, AUDIENCE, Duration::from_secs(900)).unwrap()
}

pub(crate) fn verifier(keyring: Keyring) -> TokenVerifier {
    TokenVerifier::new(keyring, ISSUER, AUDIENCE).unwrap()
}

pub(crate) fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW)
}

pub(crate) fn valid_token() -> String {
    issuer(keyring()).issue(&SUBJECT, now()).unwrap().token
}

pub(crate) fn verify(token: &str) -> Result<Claims, Error> {
    verifier(keyring()).verify(token, now())
}

/// Verifies an otherwise valid token with `text` as its header.
pub(crate) fn verify_with_header(text: impl AsRef<[u8]>) -> Result<Claims, Error> {
    verify(&reference::sign(text, Payload::valid().json(), SECRET))
}

/// Verifies an otherwise valid token with `text` as its payload.
pub(crate) fn verify_with_payload(text: impl AsRef<[u8]>) -> Result<Claims, Error> {
    verify_payload(&verifier(keyring()), text, now())
}

/// Verifies a token with this payload and the header of another library, then a token with this payload and the header
/// of `TokenIssuer`, which the verifier recognises without parsing. Asserts that the results are equal.
pub(crate) fn verify_payload(
    verifier: &TokenVerifier,
    payload: impl AsRef<[u8]>,
    now: SystemTime,
) -> Result<Claims, Error> {
    let result = verifier.verify(&reference::sign(HEADER, &payload, SECRET), now);
    let issuer_header = valid_token().split('.').next().unwrap().to_owned();
    let encoded_payload = reference::base64url(payload.as_ref());
    let token = reference::sign_parts(&issuer_header, &encoded_payload, SECRET);
    assert_eq!(
        verifier.verify(&token, now),
        result,
        "header of the issuer and header of another library"
    );
    result
}

/// Returns a short name of the error, or `accepted`, so that a table of test cases can state the expected result.
pub(crate) fn error_name(result: &Result<Claims, Error>) -> &'static str {
    match result {
        Ok(_) => "accepted",
        Err(Error::TokenTooLong) => "too long",
        Err(Error::MalformedToken(_)) => "malformed",
        Err(Error::UnacceptableHeader(_)) => "header",
        Err(Error::SignatureMismatch) => "signature",
        Err(Error::MissingClaim(_)) => "missing claim",
        Err(Error::InvalidClaim(_)) => "invalid claim",
        Err(Error::NotYetValid) => "not yet valid",
        Err(Error::Expired) => "expired",
        Err(_) => "not an error of a token",
    }
}

/// The members of a JSON object: names, and values as JSON text.
#[derive(Clone)]
pub(crate) struct Payload(Vec<(String, String)>);

impl Payload {
    pub(crate) fn valid() -> Self {
        let members = [
            ("iss", r#""api-server""#.to_owned()),
            ("aud", r#""api""#.to_owned()),
            ("sub", r#""42""#.to_owned()),
            ("email", r#""ada@example.com""#.to_owned()),
            ("iat", NOW.to_string()),
            ("exp", (NOW + 900).to_string()),
            ("jti", r#""t1""#.to_owned()),
            ("sid", r#""7""#.to_owned()),
        ];
        Self(
            members
                .map(|(name, value)| (name.to_owned(), value))
                .to_vec(),
        )
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(member_name, _)| member_name != name);
        self
    }

    /// Adds a member, even if a member with this name exists. `name` may contain JSON escapes.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers pass numbers and strings without `&`"
    )]
    pub(crate) fn with_member(mut self, name: &str, value: impl ToString) -> Self {
        self.0.push((name.to_owned(), value.to_string()));
        self
    }

    /// Removes all members with this name, then adds one.
    pub(crate) fn with(self, name: &str, value: impl ToString) -> Self {
        self.without(name).with_member(name, value)
    }

    pub(crate) fn json(&self) -> String {
        let to_json_member = |(name, value): &(String, String)| format!(r#""{name}":{value}"#);
        let members: Vec<String> = self.0.iter().map(to_json_member).collect();
        format!("{{{}}}", members.join(","))
    }

    pub(crate) fn verify(&self) -> Result<Claims, Error> {
        verify_with_payload(self.json())
    }
}

//! Parses and verifies arbitrary text as a mail token and as a code. Neither may panic, and only text that was computed
//! with the secret may be accepted.
#![no_main]

use std::sync::LazyLock;
use std::time::UNIX_EPOCH;

use auth_core::mail_token::{Challenge, MailPurpose, MailToken, MailTokens};
use auth_core::{Keyring, Secret};
use libfuzzer_sys::fuzz_target;

const EMAIL: &str = "ada@example.com";
const MAIL_KEY: &str = "mK4hT8cWz1Yb6Jp3Rv9Xn2Qd7Lf5Gs0AeUiOoYtRw_-";
const CHALLENGE: Challenge<'_> = Challenge {
    id: "0198f2d4-8a02-7d51-8f0e-5d2f4c7b9e21",
    purpose: MailPurpose::PasswordReset,
    user_id: "42",
    expires_at: 1,
};

static TOKENS: LazyLock<MailTokens> = LazyLock::new(|| {
    let secret = Secret::new("wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P").unwrap();
    MailTokens::new(&Keyring::new(secret))
});

/// Verifies a token for the purpose that the token states.
fn verify(text: &str) -> Result<MailToken, auth_core::Error> {
    let unverified = MailTokens::parse(text)?;
    let purpose = unverified.purpose();
    TOKENS.verify(unverified, purpose, EMAIL, MAIL_KEY, UNIX_EPOCH)
}

/// If the text is parsed, requires that encoding its content returns the same payload; if the text verifies, the same
/// text.
fn require_canonical(text: &str) {
    let unverified = match MailTokens::parse(text) {
        Ok(unverified) => unverified,
        Err(error) => return assert_eq!(error.status(), 401),
    };
    let content = MailToken {
        purpose: unverified.purpose(),
        user_id: unverified.user_id().to_owned(),
        expires_at: unverified.expires_at(),
        detail: unverified.detail().to_owned(),
    };
    let encoded = TOKENS.encode(&content, EMAIL, MAIL_KEY).unwrap();
    assert_eq!(encoded.split('.').next(), text.split('.').next());
    match verify(text) {
        Ok(token) => assert_eq!((encoded.as_str(), token), (text, content)),
        Err(error) => assert_eq!(error.status(), 401),
    }
}

/// Encodes the input as user id and detail of a token, changes one byte of the text, and requires that the changed text
/// is rejected.
fn require_changes_rejected(input: &[u8]) {
    let [offset, new_byte, texts @ ..] = input else {
        return;
    };
    let (user_id, detail) = texts.split_at(texts.len() / 2);
    let token = MailToken {
        purpose: MailPurpose::EmailChange,
        user_id: String::from_utf8_lossy(user_id).into_owned(),
        expires_at: 1,
        detail: String::from_utf8_lossy(detail).into_owned(),
    };
    let is_allowed = (1..=254).contains(&token.user_id.len()) && token.detail.len() <= 254;
    let result = TOKENS.encode(&token, EMAIL, MAIL_KEY);
    assert_eq!(result.is_ok(), is_allowed);
    let Ok(valid) = result else {
        return;
    };
    assert!(valid.len() <= 740);
    assert_eq!(verify(&valid), Ok(token));
    let mut bytes = valid.clone().into_bytes();
    let index = usize::from(*offset) % bytes.len();
    bytes[index] = *new_byte;
    let Ok(changed) = String::from_utf8(bytes) else {
        return;
    };
    assert_eq!(verify(&changed).is_ok(), changed == valid);
}

/// Requires that only the code of the challenge is accepted, in any spelling.
fn require_only_the_code(text: &str) {
    let code = TOKENS.code(&CHALLENGE, EMAIL, MAIL_KEY).unwrap();
    let result = TOKENS.verify_code(&CHALLENGE, text, EMAIL, MAIL_KEY, UNIX_EPOCH);
    let is_code = text.replace([' ', '-'], "").to_ascii_uppercase() == code.as_str();
    assert_eq!(result.is_ok(), is_code);
}

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    require_canonical(&text);
    require_only_the_code(&text);
    require_changes_rejected(input);
});

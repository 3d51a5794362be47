//! Defines the tokens and the codes that a server sends by mail, for example to reset a password.
//!
//! Both are computed instead of stored, with a MAC under a key that is derived from the secret (HKDF-SHA-256, RFC 5869,
//! info `auth-core mail token v1`), so a copy of the database does not suffice to compute a token or a code. The MAC
//! covers the user's email address and the user's *mail key*: random text that the server stores for the user and
//! replaces after each use of a token or a code. So all tokens and codes under a mail key become invalid when one of
//! them is used, or when the email address changes.
//!
//! Format of a token: base64url (RFC 4648 § 5, without padding) of the payload, a dot, and base64url of the MAC. The
//! payload is a version byte (1), a purpose byte, the expiry (8 bytes, seconds since 1970), the user id and the detail,
//! each text after its length in bytes (2 bytes). Numbers are big-endian. A token has at most 740 characters, all of
//! which may be in a URL.
//!
//! A code is 8 symbols of `23456789ABCDEFGHJKLMNPQRSTUVWXYZ` (digits and capital letters without 0, 1, I and O) for the
//! first 40 bits of a MAC. A code can be guessed, so a server must limit the number of tries for each challenge.
//!
//! The MAC is HMAC-SHA-256 of a sequence of texts, each after its length in bytes (8 bytes, big-endian): `token`, the
//! payload, the email address, the mail key; or `code`, the challenge id, the purpose byte, the user id, the email
//! address, the mail key.

mod code;
mod content;

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::keyring::MacKeys;
use crate::{Error, Keyring};
pub use code::{Challenge, MailCode};
pub use content::{MailPurpose, MailToken, UnverifiedMailToken};

/// The HKDF `info` of the MAC key.
const HKDF_INFO: &[u8] = b"auth-core mail token v1";
const MIN_MAIL_KEY_CHARS: usize = 32;

/// Computes mail tokens and codes with the current secret of a keyring. Verification accepts any secret of the keyring.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use auth_core::mail_token::{MailPurpose, MailToken, MailTokens};
/// use auth_core::{Error, Keyring, Secret};
///
/// let tokens = MailTokens::new(&Keyring::new(Secret::generate()?));
/// let (email, mail_key) = ("ada@example.com", "wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P");
/// let token = MailToken {
///     purpose: MailPurpose::PasswordReset,
///     user_id: "42".to_owned(),
///     expires_at: 1_800_003_600,
///     detail: String::new(),
/// };
/// let text = tokens.encode(&token, email, mail_key)?;
///
/// // The user id in the token says which user's email address and mail key to read.
/// let unverified = MailTokens::parse(&text)?;
/// assert_eq!(unverified.user_id(), "42");
/// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
/// let verified = tokens.verify(unverified, MailPurpose::PasswordReset, email, mail_key, now);
/// assert_eq!(verified, Ok(token));
///
/// let new_mail_key = "P0aS6fG3dH5cN1bZ7mL4tY8x2qkRv9Jw";
/// let unverified = MailTokens::parse(&text)?;
/// let verified = tokens.verify(unverified, MailPurpose::PasswordReset, email, new_mail_key, now);
/// assert_eq!(verified, Err(Error::SignatureMismatch));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone)]
pub struct MailTokens {
    keys: MacKeys,
}

impl MailTokens {
    /// Derives one MAC key per secret.
    #[must_use]
    pub fn new(keyring: &Keyring) -> Self {
        Self {
            keys: keyring.mac_keys(|key| key.derive(HKDF_INFO)),
        }
    }

    /// Encodes a token as at most 740 characters of `[A-Za-z0-9_.-]`. The text depends only on the arguments and the
    /// current secret. The text is a credential: do not log it.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidClaim`] unless the user id has 1 to 254 bytes and the detail at most 254, [`Error::WeakSecret`]
    /// if `mail_key` has fewer than 32 characters.
    pub fn encode(&self, token: &MailToken, email: &str, mail_key: &str) -> Result<String, Error> {
        check_mail_key_length(mail_key)?;
        let payload = token.to_payload()?;
        let tag = self.keys.tag(&token_mac_input(&payload, email, mail_key));
        let mut text = URL_SAFE_NO_PAD.encode(payload);
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(tag, &mut text);
        Ok(text)
    }

    /// Parses a token without verifying it: anyone can write such a text.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedToken`] if `text` has more than 1024 characters or does not have the format of a token.
    pub fn parse(text: &str) -> Result<UnverifiedMailToken, Error> {
        UnverifiedMailToken::parse(text)
    }

    /// Verifies the MAC of a token under the user's current email address and mail key, then purpose and expiry.
    /// Returns the content. Compares the MAC in constant time, with every secret of the keyring.
    ///
    /// # Errors
    ///
    /// [`Error::SignatureMismatch`] if no secret of the keyring made the MAC for this email address and mail key;
    /// [`Error::InvalidClaim`] if the token has another purpose; [`Error::Expired`] if `now` is at or after the expiry;
    /// [`Error::WeakSecret`] if `mail_key` has fewer than 32 characters.
    pub fn verify(
        &self,
        token: UnverifiedMailToken,
        purpose: MailPurpose,
        email: &str,
        mail_key: &str,
        now: SystemTime,
    ) -> Result<MailToken, Error> {
        check_mail_key_length(mail_key)?;
        let mac_input = token_mac_input(&token.payload, email, mail_key);
        self.keys.verify_start(&mac_input, &token.tag)?;
        let content = token.content;
        if content.purpose != purpose {
            return Err(Error::InvalidClaim("purpose"));
        }
        require_unexpired(content.expires_at, now)?;
        Ok(content)
    }

    /// Computes the code of a challenge. The code depends only on the current secret and the arguments, and not on the
    /// expiry of the challenge.
    ///
    /// # Errors
    ///
    /// [`Error::WeakSecret`] if `mail_key` has fewer than 32 characters.
    pub fn code(
        &self,
        challenge: &Challenge<'_>,
        email: &str,
        mail_key: &str,
    ) -> Result<MailCode, Error> {
        check_mail_key_length(mail_key)?;
        let tag = self.keys.tag(&code_mac_input(challenge, email, mail_key));
        Ok(MailCode::from_tag(tag))
    }

    /// Verifies a code as a person typed it, then the expiry of the challenge. Lower-case letters count as capital
    /// letters; ASCII spaces and hyphens are ignored. Compares the code in constant time, with every secret of the
    /// keyring.
    ///
    /// The caller must limit the tries, for example to 5 for each challenge, and count a try before it uses the result.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedToken`] unless `entered` consists of 8 symbols, [`Error::SignatureMismatch`] if it is not the
    /// code of the challenge for this email address and mail key, [`Error::Expired`] if `now` is at or after the expiry
    /// of the challenge, [`Error::WeakSecret`] if `mail_key` has fewer than 32 characters.
    pub fn verify_code(
        &self,
        challenge: &Challenge<'_>,
        entered: &str,
        email: &str,
        mail_key: &str,
        now: SystemTime,
    ) -> Result<(), Error> {
        check_mail_key_length(mail_key)?;
        let entered_bits = code::decode(entered)?;
        let mac_input = code_mac_input(challenge, email, mail_key);
        self.keys.verify_start(&mac_input, &entered_bits)?;
        require_unexpired(challenge.expires_at, now)
    }
}

impl fmt::Debug for MailTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailTokens([redacted])")
    }
}

fn check_mail_key_length(mail_key: &str) -> Result<(), Error> {
    if mail_key.chars().count() < MIN_MAIL_KEY_CHARS {
        return Err(Error::WeakSecret(
            "the mail key of a user must have at least 32 characters; generate a random one",
        ));
    }
    Ok(())
}

/// Returns an error if `now` is at or after `expires_at` (seconds since 1970). A time before 1970 is before any expiry.
fn require_unexpired(expires_at: u64, now: SystemTime) -> Result<(), Error> {
    match now.duration_since(UNIX_EPOCH) {
        Ok(since_1970) if since_1970.as_secs() >= expires_at => Err(Error::Expired),
        _ => Ok(()),
    }
}

fn token_mac_input(payload: &[u8], email: &str, mail_key: &str) -> Zeroizing<Vec<u8>> {
    mac_input(&[b"token", payload, email.as_bytes(), mail_key.as_bytes()])
}

fn code_mac_input(challenge: &Challenge<'_>, email: &str, mail_key: &str) -> Zeroizing<Vec<u8>> {
    mac_input(&[
        b"code",
        challenge.id.as_bytes(),
        &[challenge.purpose.to_byte()],
        challenge.user_id.as_bytes(),
        email.as_bytes(),
        mail_key.as_bytes(),
    ])
}

/// Joins the fields, each after its length, so that different fields never result in the same input of the MAC. The
/// input contains the mail key, so its memory is wiped on drop.
fn mac_input(fields: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    // Enough capacity from the start: a buffer that grows would leave a copy in memory.
    let length = fields.iter().map(|field| field.len() + 8).sum();
    let mut input = Zeroizing::new(Vec::with_capacity(length));
    for field in fields {
        input.extend_from_slice(&(field.len() as u64).to_be_bytes());
        input.extend_from_slice(field);
    }
    input
}

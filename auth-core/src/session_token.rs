//! Session tokens that are computed, not stored, and the signed cookie that carries one.
//!
//! For clients that keep one token for the whole session, as those of Better Auth do. A session token names a session and
//! proves it by a MAC under a key derived from the secret (HKDF-SHA-256, info `auth-core session token v1`), so a copy of
//! the database lets nobody in. It says nothing about whether the session still lives: ask the database.
//!
//! Format: 96 lower-case hexadecimal digits of 16 bytes session id and 32 bytes HMAC-SHA-256 of it. To clients it is opaque.
//! It can never pass for an access token or a refresh token, nor the reverse.
//!
//! A signed cookie is a value, a dot, and the HMAC-SHA-256 of the value under the secret itself, in base64 (RFC 4648 § 4)
//! with padding. Nothing but session tokens and the word `true` is ever signed, so no signature can be had for a JWS.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::hs256::MacKey;
use crate::keyring::Key;
use crate::{Error, Keyring};

const PURPOSE: &[u8] = b"auth-core session token v1";
const HEX: &[u8; 16] = b"0123456789abcdef";
pub(crate) const ID_BYTES: usize = 16;
const TOKEN_BYTES: usize = 48;
const SIGNATURE_CHARS: usize = 44;
const FLAG: &str = "true";
const MALFORMED: Error = Error::MalformedToken("The session token is malformed");

/// Writes and reads session tokens and their cookies under a keyring: the current secret writes, all of them read.
///
/// ```
/// use auth_core::session_token::SessionTokens;
/// use auth_core::{Keyring, Secret};
///
/// let tokens = SessionTokens::new(&Keyring::new(Secret::generate()?));
/// let token = tokens.write([7; 16]);
/// assert_eq!(tokens.read(&token), Ok([7; 16]));
///
/// let cookie = tokens.write_cookie([7; 16]);
/// assert_eq!(tokens.verify_cookie(&cookie), Ok(token.as_str()));
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct SessionTokens {
    current: Keys,
    previous: Vec<Keys>,
}

/// What one secret makes.
#[derive(Clone)]
struct Keys {
    token: MacKey,
    cookie: MacKey,
}

impl Keys {
    fn of(key: &Key) -> Self {
        Self {
            token: MacKey::new(&*key.derive(PURPOSE)),
            cookie: MacKey::new(key.secret.expose()),
        }
    }
}

impl SessionTokens {
    /// Derives the keys.
    #[must_use]
    pub fn new(keyring: &Keyring) -> Self {
        Self {
            current: Keys::of(keyring.current()),
            previous: keyring.keys().skip(1).map(Keys::of).collect(),
        }
    }

    /// The token of a session: 96 characters of `[0-9a-f]`, always the same for the same session and secret. A credential:
    /// do not log it.
    #[must_use]
    pub fn write(&self, session_id: [u8; 16]) -> String {
        to_hex(session_id, &self.current.token.tag(&session_id))
    }

    /// The session that a token names, if one of our secrets made it. The comparison takes constant time.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedToken`] if it is not 96 characters of the format, [`Error::SignatureMismatch`] if none of the
    /// secrets made it.
    pub fn read(&self, token: &str) -> Result<[u8; 16], Error> {
        let bytes = from_hex(token).ok_or(MALFORMED)?;
        let (session_id, tag) = bytes.split_at(ID_BYTES);
        let is_ours = self.keys().any(|keys| keys.token.verifies(session_id, tag));
        if !is_ours {
            return Err(Error::SignatureMismatch);
        }
        session_id.try_into().map_err(|_length| MALFORMED)
    }

    /// Whether the current secret made the token; if not, it is time to hand out its successor.
    #[must_use]
    pub fn is_current(&self, token: &str) -> bool {
        from_hex(token).is_some_and(|bytes| {
            let (session_id, tag) = bytes.split_at(ID_BYTES);
            self.current.token.verifies(session_id, tag)
        })
    }

    /// The token of a session as a signed cookie, not percent-encoded: 141 characters.
    #[must_use]
    pub fn write_cookie(&self, session_id: [u8; 16]) -> String {
        self.sign(self.write(session_id))
    }

    /// The word `true` as a signed cookie, not percent-encoded.
    #[must_use]
    pub fn write_flag(&self) -> String {
        self.sign(FLAG.to_owned())
    }

    fn sign(&self, mut value: String) -> String {
        let tag = self.current.cookie.tag(value.as_bytes());
        value.push('.');
        STANDARD.encode_string(tag, &mut value);
        value
    }

    /// The value of a signed cookie (percent-decoded), which ends at the last dot. The comparison takes constant time.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedToken`] if it does not end in a dot and 44 characters of base64, [`Error::SignatureMismatch`] if
    /// none of the secrets signed it.
    pub fn verify_cookie<'c>(&self, cookie: &'c str) -> Result<&'c str, Error> {
        let (value, signature) = cookie.rsplit_once('.').ok_or(MALFORMED)?;
        let mut tag = [0; 33];
        if signature.len() != SIGNATURE_CHARS {
            return Err(MALFORMED);
        }
        let length = STANDARD.decode_slice(signature, &mut tag);
        let length = length.map_err(|_not_base64| MALFORMED)?;
        let tag = tag.get(..length).unwrap_or_default();
        let signed = |keys: &Keys| keys.cookie.verifies(value.as_bytes(), tag);
        if self.keys().any(signed) {
            Ok(value)
        } else {
            Err(Error::SignatureMismatch)
        }
    }

    /// Whether the cookie (percent-decoded) is the word `true`, signed by one of our secrets.
    #[must_use]
    pub fn is_flag(&self, cookie: &str) -> bool {
        self.verify_cookie(cookie) == Ok(FLAG)
    }

    fn keys(&self) -> impl Iterator<Item = &Keys> {
        std::iter::once(&self.current).chain(&self.previous)
    }
}

/// A session id and its MAC as hexadecimal digits.
pub(crate) fn to_hex(session_id: [u8; ID_BYTES], tag: &[u8]) -> String {
    let mut text = String::with_capacity(2 * TOKEN_BYTES);
    for byte in session_id.iter().chain(tag) {
        for digit in [byte >> 4, byte & 15] {
            let digit = HEX.get(usize::from(digit)).copied().unwrap_or_default();
            text.push(char::from(digit));
        }
    }
    text
}

/// The bytes of a session id and its MAC; `None` for any other text.
pub(crate) fn from_hex(text: &str) -> Option<[u8; TOKEN_BYTES]> {
    let mut bytes = [0; TOKEN_BYTES];
    if text.len() != 2 * TOKEN_BYTES {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        for digit in digits {
            let value = HEX.iter().position(|known| known == digit)?;
            *byte = (*byte << 4) | u8::try_from(value).ok()?;
        }
    }
    Some(bytes)
}

impl fmt::Debug for SessionTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionTokens([redacted])")
    }
}

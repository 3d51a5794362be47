//! Defines session tokens, which are computed instead of stored, and the signed cookie for a session token.
//!
//! Session tokens are for clients that keep one token for the whole session, such as the clients of Better Auth. A
//! session token contains a session id and a MAC under a key that is derived from the secret (HKDF-SHA-256, RFC 5869,
//! info `auth-core session token v1`), so a copy of the database does not suffice to compute a token. The token does
//! not say whether the session is still active: ask the database.
//!
//! Format: 96 lower-case hexadecimal digits (RFC 4648 § 8) of 16 bytes session id and 32 bytes HMAC-SHA-256 of the
//! session id. Clients must not parse the token. No other kind of token is accepted as a session token, nor a session
//! token as another kind.
//!
//! A signed cookie is a value, a dot, and the HMAC-SHA-256 of the value under the secret itself, in base64 (RFC 4648 §
//! 4) with padding. Only session tokens and the word `true` are signed. Neither contains a dot, but the signed text of
//! a JWS does, so the signature of a cookie is never valid for a JWS.

use std::fmt;

use base16ct::lower;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::keyring::MacKeys;
use crate::{Error, Keyring};

/// The HKDF `info` of the MAC key.
const HKDF_INFO: &[u8] = b"auth-core session token v1";
pub(crate) const ID_BYTES: usize = 16;
/// The length of session id and MAC, in bytes before the hexadecimal encoding.
const TOKEN_BYTES: usize = 48;
/// The length of a signature, in characters: 32 bytes in padded base64.
const SIGNATURE_CHARS: usize = 44;
/// The value of a flag: a cookie that is either set or absent.
const FLAG: &str = "true";
const MALFORMED: Error = Error::MalformedToken("The session token is malformed");

/// Encodes session tokens and signs cookies with the current secret of a keyring. Decoding and verification accept any
/// secret of the keyring.
///
/// ```
/// use auth_core::session_token::SessionTokens;
/// use auth_core::{Keyring, Secret};
///
/// let tokens = SessionTokens::new(&Keyring::new(Secret::generate()?));
/// let token = tokens.encode([7; 16]);
/// assert_eq!(tokens.decode(&token), Ok([7; 16]));
///
/// let cookie = tokens.sign_cookie([7; 16]);
/// assert_eq!(tokens.verify_cookie(&cookie), Ok(token.as_str()));
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct SessionTokens {
    token_keys: MacKeys,
    cookie_keys: MacKeys,
}

impl SessionTokens {
    /// Prepares two MAC keys for each secret: one for tokens and one for cookies.
    #[must_use]
    pub fn new(keyring: &Keyring) -> Self {
        Self {
            token_keys: keyring.mac_keys(|key| key.derive(HKDF_INFO)),
            cookie_keys: keyring.mac_keys(|key| key.mac.clone()),
        }
    }

    /// Encodes the token of a session as 96 characters of `[0-9a-f]`. The same session and current secret always
    /// produce the same text. The token is a credential: do not log it.
    #[must_use]
    pub fn encode(&self, session_id: [u8; 16]) -> String {
        let tag = self.token_keys.tag(&session_id);
        encode_hex(session_id, &tag)
    }

    /// Verifies the MAC of a token, in constant time for each secret, and returns the session id.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedToken`] if `token` is not 96 lower-case hexadecimal digits, [`Error::SignatureMismatch`] if no
    /// secret of the keyring made the MAC.
    pub fn decode(&self, token: &str) -> Result<[u8; 16], Error> {
        let bytes = decode_hex(token).ok_or(MALFORMED)?;
        let (session_id, tag) = bytes.split_at(ID_BYTES);
        self.token_keys.verify(session_id, tag)?;
        session_id.try_into().map_err(|_length| MALFORMED)
    }

    /// Returns whether the current secret made the MAC of the token. If not, a token that [`decode`](Self::decode)
    /// accepts was made with a previous secret and should be replaced.
    #[must_use]
    pub fn is_current(&self, token: &str) -> bool {
        decode_hex(token).is_some_and(|bytes| {
            let (session_id, tag) = bytes.split_at(ID_BYTES);
            self.token_keys.verifies_with_current(session_id, tag)
        })
    }

    /// Encodes and signs the token of a session as a cookie value of 141 characters, not percent-encoded.
    #[must_use]
    pub fn sign_cookie(&self, session_id: [u8; 16]) -> String {
        self.sign(self.encode(session_id))
    }

    /// Signs the word `true` as a cookie value, not percent-encoded.
    #[must_use]
    pub fn sign_flag(&self) -> String {
        self.sign(FLAG.to_owned())
    }

    /// Appends a dot and the signature to `value`.
    fn sign(&self, mut value: String) -> String {
        let tag = self.cookie_keys.tag(value.as_bytes());
        value.push('.');
        STANDARD.encode_string(tag, &mut value);
        value
    }

    /// Verifies the signature of a cookie (percent-decoded), in constant time for each secret, and returns the signed
    /// value: the text before the last dot.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedToken`] unless the cookie ends with a dot and 44 characters of base64,
    /// [`Error::SignatureMismatch`] if no secret of the keyring signed the value.
    pub fn verify_cookie<'c>(&self, cookie: &'c str) -> Result<&'c str, Error> {
        let (value, signature) = cookie.rsplit_once('.').ok_or(MALFORMED)?;
        // 44 characters of base64 are 33 bytes if none of them is padding.
        let mut buffer = [0; 33];
        if signature.len() != SIGNATURE_CHARS {
            return Err(MALFORMED);
        }
        let result = STANDARD.decode_slice(signature, &mut buffer);
        let length = result.map_err(|_not_base64| MALFORMED)?;
        let tag = buffer.get(..length).unwrap_or_default();
        self.cookie_keys.verify(value.as_bytes(), tag)?;
        Ok(value)
    }

    /// Returns whether the cookie (percent-decoded) is the word `true`, signed with a secret of the keyring.
    #[must_use]
    pub fn is_valid_flag(&self, cookie: &str) -> bool {
        self.verify_cookie(cookie) == Ok(FLAG)
    }
}

/// Encodes a session id and its MAC as lower-case hex.
pub(crate) fn encode_hex(session_id: [u8; ID_BYTES], tag: &[u8]) -> String {
    lower::encode_string(&[session_id.as_slice(), tag].concat())
}

/// Decodes the lower-case hex of exactly 48 bytes, in constant time; `None` for any other text.
pub(crate) fn decode_hex(text: &str) -> Option<[u8; TOKEN_BYTES]> {
    let mut bytes = [0; TOKEN_BYTES];
    let decoded = lower::decode(text, &mut bytes).ok()?;
    (decoded.len() == TOKEN_BYTES).then_some(bytes)
}

impl fmt::Debug for SessionTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionTokens([redacted])")
    }
}

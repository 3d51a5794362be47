//! Defines refresh tokens, which are computed instead of stored.
//!
//! A refresh token contains a session id and a counter, with a MAC under a key that is derived from the secret
//! (HKDF-SHA-256, RFC 5869, info `auth-core refresh v1`). So a server need not store the token: it computes the next
//! token from the same session id and the next counter. The counter is the number of earlier tokens of the session.
//!
//! Format: `rt_`, then base64url (without padding) of 16 bytes session id, 4 bytes counter (big-endian) and 32 bytes
//! HMAC-SHA-256 of id and counter. Clients must not parse the token. A refresh token is not accepted as an access
//! token, nor an access token as a refresh token.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::keyring::MacKeys;
use crate::{Error, Keyring};

/// The HKDF `info` of the MAC key.
const HKDF_INFO: &[u8] = b"auth-core refresh v1";
const PREFIX: &str = "rt_";
/// The length of session id and counter, in bytes.
const CONTENT_BYTES: usize = 20;
/// The length of session id, counter and MAC, in bytes before the base64url encoding.
const TOKEN_BYTES: usize = 52;

/// The content of a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "callers construct it; the fields are the format"
)]
pub struct RefreshToken {
    /// The id of the session to which the token belongs.
    pub session_id: [u8; 16],
    /// The number of earlier refresh tokens of the session; 0 for the first.
    pub counter: u32,
}

/// Encodes refresh tokens with the current secret of a keyring. Decoding accepts any secret of the keyring.
///
/// ```
/// use auth_core::refresh::{RefreshToken, RefreshTokens};
/// use auth_core::{Keyring, Secret};
///
/// let tokens = RefreshTokens::new(&Keyring::new(Secret::generate()?));
/// let token = RefreshToken { session_id: [7; 16], counter: 0 };
/// let text = tokens.encode(token);
/// assert_eq!(tokens.decode(&text), Ok(token));
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct RefreshTokens {
    keys: MacKeys,
}

impl RefreshTokens {
    /// Derives one MAC key per secret.
    #[must_use]
    pub fn new(keyring: &Keyring) -> Self {
        Self {
            keys: keyring.mac_keys(|key| key.derive(HKDF_INFO)),
        }
    }

    /// Encodes a token as 73 characters that depend only on `token` and the current secret. The text is a credential:
    /// do not log it.
    #[must_use]
    pub fn encode(&self, token: RefreshToken) -> String {
        let mut bytes = Vec::with_capacity(TOKEN_BYTES);
        bytes.extend_from_slice(&token.session_id);
        bytes.extend_from_slice(&token.counter.to_be_bytes());
        let tag = self.keys.tag(&bytes);
        bytes.extend_from_slice(&tag);
        let mut text = String::from(PREFIX);
        URL_SAFE_NO_PAD.encode_string(bytes, &mut text);
        text
    }

    /// Verifies the MAC of a token, in constant time for each secret, and returns the content.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedToken`] if `text` is not `rt_` and 70 characters of base64url, [`Error::SignatureMismatch`] if
    /// no secret of the keyring made the MAC.
    pub fn decode(&self, text: &str) -> Result<RefreshToken, Error> {
        const MALFORMED: Error = Error::MalformedToken("The refresh token is malformed");
        let encoded = text.strip_prefix(PREFIX).ok_or(MALFORMED)?;
        let mut bytes = [0; TOKEN_BYTES];
        let length = URL_SAFE_NO_PAD.decode_slice(encoded, &mut bytes);
        if length != Ok(TOKEN_BYTES) {
            return Err(MALFORMED);
        }
        let (content, tag) = bytes.split_at(CONTENT_BYTES);
        self.keys.verify(content, tag)?;
        let (id_bytes, counter_bytes) = content.split_at(16);
        Ok(RefreshToken {
            session_id: id_bytes.try_into().map_err(|_length| MALFORMED)?,
            counter: u32::from_be_bytes(counter_bytes.try_into().map_err(|_length| MALFORMED)?),
        })
    }
}

impl fmt::Debug for RefreshTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshTokens([redacted])")
    }
}

//! Refresh tokens that are computed, not stored.
//!
//! A refresh token names a session and how often it was refreshed, and proves both by a MAC under a key derived from
//! the secret (HKDF-SHA-256, info `auth-core refresh v1`). Nothing that can be replayed is kept anywhere, and the
//! successor of a token is known without asking: the same session, the next counter.
//!
//! Format: `rt_` and the base64url (without padding) of 16 bytes session id, 4 bytes counter (big-endian), 32 bytes
//! HMAC-SHA-256 of the 20 bytes before. To clients it is opaque. It can never pass for an access token, nor the
//! reverse.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::hs256::MacKey;
use crate::keyring::Key;
use crate::{Error, Keyring};

const PURPOSE: &[u8] = b"auth-core refresh v1";
const PREFIX: &str = "rt_";
const NAMED_BYTES: usize = 20;
const TOKEN_BYTES: usize = 52;

/// What a refresh token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "callers build it; this is the format"
)]
pub struct RefreshToken {
    /// The session it belongs to.
    pub session_id: [u8; 16],
    /// How often the session was refreshed when it was issued; 0 at login.
    pub counter: u32,
}

/// Writes and reads refresh tokens under a keyring: the current secret writes, all of them read.
///
/// ```
/// use auth_core::refresh::{RefreshToken, RefreshTokens};
/// use auth_core::{Keyring, Secret};
///
/// let tokens = RefreshTokens::new(&Keyring::new(Secret::generate()?));
/// let first = RefreshToken { session_id: [7; 16], counter: 0 };
/// let text = tokens.write(first);
/// assert_eq!(tokens.read(&text), Ok(first));
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct RefreshTokens {
    current: MacKey,
    previous: Vec<MacKey>,
}

impl RefreshTokens {
    /// Derives the keys.
    #[must_use]
    pub fn new(keyring: &Keyring) -> Self {
        let derive = |key: &Key| MacKey::new(&*key.derive(PURPOSE));
        Self {
            current: derive(keyring.current()),
            previous: keyring.keys().skip(1).map(derive).collect(),
        }
    }

    /// The text of a token: 73 characters, always the same for the same token and secret. A credential: do not log it.
    #[must_use]
    pub fn write(&self, token: RefreshToken) -> String {
        let mut bytes = Vec::with_capacity(TOKEN_BYTES);
        bytes.extend_from_slice(&token.session_id);
        bytes.extend_from_slice(&token.counter.to_be_bytes());
        let tag = self.current.tag(&bytes);
        bytes.extend_from_slice(&tag);
        let mut text = String::from(PREFIX);
        URL_SAFE_NO_PAD.encode_string(bytes, &mut text);
        text
    }

    /// What a token says, if one of our secrets made it. The comparison takes constant time.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedToken`] if it is not 73 characters of the format, [`Error::SignatureMismatch`] if none of the
    /// secrets made it.
    pub fn read(&self, text: &str) -> Result<RefreshToken, Error> {
        const MALFORMED: Error = Error::MalformedToken("The refresh token is malformed");
        let encoded = text.strip_prefix(PREFIX).ok_or(MALFORMED)?;
        let mut bytes = [0; TOKEN_BYTES];
        let length = URL_SAFE_NO_PAD.decode_slice(encoded, &mut bytes);
        if length != Ok(TOKEN_BYTES) {
            return Err(MALFORMED);
        }
        let (named, tag) = bytes.split_at(NAMED_BYTES);
        let made_by = |key: &MacKey| key.verifies(named, tag);
        if !std::iter::once(&self.current)
            .chain(&self.previous)
            .any(made_by)
        {
            return Err(Error::SignatureMismatch);
        }
        let (session_id, counter) = named.split_at(16);
        Ok(RefreshToken {
            session_id: session_id.try_into().map_err(|_length| MALFORMED)?,
            counter: u32::from_be_bytes(counter.try_into().map_err(|_length| MALFORMED)?),
        })
    }
}

impl fmt::Debug for RefreshTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshTokens([redacted])")
    }
}

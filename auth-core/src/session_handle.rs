//! Session handles: texts that name a session and open nothing.
//!
//! A list of sessions must let its reader end each of them, and must not hand out the tokens of all of them. A handle
//! names a session and proves that the server wrote it, by a MAC under a key of its own derived from the secret
//! (HKDF-SHA-256, info `auth-core session handle v1`). It is no credential: only the request to end a session takes it,
//! from a caller whose session it is.
//!
//! Format: as [`session_token`](crate::session_token), 96 lower-case hexadecimal digits of 16 bytes session id and 32
//! bytes HMAC-SHA-256 of it. No handle can pass for a token, nor the reverse.

use std::fmt;

use crate::hs256::MacKey;
use crate::keyring::Key;
use crate::session_token::{ID_BYTES, decode_hex, encode_hex};
use crate::{Error, Keyring};

const PURPOSE: &[u8] = b"auth-core session handle v1";
const MALFORMED: Error = Error::MalformedToken("The session handle is malformed");

/// Encodes and decodes session handles under a keyring: the current secret encodes, all of them decode.
///
/// ```
/// use auth_core::session_handle::SessionHandles;
/// use auth_core::session_token::SessionTokens;
/// use auth_core::{Keyring, Secret};
///
/// let keyring = Keyring::new(Secret::generate()?);
/// let handles = SessionHandles::new(&keyring);
/// let handle = handles.encode([7; 16]);
/// assert_eq!(handles.decode(&handle), Ok([7; 16]));
/// assert!(SessionTokens::new(&keyring).decode(&handle).is_err());
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct SessionHandles {
    current: MacKey,
    previous: Vec<MacKey>,
}

impl SessionHandles {
    /// Derives the keys.
    #[must_use]
    pub fn new(keyring: &Keyring) -> Self {
        let mac_key = |key: &Key| MacKey::new(&*key.derive(PURPOSE));
        Self {
            current: mac_key(keyring.current()),
            previous: keyring.keys().skip(1).map(mac_key).collect(),
        }
    }

    /// Encodes the handle of a session: 96 characters of `[0-9a-f]`, always the same for the same session and secret.
    #[must_use]
    pub fn encode(&self, session_id: [u8; 16]) -> String {
        encode_hex(session_id, &self.current.tag(&session_id))
    }

    /// Decodes a handle to its session id and verifies its MAC, in constant time for each secret.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedToken`] if it is not 96 characters of the format, [`Error::SignatureMismatch`] if none of the
    /// secrets made it.
    pub fn decode(&self, handle: &str) -> Result<[u8; 16], Error> {
        let bytes = decode_hex(handle).ok_or(MALFORMED)?;
        let (session_id, tag) = bytes.split_at(ID_BYTES);
        let mut keys = std::iter::once(&self.current).chain(&self.previous);
        if !keys.any(|key| key.verifies(session_id, tag)) {
            return Err(Error::SignatureMismatch);
        }
        session_id.try_into().map_err(|_length| MALFORMED)
    }
}

impl fmt::Debug for SessionHandles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionHandles([redacted])")
    }
}

//! Defines session handles, which identify the sessions in a user's list of sessions and are no credentials.
//!
//! A user must be able to end each session in the list, but the list must not contain the tokens of other sessions. A
//! handle contains the session id and a MAC under a key that is derived from the secret (HKDF-SHA-256, RFC 5869, info
//! `auth-core session handle v1`), which proves that the server made the handle. A server accepts a handle only to end
//! the session, and only from the user of that session.
//!
//! Format: as a [`session_token`](crate::session_token), 96 lower-case hexadecimal digits of 16 bytes session id and 32
//! bytes HMAC-SHA-256 of that id. No handle is accepted as a session token, nor a session token as a handle.

use std::fmt;

use crate::keyring::MacKeys;
use crate::session_token::{ID_BYTES, decode_hex, encode_hex};
use crate::{Error, Keyring};

/// The HKDF `info` of the MAC key.
const HKDF_INFO: &[u8] = b"auth-core session handle v1";
const MALFORMED: Error = Error::MalformedToken("The session handle is malformed");

/// Encodes session handles with the current secret of a keyring. Decodes handles that were made with any secret of the
/// keyring.
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
    keys: MacKeys,
}

impl SessionHandles {
    /// Derives one MAC key per secret.
    #[must_use]
    pub fn new(keyring: &Keyring) -> Self {
        Self {
            keys: keyring.mac_keys(|key| key.derive(HKDF_INFO)),
        }
    }

    /// Encodes the handle of a session as 96 characters of `[0-9a-f]`. The text depends only on the id and the current
    /// secret.
    #[must_use]
    pub fn encode(&self, session_id: [u8; 16]) -> String {
        encode_hex(session_id, &self.keys.tag(&session_id))
    }

    /// Verifies the MAC of a handle, in constant time for each secret, and returns the session id.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedToken`] if `handle` is not 96 lower-case hexadecimal digits, [`Error::SignatureMismatch`] if
    /// no secret of the keyring made the MAC.
    pub fn decode(&self, handle: &str) -> Result<[u8; 16], Error> {
        let bytes = decode_hex(handle).ok_or(MALFORMED)?;
        let (session_id, tag) = bytes.split_at(ID_BYTES);
        self.keys.verify(session_id, tag)?;
        session_id.try_into().map_err(|_length| MALFORMED)
    }
}

impl fmt::Debug for SessionHandles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionHandles([redacted])")
    }
}

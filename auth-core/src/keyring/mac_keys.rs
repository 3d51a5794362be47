//! Defines the MAC keys of a keyring for one purpose, such as refresh tokens.

use crate::Error;
use crate::hs256::MacKey;

/// One MAC key per secret: the key of the current secret makes MACs, every key verifies MACs.
#[derive(Clone)]
pub(crate) struct MacKeys {
    pub(super) current: MacKey,
    pub(super) previous: Vec<MacKey>,
}

impl MacKeys {
    /// Computes the MAC of `message` with the key of the current secret.
    pub(crate) fn tag(&self, message: &[u8]) -> [u8; 32] {
        self.current.tag(message)
    }

    /// Returns whether `tag` is the MAC of `message` with the key of the current secret, in constant time.
    pub(crate) fn verifies_with_current(&self, message: &[u8], tag: &[u8]) -> bool {
        self.current.verifies(message, tag)
    }

    /// Verifies the MAC of `message`, in constant time for each secret.
    ///
    /// # Errors
    ///
    /// [`Error::SignatureMismatch`] if no secret of the keyring made `tag`.
    pub(crate) fn verify(&self, message: &[u8], tag: &[u8]) -> Result<(), Error> {
        let mut keys = std::iter::once(&self.current).chain(&self.previous);
        if keys.any(|key| key.verifies(message, tag)) {
            Ok(())
        } else {
            Err(Error::SignatureMismatch)
        }
    }

    /// Verifies that the MAC of `message` starts with `start`, in constant time. Unlike [`verify`](Self::verify), tries
    /// every secret, so the time does not depend on which secret made the MAC.
    ///
    /// # Errors
    ///
    /// [`Error::SignatureMismatch`] if no secret of the keyring made such a MAC, or `start` is empty.
    pub(crate) fn verify_start<const N: usize>(
        &self,
        message: &[u8],
        start: &[u8; N],
    ) -> Result<(), Error> {
        let keys = std::iter::once(&self.current).chain(&self.previous);
        let is_valid = keys.fold(false, |is_valid, key| {
            is_valid | key.verifies_start(message, start)
        });
        if is_valid {
            Ok(())
        } else {
            Err(Error::SignatureMismatch)
        }
    }
}

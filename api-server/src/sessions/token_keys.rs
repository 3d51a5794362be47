//! Defines the secrets and keys from which the issuers and verifiers of tokens are made.

use std::fmt;

use auth_core::public_key::{KeySet, PublicKey, SigningKey};
use auth_core::{Error, Keyring, TokenSigner, VerificationKeys};

/// The secrets and keys from one read of the settings.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TokenKeys {
    /// The current secret and the previous ones: for refresh tokens, cookies, mails and the feed of revocations. All
    /// secrets verify access tokens, and the current secret signs access tokens unless there is a signing key.
    pub keyring: Keyring,
    /// The private key that signs access tokens. If `None`, the current secret signs them.
    pub signing_key: Option<SigningKey>,
    /// Public keys that verify access tokens and are published, in addition to that of the signing key: the next and
    /// the previous ones.
    pub verifying_keys: Vec<PublicKey>,
}

impl TokenKeys {
    /// Returns the keys that are published, the signing one first; `None` if there are none. A key that was given twice
    /// counts once.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidKey`] for more than 64 keys, or for two different keys with the same id.
    pub(crate) fn key_set(&self) -> Result<Option<KeySet>, Error> {
        let signing_key = self.signing_key.as_ref().map(SigningKey::public_key);
        let mut keys: Vec<PublicKey> = Vec::new();
        for key in signing_key.into_iter().chain(&self.verifying_keys) {
            if !keys.contains(key) {
                keys.push(key.clone());
            }
        }
        if keys.is_empty() {
            return Ok(None);
        }
        KeySet::new(keys).map(Some)
    }

    /// Returns the signer of access tokens for this server.
    pub(super) fn signer(&self) -> TokenSigner {
        match &self.signing_key {
            Some(key) => key.clone().into(),
            None => self.keyring.clone().into(),
        }
    }

    /// Returns the signer of access tokens for the service that `audience` names.
    pub(super) fn service_signer(&self, audience: &str) -> Result<TokenSigner, Error> {
        match &self.signing_key {
            Some(key) => Ok(key.clone().into()),
            None => Ok(self.keyring.for_audience(audience)?.into()),
        }
    }

    /// Returns the keys that verify access tokens for this server. The secrets stay accepted beside the keys of
    /// `key_set`, because tokens that a secret signed may not have expired.
    pub(super) fn verification_keys(&self, key_set: Option<KeySet>) -> VerificationKeys {
        match key_set {
            Some(keys) => VerificationKeys::from(keys).with_secrets(self.keyring.clone()),
            None => self.keyring.clone().into(),
        }
    }
}

/// Lists the ids of the secrets, the current secret first, and of the public keys, the signing key first if there is
/// one. For the log.
impl fmt::Display for TokenKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.keyring)?;
        let Ok(Some(key_set)) = self.key_set() else {
            return Ok(());
        };
        match &self.signing_key {
            Some(key) => write!(
                f,
                "; {} signs access tokens; public keys: ",
                key.algorithm()
            )?,
            None => f.write_str("; public keys, none of which signs: ")?,
        }
        let keys = key_set.keys().iter();
        f.debug_list().entries(keys.map(PublicKey::key_id)).finish()
    }
}

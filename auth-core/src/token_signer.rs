//! Defines the signer of access tokens.

use crate::{Error, Keyring};

/// The signer of the tokens of a [`TokenIssuer`](crate::TokenIssuer): the current secret of a [`Keyring`], or a
/// [`SigningKey`](crate::public_key::SigningKey). Both convert into this type.
#[derive(Debug, Clone)]
pub struct TokenSigner(Signer);

#[derive(Debug, Clone)]
enum Signer {
    Keyring(Box<Keyring>),
    #[cfg(feature = "public-key")]
    PrivateKey(crate::public_key::SigningKey),
}

impl TokenSigner {
    /// Signs `payload` as an access token.
    ///
    /// # Errors
    ///
    /// [`Error::Crypto`] if a private key cannot sign.
    #[cfg_attr(
        not(feature = "public-key"),
        expect(clippy::unnecessary_wraps, reason = "only a private key can fail")
    )]
    pub(crate) fn sign(&self, payload: &[u8]) -> Result<String, Error> {
        match &self.0 {
            Signer::Keyring(keyring) => Ok(keyring.signing_key().sign(payload)),
            #[cfg(feature = "public-key")]
            Signer::PrivateKey(key) => key.sign_token(payload),
        }
    }
}

impl From<Keyring> for TokenSigner {
    fn from(keyring: Keyring) -> Self {
        Self(Signer::Keyring(Box::new(keyring)))
    }
}

#[cfg(feature = "public-key")]
impl From<crate::public_key::SigningKey> for TokenSigner {
    fn from(key: crate::public_key::SigningKey) -> Self {
        Self(Signer::PrivateKey(key))
    }
}

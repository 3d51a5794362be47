//! Defines the keys with which a verifier verifies signatures.

#[cfg(feature = "public-key")]
use std::sync::Arc;

use crate::jws::Jws;
#[cfg(feature = "public-key")]
use crate::public_key::{Algorithm, KeySet, PublicKey};
#[cfg(all(feature = "public-key", feature = "remote"))]
use crate::remote::RemoteKeySet;
use crate::token_type::TokenTypes;
use crate::{Error, Keyring, Secret};

/// The keys with which a [`TokenVerifier`](crate::TokenVerifier) verifies signatures: the secrets of a [`Keyring`], the
/// public keys of a [`KeySet`] or [`RemoteKeySet`], or both. Each of these types, and a single [`Secret`], converts
/// into this type.
///
/// Secrets and public keys stay apart: a token of `HS256` is verified with the secrets only, and a token of another
/// algorithm only with the public key that its `kid` names, if that key has this algorithm.
#[derive(Debug, Clone)]
pub struct VerificationKeys {
    secrets: Option<Keyring>,
    #[cfg(feature = "public-key")]
    public_keys: Option<PublicKeys>,
    /// The algorithms of public keys that are accepted; `None` accepts all.
    #[cfg(feature = "public-key")]
    algorithms: Option<Arc<[Algorithm]>>,
}

/// Public keys that never change, or that are requested from a URL.
#[cfg(feature = "public-key")]
#[derive(Debug, Clone)]
enum PublicKeys {
    Fixed(KeySet),
    #[cfg(feature = "remote")]
    Remote(RemoteKeySet),
}

impl From<Keyring> for VerificationKeys {
    fn from(keyring: Keyring) -> Self {
        Self {
            secrets: Some(keyring),
            #[cfg(feature = "public-key")]
            public_keys: None,
            #[cfg(feature = "public-key")]
            algorithms: None,
        }
    }
}

/// The result contains this secret alone.
impl From<Secret> for VerificationKeys {
    fn from(secret: Secret) -> Self {
        Keyring::new(secret).into()
    }
}

#[cfg(feature = "public-key")]
impl From<KeySet> for VerificationKeys {
    fn from(keys: KeySet) -> Self {
        PublicKeys::Fixed(keys).into()
    }
}

#[cfg(all(feature = "public-key", feature = "remote"))]
impl From<RemoteKeySet> for VerificationKeys {
    fn from(keys: RemoteKeySet) -> Self {
        PublicKeys::Remote(keys).into()
    }
}

#[cfg(feature = "public-key")]
impl From<PublicKeys> for VerificationKeys {
    fn from(keys: PublicKeys) -> Self {
        Self {
            secrets: None,
            public_keys: Some(keys),
            algorithms: None,
        }
    }
}

impl VerificationKeys {
    /// Returns the secrets; `None` if there are only public keys.
    #[cfg(feature = "remote")]
    pub(crate) const fn secrets(&self) -> Option<&Keyring> {
        self.secrets.as_ref()
    }

    /// Also accepts tokens that are signed with a secret of `keyring`. Use this while an issuer changes from HS256 to a
    /// private key: its earlier tokens stay valid until they expire. Replaces an earlier keyring.
    ///
    /// ```
    /// use auth_core::public_key::{Algorithm, KeySet, SigningKey};
    /// use auth_core::{Keyring, Secret, TokenVerifier, VerificationKeys};
    ///
    /// let keys = KeySet::new([SigningKey::generate(Algorithm::EdDsa)?.public_key().clone()])?;
    /// let keys = VerificationKeys::from(keys).with_secrets(Keyring::new(Secret::generate()?));
    /// let verifier = TokenVerifier::new(keys, "api-server", "api")?;
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    #[cfg(feature = "public-key")]
    #[must_use]
    pub fn with_secrets(mut self, keyring: Keyring) -> Self {
        self.secrets = Some(keyring);
        self
    }

    #[cfg(feature = "public-key")]
    pub(crate) fn set_algorithms(&mut self, algorithms: impl IntoIterator<Item = Algorithm>) {
        self.algorithms = Some(algorithms.into_iter().collect());
    }

    #[cfg(feature = "public-key")]
    fn accepts(&self, algorithm: Algorithm) -> bool {
        let accepted = self.algorithms.as_ref();
        accepted.is_none_or(|accepted| accepted.contains(&algorithm))
    }

    /// Returns a future that ends when the pending request for the keys has completed, or after 2 seconds, for a token
    /// that was rejected because its key is unknown or no keys are available; `None` if no request is pending or too
    /// many tokens wait.
    #[cfg(all(feature = "public-key", feature = "remote"))]
    pub(crate) fn pending_refresh(&self) -> Option<impl Future<Output = ()> + Send + use<>> {
        match &self.public_keys {
            Some(PublicKeys::Remote(keys)) => keys.pending_refresh(),
            _ => None,
        }
    }

    /// Verifies the header and the signature of a token.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedToken`], [`Error::UnacceptableHeader`], [`Error::SignatureMismatch`], [`Error::UnknownKey`] or
    /// [`Error::KeysUnavailable`].
    pub(crate) fn verify(&self, jws: &Jws<'_>, types: TokenTypes) -> Result<(), Error> {
        if types.accepts_access_tokens()
            && let Some(keyring) = &self.secrets
            && let Some(result) = jws.verify_with_issued_header(keyring)
        {
            return result;
        }
        self.verify_parsed_header(jws, types)
    }

    // Not inlined, so that the buffers for public keys do not enlarge the stack frame of the usual case above.
    #[inline(never)]
    fn verify_parsed_header(&self, jws: &Jws<'_>, types: TokenTypes) -> Result<(), Error> {
        jws.with_header(|header| {
            #[cfg(feature = "public-key")]
            if let Some(keys) = &self.public_keys
                && header.algorithm() != Some("HS256")
            {
                let algorithm = header.algorithm().and_then(Algorithm::from_name);
                let algorithm = algorithm.filter(|algorithm| self.accepts(*algorithm));
                let algorithm = algorithm.ok_or(WRONG_ALGORITHM)?;
                types.check(header)?;
                return jws.verify_signature(&keys.find(header.key_id(), algorithm)?);
            }
            let keyring = self.secrets.as_ref().ok_or(WRONG_ALGORITHM)?;
            header.require_hs256()?;
            types.check(header)?;
            jws.verify_mac(keyring, header.key_id())
        })
    }
}

const WRONG_ALGORITHM: Error = Error::UnacceptableHeader("The token algorithm is not accepted");

#[cfg(feature = "public-key")]
impl PublicKeys {
    /// Returns the key with this id if its algorithm is `algorithm`; both are from the header of the token. No other
    /// key is tried, so a forged token costs at most one verification.
    fn find(&self, key_id: Option<&str>, algorithm: Algorithm) -> Result<PublicKey, Error> {
        const NO_KEY_ID: Error = Error::UnacceptableHeader("The token does not name its key (kid)");
        const OTHER_ALGORITHM: Error =
            Error::UnacceptableHeader("The token algorithm is not the algorithm of its key");
        let key_id = key_id.ok_or(NO_KEY_ID)?;
        let key = match self {
            Self::Fixed(keys) => keys.get(key_id).cloned().ok_or(Error::UnknownKey)?,
            #[cfg(feature = "remote")]
            Self::Remote(keys) => keys.find(key_id)?,
        };
        if key.algorithm() == algorithm {
            Ok(key)
        } else {
            Err(OTHER_ALGORITHM)
        }
    }
}

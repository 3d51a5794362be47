//! The settings of a verifier for tokens of other issuers, and verification after keys were requested again.

use crate::token_type::TokenTypes;
use crate::{Error, TokenType, TokenVerifier};

impl TokenVerifier {
    /// Returns the issuer, which must equal `iss` in the tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.policy.issuer
    }

    /// Sets which `typ` header parameters are accepted. Defaults to [`TokenType::AccessToken`] alone.
    ///
    /// Accept other types only for an issuer that does not write `at+jwt`, and only if its other tokens have another
    /// audience: an ID token, for example, is for the client that asked for it (RFC 8725 § 3.9, § 3.11).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] if `types` is empty.
    pub fn with_types(mut self, types: impl IntoIterator<Item = TokenType>) -> Result<Self, Error> {
        self.types = TokenTypes::new(types)?;
        Ok(self)
    }

    /// Accepts tokens with one of these audiences too: `aud` must be or contain the audience of [`new`](Self::new) or
    /// one of these. Defaults to none.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] if an audience is empty.
    pub fn with_other_audiences(
        mut self,
        audiences: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, Error> {
        let audiences: Vec<String> = audiences.into_iter().map(Into::into).collect();
        if audiences.iter().any(String::is_empty) {
            return Err(Error::InvalidSetting("the audience must not be empty"));
        }
        self.policy.other_audiences = audiences;
        Ok(self)
    }

    /// Accepts tokens without `jti`, such as those of other issuers. [`Claims::jti`](crate::Claims::jti) is then empty,
    /// and the token cannot be revoked by its id. By default, `jti` is required.
    #[must_use]
    pub const fn with_optional_jti(mut self) -> Self {
        self.policy.required.jti = false;
        self
    }

    /// Sets which algorithms of public keys are accepted, for a key set that may also have keys of other algorithms.
    /// Defaults to all that the enabled features support. Does not affect HS256 with secrets.
    #[cfg(feature = "public-key")]
    #[must_use]
    pub fn with_algorithms(
        mut self,
        algorithms: impl IntoIterator<Item = crate::public_key::Algorithm>,
    ) -> Self {
        self.keys.set_algorithms(algorithms);
        self
    }

    /// Does the same as [`verify`](Self::verify), but if the key of the token is not known or no keys are available,
    /// waits for at most 2 seconds until the keys have been requested again, and then verifies once more.
    ///
    /// Only a [`RemoteKeySet`](crate::remote::RemoteKeySet) requests keys again. Tokens cause at most one request every
    /// 10 seconds. With other keys this function does not wait.
    ///
    /// # Errors
    ///
    /// The errors of [`verify`](Self::verify).
    #[cfg(all(feature = "public-key", feature = "remote"))]
    pub async fn verify_after_refresh(
        &self,
        token: &str,
        now: std::time::SystemTime,
    ) -> Result<crate::Claims, Error> {
        match self.verify(token, now) {
            Err(Error::UnknownKey | Error::KeysUnavailable) => {
                // Without a pending request the keys may have arrived since the first verification.
                if let Some(refreshed) = self.pending_refresh() {
                    refreshed.await;
                }
                self.verify(token, now)
            }
            result => result,
        }
    }

    /// Returns a future that ends when the pending request for the keys has completed, or after 2 seconds; `None` if no
    /// request is pending or too many tokens wait.
    #[cfg(all(feature = "public-key", feature = "remote"))]
    pub(crate) fn pending_refresh(&self) -> Option<impl Future<Output = ()> + Send + use<>> {
        self.keys.pending_refresh()
    }
}

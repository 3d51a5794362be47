//! Derives a key per service: the key for one audience cannot sign tokens that the service of another audience accepts.
//!
//! The README documents the derivation under "A key per service", for implementations in other languages.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::keyring::Key;
use crate::{Error, Keyring, Secret};

/// The start of the HKDF `info`. The audience follows the zero byte.
const HKDF_INFO_PREFIX: &[u8] = b"auth-core audience v1\0";

impl Secret {
    /// Derives the secret of the service that `audience` names: HKDF-SHA-256 (RFC 5869) of this secret without salt.
    /// `info` is `auth-core audience v1`, a zero byte and the audience in UTF-8. The output has 32 bytes, written as 43
    /// characters of base64url without padding. The *characters* are the secret: any JOSE library accepts that text
    /// unchanged as its key.
    ///
    /// The derived secret reveals neither this secret nor the secret of another audience.
    ///
    /// ```
    /// use auth_core::Secret;
    ///
    /// let secret = Secret::new("wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P")?;
    /// let reports_secret = secret.for_audience("reports")?;
    /// assert_eq!(reports_secret.expose(), b"LmILP1KZS0EofnXFx0cBlUlZ0nFi3Ce0xp5ZXdHxcJ4");
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] if `audience` is empty.
    pub fn for_audience(&self, audience: &str) -> Result<Self, Error> {
        if audience.is_empty() {
            return Err(Error::InvalidSetting("the audience must not be empty"));
        }
        let key = self.derive(&[HKDF_INFO_PREFIX, audience.as_bytes()]);
        Self::new(URL_SAFE_NO_PAD.encode(*key))
    }
}

impl Keyring {
    /// Derives the keyring that signs the tokens for `audience`: each secret, current and previous, is replaced by the
    /// result of its [`Secret::for_audience`]. A service that verifies these tokens gets only the derived secrets, and
    /// needs no secret of this keyring.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use auth_core::{Error, Keyring, Secret, Subject, TokenIssuer, TokenVerifier};
    ///
    /// let secret = Secret::generate()?;
    /// let reports_secret = secret.for_audience("reports")?;
    /// let keyring = Keyring::new(secret);
    ///
    /// let reports_keyring = keyring.for_audience("reports")?;
    /// let issuer = TokenIssuer::new(reports_keyring, "api-server", "reports", Duration::from_secs(900))?;
    /// let now = SystemTime::now();
    /// let ada = Subject {
    ///     id: "42",
    ///     email: "ada@example.com",
    ///     email_verified: Some(true),
    ///     session_id: "7",
    /// };
    /// let token = issuer.issue(&ada, now)?.token;
    ///
    /// let reports_verifier = TokenVerifier::new(Keyring::new(reports_secret), "api-server", "reports")?;
    /// assert_eq!(reports_verifier.verify(&token, now)?.sub, "42");
    ///
    /// let server_verifier = TokenVerifier::new(keyring, "api-server", "api")?;
    /// assert_eq!(server_verifier.verify(&token, now), Err(Error::SignatureMismatch));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] if `audience` is empty.
    pub fn for_audience(&self, audience: &str) -> Result<Self, Error> {
        let derive = |key: &Key| key.secret.for_audience(audience);
        let previous_secrets: Result<Vec<_>, _> = self.keys().skip(1).map(derive).collect();
        Ok(Self::new(derive(self.signing_key())?).with_previous(previous_secrets?))
    }
}

//! Defines a credential that gives access to the revocation feed and nothing else.

#[cfg(test)]
mod tests;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::keyring::Key;
use crate::{Error, Keyring, Secret};

/// The start of the HKDF `info`. The name follows the zero byte.
const HKDF_INFO_PREFIX: &[u8] = b"auth-core feed v1\0";
/// The start of the text of a credential. It distinguishes a credential from a secret.
const PREFIX: &str = "feed.";
const MAX_NAME_CHARS: usize = 64;

/// A credential of one service for the feed of revocations (`GET /api/auth/revocations`). It gives access to the feed
/// and nothing else: neither the server nor a service accepts an access token that was signed with it.
///
/// A service that verifies tokens with public keys needs it to learn of logouts. `api-server keys derive --feed NAME`
/// prints it. It stays valid until the server drops the secret from which it is derived. `Debug` shows the name only.
///
/// ```
/// use auth_core::Secret;
/// use auth_core::revocation::FeedCredential;
///
/// let secret = Secret::new("wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P")?;
/// let text = secret.for_feed("reports")?.expose();
/// assert_eq!(*text, "feed.reports.s_zFbpEd1V-48xFlUuj7RVuv9XQQKVmr10iibvV2f08");
/// assert_eq!(FeedCredential::parse(&text)?.name(), "reports");
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct FeedCredential {
    name: String,
    secret: Secret,
}

impl FeedCredential {
    /// Parses the text `feed.NAME.KEY`, as [`expose`](Self::expose) returns it. White space around it is ignored.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for any other text. [`Error::WeakSecret`] for a key that no server derives, such as
    /// one repeated character.
    pub fn parse(text: &str) -> Result<Self, Error> {
        const MALFORMED: Error = Error::InvalidSetting(
            "the text is not a credential for the feed; make one with: api-server keys derive --feed NAME",
        );
        let rest = text.trim().strip_prefix(PREFIX).ok_or(MALFORMED)?;
        let (name, key) = rest.rsplit_once('.').ok_or(MALFORMED)?;
        let key_bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(key).map_err(|_base64| MALFORMED)?);
        if !is_valid_name(name) || key_bytes.len() != 32 {
            return Err(MALFORMED);
        }
        Ok(Self {
            name: name.to_owned(),
            secret: Secret::new(key)?,
        })
    }

    /// Returns the name of the service.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the credential as text. The text is wiped on drop. Do not log it.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        let key = String::from_utf8_lossy(self.secret.expose());
        Zeroizing::new(format!("{PREFIX}{}.{key}", self.name))
    }
}

impl fmt::Debug for FeedCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeedCredential")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Secret {
    /// Derives the credential with which the service of this name reads the feed of revocations: HKDF-SHA-256 (RFC
    /// 5869) of this secret without salt. `info` is `auth-core feed v1`, a zero byte and the name. The output has 32
    /// bytes, written as 43 characters of base64url without padding.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] unless `name` has 1 to 64 characters of `A-Z`, `a-z`, `0-9`, `-`, `_` and `.`.
    pub fn for_feed(&self, name: &str) -> Result<FeedCredential, Error> {
        if !is_valid_name(name) {
            return Err(Error::InvalidSetting(
                "use a name of 1 to 64 characters of A-Z, a-z, 0-9, -, _ and .",
            ));
        }
        let key = self.derive(&[HKDF_INFO_PREFIX, name.as_bytes()]);
        Ok(FeedCredential {
            name: name.to_owned(),
            secret: Self::new(URL_SAFE_NO_PAD.encode(*key))?,
        })
    }
}

impl Keyring {
    /// Derives the keyring of the credentials with this name: replaces each secret by the secret of its credential.
    ///
    /// # Errors
    ///
    /// The errors of [`Secret::for_feed`].
    pub(super) fn for_feed_reader(&self, name: &str) -> Result<Self, Error> {
        let derive = |key: &Key| Ok(key.secret.for_feed(name)?.secret);
        let previous_secrets: Result<Vec<_>, Error> = self.keys().skip(1).map(derive).collect();
        Ok(Self::new(derive(self.signing_key())?).with_previous(previous_secrets?))
    }
}

/// The signer of the [`FeedTokens`](super::FeedTokens) of a service: the current secret of a [`Keyring`], or a
/// [`FeedCredential`]. Both convert into this type.
#[derive(Debug, Clone)]
pub struct FeedSigner {
    pub(super) keyring: Keyring,
    /// The name of the credential, which its tokens contain; `None` for a keyring.
    pub(super) name: Option<String>,
}

impl From<Keyring> for FeedSigner {
    fn from(keyring: Keyring) -> Self {
        Self {
            keyring,
            name: None,
        }
    }
}

impl From<FeedCredential> for FeedSigner {
    fn from(credential: FeedCredential) -> Self {
        Self {
            keyring: Keyring::new(credential.secret),
            name: Some(credential.name),
        }
    }
}

fn is_valid_name(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=MAX_NAME_CHARS).contains(&text.len()) && text.bytes().all(is_allowed)
}

//! Defines the shared HS256 secret and the rules that reject a weak secret.

mod samples;

use std::fmt;

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::Error;
use crate::random::random_base64url;

/// The shortest secret, in bytes: an HS256 key has at least as many bits as the hash (RFC 7518 § 3.2).
const MIN_BYTES: usize = 32;
/// The fewest distinct byte values of a secret. Even 32 random hexadecimal digits almost certainly have more.
const MIN_DISTINCT_BYTES: usize = 6;

/// A shared HS256 secret of at least 32 bytes. The memory is wiped on drop. `Debug` does not show the secret.
///
/// ```
/// use auth_core::{Error, Secret};
///
/// let secret = Secret::new("wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P")?;
/// assert_eq!(format!("{secret:?}"), "Secret([redacted])");
/// assert!(Secret::new("too short").is_err());
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Creates a secret from raw bytes. Text is used as UTF-8, not decoded from hex or base64.
    ///
    /// # Errors
    ///
    /// [`Error::WeakSecret`] for fewer than 32 bytes (RFC 7518 § 3.2), for fewer than 6 distinct byte values, and for
    /// well-known samples (`secret`, `changeme`, `your-256-bit-secret`, …) padded, combined or repeated to any length.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, Error> {
        let secret = Self(Zeroizing::new(bytes.into()));
        match secret.weakness() {
            None => Ok(secret),
            Some(reason) => Err(Error::WeakSecret(reason)),
        }
    }

    /// Generates a secret: 32 random bytes, written as 43 characters of base64url.
    ///
    /// # Errors
    ///
    /// [`Error::Crypto`] if the operating system returns no random bytes.
    pub fn generate() -> Result<Self, Error> {
        random_base64url::<32>().map(|text| Self(text.into_bytes().into()))
    }

    /// Creates a secret without checks, for test vectors with weak keys.
    #[cfg(test)]
    pub(crate) fn unchecked(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }

    /// Returns the raw bytes of the secret. Do not log or send the bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Derives 32 bytes with HKDF-SHA-256 (RFC 5869) without salt. The parts in `info` are concatenated.
    pub(crate) fn derive(&self, info: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        let mut derived_key = Zeroizing::new([0; 32]);
        let hkdf = Hkdf::<Sha256>::new(None, self.expose());
        let result = hkdf.expand_multi_info(info, derived_key.as_mut_slice());
        debug_assert!(
            result.is_ok(),
            "32 bytes are within HKDF's limit of 255 hashes"
        );
        derived_key
    }

    /// Returns why the secret is not acceptable, and a command that generates another secret; `None` if acceptable.
    fn weakness(&self) -> Option<&'static str> {
        if self.0.len() < MIN_BYTES {
            Some("the secret is shorter than 32 bytes; make one with: openssl rand -base64 48")
        } else if samples::is_sample(&self.0) {
            Some("the secret is a well-known sample; make one with: openssl rand -base64 48")
        } else if count_distinct_bytes(&self.0) < MIN_DISTINCT_BYTES {
            Some("the secret repeats a few characters; make one with: openssl rand -base64 48")
        } else {
            None
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

fn count_distinct_bytes(bytes: &[u8]) -> usize {
    let mut seen = [false; 256];
    for byte in bytes {
        if let Some(is_seen) = seen.get_mut(usize::from(*byte)) {
            *is_seen = true;
        }
    }
    seen.iter().filter(|is_seen| **is_seen).count()
}

#[cfg(test)]
mod tests {
    use super::Secret;
    use crate::Error;

    const VALID_SECRET: &str = "wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P";

    #[test]
    fn a_secret_has_at_least_32_bytes() {
        assert!(Secret::new(VALID_SECRET.get(..31).unwrap()).is_err());
        assert!(Secret::new(VALID_SECRET).is_ok());
        assert!(Secret::new(format!("{VALID_SECRET}x")).is_ok());
    }

    #[test]
    fn the_error_says_how_to_generate_a_secret_and_does_not_repeat_the_rejected_secret() {
        let error = Secret::new("hunter2").unwrap_err();
        assert!(error.to_string().contains("openssl rand -base64 48"));
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }

    #[test]
    fn padded_and_repeated_samples_are_rejected() {
        for sample in [
            "secret".repeat(40),
            format!("changeme{}", "0".repeat(64)),
            format!("password{}", "\0".repeat(64)),
            format!("{}secret", "-".repeat(64)),
            format!("your-secret{}", "1234567890".repeat(6)),
            format!("SUPER-SECRET{}", "!".repeat(40)),
        ] {
            assert!(
                matches!(Secret::new(sample.clone()), Err(Error::WeakSecret(_))),
                "{sample}"
            );
        }
    }

    #[test]
    fn fewer_than_six_distinct_bytes_are_rejected() {
        assert!(Secret::new("abcde".repeat(20)).is_err());
        assert!(Secret::new(vec![0; 64]).is_err());
    }

    #[test]
    fn generated_secrets_are_accepted_and_unique() {
        let (secret_a, secret_b) = (Secret::generate().unwrap(), Secret::generate().unwrap());
        assert_ne!(secret_a.expose(), secret_b.expose());
        assert!(Secret::new(secret_a.expose()).is_ok());
    }

    #[test]
    fn debug_output_is_redacted() {
        assert_eq!(
            format!("{:?}", Secret::new(VALID_SECRET).unwrap()),
            "Secret([redacted])"
        );
    }
}

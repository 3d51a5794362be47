//! The shared secret and what makes it good enough.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::Error;

/// RFC 7518 § 3.2: an HS256 key has at least as many bits as the hash.
const MIN_BYTES: usize = 32;
/// Fewer than this many different bytes in 32 is a pattern, not a secret; random hex digits never come near it.
const MIN_DISTINCT_BYTES: usize = 6;

/// Openings of secrets that stand in tutorials, templates and other servers' defaults, lower-cased.
const SAMPLES: &[&str] = &[
    "a-string-secret-at-least-256-bits-long",
    "abcdefghijklmnopqrstuvwxyz",
    "abcedfghijklmnopqrstuvwxyz",
    "better-auth-secret",
    "change-me",
    "change_me",
    "changeit",
    "changeme",
    "default-secret",
    "example",
    "insecure",
    "jwt-secret",
    "jwt_secret",
    "jwtsecret",
    "keyboard cat",
    "my-secret",
    "my_secret",
    "mysecret",
    "notsosecret",
    "password",
    "please-change-me",
    "qwertyuiopasdfghjklzxcvbnm",
    "secret",
    "shhhhh",
    "super-secret-jwt-token-with-at-least-32-characters-long",
    "super-secret",
    "supersecret",
    "test-secret",
    "this-is-a-secret",
    "thisisasecret",
    "topsecret",
    "your-256-bit-secret",
    "your-secret",
    "your_secret",
    "yoursecret",
];

/// What a person appends to a sample to make it long enough, lower-cased.
const FILLERS: &[&str] = &[
    "0123456789",
    "1234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "key",
    "-key",
    "_key",
    "secret",
    "-secret",
    "_secret",
    "changeme",
    "change-me",
    "-change-me",
    "_change_me",
    "in-production",
    "-in-production",
    "_in_production",
    "please",
    "-please",
    "jwt",
    "-jwt",
    "token",
    "-token",
    "password",
    "key-here",
    "-for-jwt",
    "-here",
    "123",
    "!",
    "-",
    "_",
];

/// A shared HS256 secret: at least 32 bytes, not a known sample, wiped from memory on drop, never printed.
///
/// ```
/// use auth_core::{Error, Secret};
///
/// let secret = Secret::new("wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P")?;
/// assert_eq!(format!("{secret:?}"), "Secret([redacted])");
/// assert!(Secret::new("too short").is_err());
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes the bytes as they are: a text is used as its UTF-8, not decoded from hex or base64.
    ///
    /// # Errors
    ///
    /// [`Error::WeakSecret`] below 32 bytes (RFC 7518 § 3.2), for fewer than 6 different bytes, and for a known
    /// sample (`secret`, `changeme`, …) padded or repeated to any length.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, Error> {
        let secret = Self(bytes.into());
        match secret.weakness() {
            None => Ok(secret),
            Some(why) => Err(Error::WeakSecret(why)),
        }
    }

    /// A new secret: 32 random bytes as 43 characters of base64url.
    ///
    /// # Errors
    ///
    /// [`Error::Crypto`] if the operating system gives no random bytes.
    pub fn generate() -> Result<Self, Error> {
        crate::jws::random_text::<32>().map(|text| Self(text.into_bytes()))
    }

    /// The raw key. Do not log it, do not send it.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    fn weakness(&self) -> Option<&'static str> {
        if self.0.len() < MIN_BYTES {
            Some("the secret is shorter than 32 bytes; make one with: openssl rand -base64 48")
        } else if is_known_sample(&self.0) {
            Some("the secret is a well-known sample; make one with: openssl rand -base64 48")
        } else if distinct_bytes(&self.0) < MIN_DISTINCT_BYTES {
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

fn distinct_bytes(bytes: &[u8]) -> usize {
    let mut seen = [false; 256];
    for byte in bytes {
        if let Some(slot) = seen.get_mut(usize::from(*byte)) {
            *slot = true;
        }
    }
    seen.iter().filter(|seen| **seen).count()
}

fn is_known_sample(bytes: &[u8]) -> bool {
    let mut text = bytes.to_ascii_lowercase();
    let known = SAMPLES.iter().any(|sample| {
        let sample = sample.as_bytes();
        let after = text.strip_prefix(sample);
        let before = text.strip_suffix(sample);
        after.is_some_and(|rest| is_padding(rest, sample))
            || before.is_some_and(|rest| is_padding(rest, sample))
    });
    text.zeroize();
    known
}

/// Nothing, one byte over and over, or a filler or the sample itself over and over (the last one may be cut off).
fn is_padding(rest: &[u8], sample: &[u8]) -> bool {
    distinct_bytes(rest) <= 2
        || repeats(rest, sample)
        || FILLERS.iter().any(|filler| {
            let filler = filler.as_bytes();
            repeats(rest, filler)
                || rest
                    .strip_prefix(filler)
                    .is_some_and(|rest| distinct_bytes(rest) <= 2 || repeats(rest, b"1234567890"))
        })
}

fn repeats(text: &[u8], unit: &[u8]) -> bool {
    text.iter().eq(unit.iter().cycle().take(text.len()))
}

#[cfg(test)]
mod tests {
    use super::{SAMPLES, Secret};
    use crate::Error;

    const GOOD: &str = "wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P";

    #[test]
    fn the_limit_is_32_bytes() {
        assert!(Secret::new(GOOD.get(..31).unwrap()).is_err());
        assert!(Secret::new(GOOD).is_ok());
        assert!(Secret::new(format!("{GOOD}x")).is_ok());
    }

    #[test]
    fn the_refusal_says_how_to_make_one_and_does_not_repeat_the_secret() {
        let error = Secret::new("hunter2").unwrap_err();
        assert!(error.to_string().contains("openssl rand -base64 48"));
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }

    #[test]
    fn every_sample_is_refused_however_it_is_padded() {
        for sample in SAMPLES {
            for padded in [
                sample.repeat(40),
                format!("{sample}{}", "0".repeat(64)),
                format!("{sample}{}", "\0".repeat(64)),
                format!("{}{sample}", "x".repeat(64)),
                format!("{sample}{}", "1234567890".repeat(6)),
                format!("{}{}", sample.to_uppercase(), "!".repeat(40)),
            ] {
                assert!(
                    matches!(Secret::new(padded.clone()), Err(Error::WeakSecret(_))),
                    "{padded}"
                );
            }
        }
    }

    #[test]
    fn few_different_bytes_are_refused() {
        assert!(Secret::new("abcde".repeat(20)).is_err());
        assert!(Secret::new(vec![0; 64]).is_err());
    }

    #[test]
    fn a_random_secret_that_begins_like_a_sample_is_accepted() {
        assert!(Secret::new("secretwJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P").is_ok());
    }

    #[test]
    fn generated_secrets_are_accepted_and_differ() {
        let (a, b) = (Secret::generate().unwrap(), Secret::generate().unwrap());
        assert_ne!(a.expose(), b.expose());
        assert!(Secret::new(a.expose()).is_ok());
    }

    #[test]
    fn a_secret_never_prints() {
        assert_eq!(
            format!("{:?}", Secret::new(GOOD).unwrap()),
            "Secret([redacted])"
        );
    }
}

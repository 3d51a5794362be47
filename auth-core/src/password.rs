//! Feature `password`: bcrypt with nothing truncated.
//!
//! bcrypt alone reads 72 bytes and stops at NUL. Here a password is normalised (NFKC); above 71 bytes, or with a NUL
//! inside, it is first reduced to `base64(HMAC-SHA-384("auth-core password v1", password))`, standard alphabet, 64
//! characters; then hashed as `$2b$`. Any bcrypt implementation can check such a hash with these two steps.
//!
//! [`Password::hash`], [`PasswordAttempt::matches`] and [`PasswordAttempt::rehash`] each take the time of one bcrypt,
//! about a quarter of a second at cost 12: keep them off async threads.
//!
//! Hashes of other programs are checked as those programs did, and are due for a hash of today's kind at once
//! ([`PasswordHash::needs_rehash`]): plain bcrypt (`$2a$`, `$2y$`), and the scrypt of Better Auth. scrypt takes 32 MiB and
//! another time than bcrypt does, about 80 ms; so does plain bcrypt for a password over 71 bytes or not in NFKC, which is
//! compared twice. Until the first login such an account can therefore be told from an unknown address by the time of the
//! answer.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha384;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::Error;

mod hash;
mod scrypt;
pub use hash::{Cost, PasswordHash};

const REDUCTION_KEY: &[u8] = b"auth-core password v1";
/// bcrypt reads 72 bytes, the last of which is the terminating NUL.
const BCRYPT_MAX_BYTES: usize = 71;
const MIN_CHARS: usize = 8;
const MAX_CHARS: usize = 128;
/// How Better Auth measures a password, as it was typed.
const MAX_UTF16_UNITS: usize = 128;
/// The most that one UTF-16 unit becomes in NFKC: U+FDFA, 18 characters of 33 bytes together.
const MAX_BYTES_OF_A_UNIT: usize = 33;
/// More than 128 characters ever need in any normalisation form; longer input is refused before it is normalised.
const MAX_INPUT_BYTES: usize = 4096;
const TOO_LONG: Error = Error::UnacceptablePassword("must be at most 128 characters");

/// A password that may be set: 8 to 128 characters (code points) after NFKC.
pub struct Password(PasswordAttempt);

impl Password {
    /// Normalises and measures it.
    ///
    /// # Errors
    ///
    /// [`Error::UnacceptablePassword`] below 8 or above 128 characters.
    pub fn new(text: &str) -> Result<Self, Error> {
        let password = PasswordAttempt::new(text)?;
        match password.normalised().chars().count() {
            0..MIN_CHARS => Err(Error::UnacceptablePassword("must be at least 8 characters")),
            MIN_CHARS..=MAX_CHARS => Ok(Self(password)),
            _ => Err(TOO_LONG),
        }
    }

    /// The password in NFKC, as it is hashed: to compare it with a list of passwords that are too well known.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.normalised()
    }

    /// Hashes it with a fresh salt.
    ///
    /// # Errors
    ///
    /// [`Error::Crypto`] if the operating system gives no random bytes.
    pub fn hash(&self, cost: Cost) -> Result<PasswordHash, Error> {
        PasswordHash::of(&self.0.reduced(), cost)
    }
}

/// A password that somebody typed to log in: 1 to 128 characters after NFKC. Shorter ones than may be set are
/// let through to the comparison, so that a wrong password is one answer and one duration; so is whatever had at most
/// 128 UTF-16 code units as typed, which is what Better Auth accepted.
pub struct PasswordAttempt {
    /// As typed, and then in NFKC: one buffer to wipe.
    both: Zeroizing<String>,
    typed_bytes: usize,
}

impl PasswordAttempt {
    /// Normalises and measures it.
    ///
    /// # Errors
    ///
    /// [`Error::UnacceptablePassword`] when empty or above 128 characters.
    pub fn new(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(Error::UnacceptablePassword("must not be empty"));
        }
        if text.len() > MAX_INPUT_BYTES {
            return Err(TOO_LONG);
        }
        let units = text.encode_utf16().count();
        // One character more than is allowed, at four bytes each, is enough to see that a text is too long.
        let (chars, bytes) = if units <= MAX_UTF16_UNITS {
            (usize::MAX, units * MAX_BYTES_OF_A_UNIT)
        } else {
            (MAX_CHARS, 4 * (MAX_CHARS + 1))
        };
        // Growing would leave copies of the password behind that nobody wipes.
        let mut both = Zeroizing::new(String::with_capacity(text.len() + bytes));
        both.push_str(text);
        both.extend(text.nfkc().take(chars.saturating_add(1)));
        let attempt = Self {
            both,
            typed_bytes: text.len(),
        };
        if attempt.normalised().chars().count() > chars {
            return Err(TOO_LONG);
        }
        Ok(attempt)
    }

    /// Whether this is the password behind `hash`. Takes as long for a wrong one as for the right one.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidPasswordHash`] if `hash` cannot be checked.
    pub fn matches(&self, hash: &PasswordHash) -> Result<bool, Error> {
        hash.verify(self)
    }

    /// Hashes an attempt that matched, for a stored hash that [needs it](PasswordHash::needs_rehash). It may be shorter
    /// than a new password may be: the rules may have changed since it was set.
    ///
    /// # Errors
    ///
    /// [`Error::Crypto`] if the operating system gives no random bytes.
    pub fn rehash(&self, cost: Cost) -> Result<PasswordHash, Error> {
        PasswordHash::of(&self.reduced(), cost)
    }

    fn typed(&self) -> &str {
        self.both.get(..self.typed_bytes).unwrap_or_default()
    }

    fn normalised(&self) -> &str {
        self.both.get(self.typed_bytes..).unwrap_or_default()
    }

    fn reduced(&self) -> Zeroizing<Vec<u8>> {
        let bytes = self.normalised().as_bytes();
        if bytes.len() <= BCRYPT_MAX_BYTES && !bytes.contains(&0) {
            return Zeroizing::new(bytes.to_vec());
        }
        // HMAC takes keys of every length, so the default is never used.
        let digest = Hmac::<Sha384>::new_from_slice(REDUCTION_KEY)
            .map(|mac| mac.chain_update(bytes).finalize().into_bytes())
            .unwrap_or_default();
        Zeroizing::new(STANDARD.encode(digest).into_bytes())
    }
}

/// It passed the stricter rules, so it may be compared too.
impl From<Password> for PasswordAttempt {
    fn from(password: Password) -> Self {
        password.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password([redacted])")
    }
}

impl fmt::Debug for PasswordAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordAttempt([redacted])")
    }
}

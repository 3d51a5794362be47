//! Hashes and verifies passwords with bcrypt, without truncation. Requires the feature `password`.
//!
//! A password is first normalised (NFKC). bcrypt itself reads 72 bytes, and many implementations stop at NUL. If the
//! normalised password has more than 71 bytes or a NUL, `base64(HMAC-SHA-384("auth-core password v1", password))`
//! replaces it: 64 characters of the standard alphabet. bcrypt hashes the result as `$2b$`. After these steps any
//! bcrypt library can verify the hash.
//!
//! [`Password::hash`], [`PasswordAttempt::matches`] and [`PasswordAttempt::rehash`] usually take the time of one
//! bcrypt, about a quarter of a second at cost 12. Do not call these functions on an async thread.
//!
//! Hashes of other programs are verified, and need a rehash at the next login ([`PasswordHash::needs_rehash`]): plain
//! bcrypt (`$2a$`, `$2y$`) and the scrypt of Better Auth. scrypt takes 32 MiB and about 80 ms. Plain bcrypt takes two
//! verifications if the password has more than 71 bytes, is not in NFKC or contains NUL.
//!
//! [`PasswordAttempt::matches_no_faster_than`] makes a wrong password for a cheaper hash take at least as long as one
//! bcrypt of the given cost. Limitation: if the check of a hash takes longer than that (for example, because its cost
//! is higher), the response time distinguishes the account from an unknown email address until the next successful
//! login.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha384;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::Error;

mod hash;
mod padding;
mod scrypt;
pub use hash::{Cost, PasswordHash};

/// The public HMAC key for passwords that bcrypt might truncate. The key separates this use of HMAC from other uses.
const PASSWORD_HMAC_KEY: &[u8] = b"auth-core password v1";
/// The longest input of this crate's bcrypt hashes, in bytes: bcrypt reads 72 bytes, and the last is a terminating NUL.
const BCRYPT_MAX_BYTES: usize = 71;
/// The shortest new password, in code points after NFKC.
const MIN_CHARS: usize = 8;
/// The longest new password, in code points after NFKC. An attempt may be longer if it has at most [`MAX_UTF16_UNITS`].
const MAX_CHARS: usize = 128;
/// The longest password that Better Auth accepts, in UTF-16 code units as typed.
const MAX_UTF16_UNITS: usize = 128;
/// The most UTF-8 bytes that one UTF-16 code unit becomes in NFKC. U+FDFA becomes 15 Arabic letters of 2 bytes and 3
/// spaces.
const MAX_NFKC_BYTES_PER_UNIT: usize = 33;
/// The longest password as typed, in bytes. A password of 128 characters after NFKC has far fewer bytes as typed.
const MAX_INPUT_BYTES: usize = 4096;
const TOO_LONG: Error = Error::UnacceptablePassword("must be at most 128 characters");

/// A new password: 8 to 128 characters (code points) after NFKC.
pub struct Password(PasswordAttempt);

impl Password {
    /// Normalises a password and checks its length.
    ///
    /// # Errors
    ///
    /// [`Error::UnacceptablePassword`] for fewer than 8 or more than 128 characters.
    pub fn new(text: &str) -> Result<Self, Error> {
        let attempt = PasswordAttempt::new(text)?;
        match attempt.normalised().chars().count() {
            0..MIN_CHARS => Err(Error::UnacceptablePassword("must be at least 8 characters")),
            MIN_CHARS..=MAX_CHARS => Ok(Self(attempt)),
            _ => Err(TOO_LONG),
        }
    }

    /// Returns the password in NFKC, for comparison with a list of common passwords.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.normalised()
    }

    /// Hashes the password with a new salt. Takes the time of one bcrypt.
    ///
    /// # Errors
    ///
    /// [`Error::Crypto`] if the operating system returns no random bytes.
    pub fn hash(&self, cost: Cost) -> Result<PasswordHash, Error> {
        PasswordHash::of(&self.0.bcrypt_input(), cost)
    }
}

/// A password typed at login: 1 to 128 characters after NFKC, or at most 128 UTF-16 code units as typed (the limit of
/// Better Auth).
///
/// An attempt may be shorter than a new password, so that a short wrong password has the usual response time.
pub struct PasswordAttempt {
    /// The password as typed, followed by its NFKC form, in one buffer that is wiped on drop.
    buffer: Zeroizing<String>,
    typed_bytes: usize,
}

impl PasswordAttempt {
    /// Normalises a password and checks its length.
    ///
    /// # Errors
    ///
    /// [`Error::UnacceptablePassword`] if the password is empty, or exceeds both 128 characters after NFKC and 128
    /// UTF-16 code units as typed.
    pub fn new(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(Error::UnacceptablePassword("must not be empty"));
        }
        if text.len() > MAX_INPUT_BYTES {
            return Err(TOO_LONG);
        }
        let utf16_units = text.encode_utf16().count();
        // Normalisation stops one character above `max_chars`. A character has at most four bytes in UTF-8.
        let (max_chars, nfkc_capacity) = if utf16_units <= MAX_UTF16_UNITS {
            (usize::MAX, utf16_units * MAX_NFKC_BYTES_PER_UNIT)
        } else {
            (MAX_CHARS, 4 * (MAX_CHARS + 1))
        };
        // The buffer never grows, because a growing buffer would leave copies of the password in memory.
        let mut buffer = Zeroizing::new(String::with_capacity(text.len() + nfkc_capacity));
        buffer.push_str(text);
        buffer.extend(text.nfkc().take(max_chars.saturating_add(1)));
        let attempt = Self {
            buffer,
            typed_bytes: text.len(),
        };
        if attempt.normalised().chars().count() > max_chars {
            return Err(TOO_LONG);
        }
        Ok(attempt)
    }

    /// Returns whether the password matches `hash`. Takes as long for a wrong password as for the correct one.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidPasswordHash`] if `hash` cannot be verified.
    pub fn matches(&self, hash: &PasswordHash) -> Result<bool, Error> {
        hash.verify(self)
    }

    /// Hashes an attempt that matched a hash which [needs a rehash](PasswordHash::needs_rehash). The attempt may be
    /// shorter than 8 characters, because another program may have accepted a shorter password. Takes the time of one
    /// bcrypt.
    ///
    /// # Errors
    ///
    /// [`Error::Crypto`] if the operating system returns no random bytes.
    pub fn rehash(&self, cost: Cost) -> Result<PasswordHash, Error> {
        PasswordHash::of(&self.bcrypt_input(), cost)
    }

    fn as_typed(&self) -> &str {
        self.buffer.get(..self.typed_bytes).unwrap_or_default()
    }

    fn normalised(&self) -> &str {
        self.buffer.get(self.typed_bytes..).unwrap_or_default()
    }

    /// Returns the input of bcrypt: the password in NFKC, or its HMAC in base64 if bcrypt might truncate the password.
    fn bcrypt_input(&self) -> Zeroizing<Vec<u8>> {
        let bytes = self.normalised().as_bytes();
        if bytes.len() <= BCRYPT_MAX_BYTES && !bytes.contains(&0) {
            return Zeroizing::new(bytes.to_vec());
        }
        // HMAC accepts keys of every length, so `unwrap_or_default` never returns the default.
        let digest = Hmac::<Sha384>::new_from_slice(PASSWORD_HMAC_KEY)
            .map(|mac| mac.chain_update(bytes).finalize().into_bytes())
            .unwrap_or_default();
        Zeroizing::new(STANDARD.encode(digest).into_bytes())
    }
}

/// A valid new password is also a valid attempt.
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

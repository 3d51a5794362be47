//! Parses, creates and verifies stored password hashes, of this crate and of other programs.

use std::fmt;

use super::{PasswordAttempt, scrypt};
use crate::Error;

/// The prefix of this crate's hashes, which cover the complete password.
const CRATE_PREFIX: &str = "$2b$";
/// A prefix of plain bcrypt, which other programs write.
const PLAIN_BCRYPT_PREFIX: &str = "$2y$";
/// The most bytes of a password that plain bcrypt reads.
const PLAIN_BCRYPT_MAX_BYTES: usize = 72;
/// The length of a bcrypt hash, in characters: `$2b$`, two digits of cost, `$`, 22 of salt, 31 of digest.
const BCRYPT_HASH_CHARS: usize = 60;

/// The bcrypt cost, 4 to 15: 2^cost rounds. Defaults to 12; below 10 is for tests only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cost(u32);

impl Cost {
    /// Creates a cost from the exponent.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] outside 4 to 15.
    pub const fn new(exponent: u32) -> Result<Self, Error> {
        match exponent {
            4..=15 => Ok(Self(exponent)),
            _ => Err(Error::InvalidSetting("the bcrypt cost must be 4 to 15")),
        }
    }

    /// Returns the exponent.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Default for Cost {
    fn default() -> Self {
        Self(12)
    }
}

/// A well-formed hash that takes a bounded time to verify: bcrypt in modular crypt format, 60 characters, of cost 4 to
/// 15, or Better Auth's `<salt>:<key>`, 161 characters, with fixed scrypt parameters.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Parses the text that [`as_str`](Self::as_str) returns: `$2b$` is a hash of this crate, `$2a$` and `$2y$` are
    /// plain bcrypt, `<salt>:<key>` is a hash of Better Auth.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidPasswordHash`] for any other text, and for a cost outside 4 to 15: a higher cost takes too long.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let hash = Self(text.to_owned());
        if scrypt::is_well_formed(text) {
            return Ok(hash);
        }
        let has_known_prefix = [CRATE_PREFIX, "$2a$", PLAIN_BCRYPT_PREFIX]
            .iter()
            .any(|prefix| text.starts_with(prefix));
        let has_bcrypt_length = text.len() == BCRYPT_HASH_CHARS && text.is_ascii();
        let is_bcrypt = has_bcrypt_length && has_known_prefix && hash.cost().is_some();
        if !is_bcrypt || text.parse::<bcrypt::HashParts>().is_err() {
            return Err(Error::InvalidPasswordHash);
        }
        Ok(hash)
    }

    /// Parses a hash of another program, where `$2b$` means plain bcrypt of the first 72 bytes of the password as
    /// typed. That prefix becomes `$2y$`, so that the hash is not mistaken for one of this crate.
    ///
    /// # Errors
    ///
    /// The errors of [`parse`](Self::parse).
    pub fn import(text: &str) -> Result<Self, Error> {
        let hash = Self::parse(text)?;
        Ok(match text.strip_prefix(CRATE_PREFIX) {
            Some(suffix) => Self([PLAIN_BCRYPT_PREFIX, suffix].concat()),
            None => hash,
        })
    }

    /// Returns a hash that matches no password and takes as long to verify as a hash of this crate with this cost.
    /// Verify an attempt against this hash if the user is unknown, so that the response time does not reveal whether
    /// the user exists.
    #[must_use]
    pub fn unmatchable(cost: Cost) -> Self {
        Self(format!(
            "{CRATE_PREFIX}{:02}${}",
            cost.get(),
            "e".repeat(BCRYPT_HASH_CHARS - 7)
        ))
    }

    /// Hashes the input of bcrypt, at most 71 bytes, with a new salt.
    pub(super) fn of(input: &[u8], cost: Cost) -> Result<Self, Error> {
        bcrypt::non_truncating_hash(input, cost.get())
            .map(Self)
            .map_err(|_no_random_bytes| Error::Crypto)
    }

    /// Verifies an attempt. For plain bcrypt, tries the input that this crate passes to bcrypt and, if different, the
    /// password as typed.
    pub(super) fn verify(&self, attempt: &PasswordAttempt) -> Result<bool, Error> {
        if scrypt::is_well_formed(&self.0) {
            return scrypt::verify(attempt.normalised().as_bytes(), &self.0);
        }
        let input = attempt.bcrypt_input();
        let matches = self.verify_bcrypt(&input)?;
        if !self.is_verified_twice(attempt) {
            return Ok(matches);
        }
        // The second input is verified even if the first matches: a correct password takes as long as a wrong one.
        Ok(self.verify_bcrypt(plain_bcrypt_input(attempt))? | matches)
    }

    /// Returns whether [`verify`](Self::verify) runs bcrypt twice: the hash is plain bcrypt, and the password as typed
    /// differs from the input that this crate passes to bcrypt, because the password is not in NFKC, has more than 71
    /// bytes or contains NUL.
    pub(super) fn is_verified_twice(&self, attempt: &PasswordAttempt) -> bool {
        let is_plain_bcrypt = !self.0.starts_with(CRATE_PREFIX) && !scrypt::is_well_formed(&self.0);
        is_plain_bcrypt && plain_bcrypt_input(attempt) != attempt.bcrypt_input().as_slice()
    }

    pub(super) fn verify_bcrypt(&self, input: &[u8]) -> Result<bool, Error> {
        #[cfg(test)]
        super::padding::tests::count_rounds(self.cost());
        bcrypt::verify(input, &self.0).map_err(|_malformed| Error::InvalidPasswordHash)
    }

    /// Returns whether the hash is from another program or not of this cost. If so, hash the password again at the next
    /// successful login ([`PasswordAttempt::rehash`]).
    #[must_use]
    pub fn needs_rehash(&self, cost: Cost) -> bool {
        !self.0.starts_with(CRATE_PREFIX) || self.cost() != Some(cost)
    }

    /// Returns the text to store.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the two digits at the position of the bcrypt cost, even in a scrypt hash; `None` unless 4 to 15.
    pub(super) fn cost(&self) -> Option<Cost> {
        let digits = self.0.get(4..6)?;
        // `str::parse` also accepts a sign, such as `+9`.
        let are_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
        Cost::new(digits.parse().ok().filter(|_| are_digits)?).ok()
    }
}

/// Returns the bytes of an attempt that plain bcrypt reads: the first 72, as typed.
fn plain_bcrypt_input(attempt: &PasswordAttempt) -> &[u8] {
    let bytes = attempt.as_typed().as_bytes();
    bytes.get(..PLAIN_BCRYPT_MAX_BYTES).unwrap_or(bytes)
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash([redacted])")
    }
}

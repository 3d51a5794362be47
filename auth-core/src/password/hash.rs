//! A stored hash: ours, or what another program left.

use std::fmt;

use super::{PasswordAttempt, scrypt};
use crate::Error;

/// Ours: nothing truncated.
const PREFIX: &str = "$2b$";
/// Of other programs: plain bcrypt.
const PLAIN: &str = "$2y$";
/// What plain bcrypt reads of a password.
const PLAIN_BYTES: usize = 72;
/// `$2b$` + two digits + `$` + 22 characters of salt + 31 of digest.
const LENGTH: usize = 60;

/// The bcrypt cost: 2^cost rounds. 4 to 15; below 10 is for tests only. Defaults to 12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cost(u32);

impl Cost {
    /// Takes the exponent.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] outside 4 to 15.
    pub const fn new(cost: u32) -> Result<Self, Error> {
        match cost {
            4..=15 => Ok(Self(cost)),
            _ => Err(Error::InvalidSetting("the bcrypt cost must be 4 to 15")),
        }
    }

    /// The exponent.
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

/// A hash that can be checked in bounded time, known to be well formed: bcrypt in modular crypt format, 60 characters, of
/// cost 4 to 15, or Better Auth's `<salt>:<key>`, 161 characters, whose scrypt parameters are always the same.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes a hash as [`as_str`](Self::as_str) gave it: `$2b$` is ours, `$2a$` and `$2y$` are plain bcrypt,
    /// `<salt>:<key>` is Better Auth's.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidPasswordHash`] for anything else, and for a cost above 15, which would stall the host.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let hash = Self(text.to_owned());
        if scrypt::is_well_formed(text) {
            return Ok(hash);
        }
        let known = [PREFIX, "$2a$", PLAIN]
            .iter()
            .any(|prefix| text.starts_with(prefix));
        let well_formed = text.len() == LENGTH && text.is_ascii() && known && hash.cost().is_some();
        if !well_formed || text.parse::<bcrypt::HashParts>().is_err() {
            return Err(Error::InvalidPasswordHash);
        }
        Ok(hash)
    }

    /// Takes a hash that another program made. What it calls `$2b$` is plain bcrypt, of the first 72 bytes as they were
    /// typed, and is kept as `$2y$` so that it is not taken for one of ours.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn import(text: &str) -> Result<Self, Error> {
        let hash = Self::parse(text)?;
        Ok(match text.strip_prefix(PREFIX) {
            Some(rest) => Self([PLAIN, rest].concat()),
            None => hash,
        })
    }

    /// A hash that no password is behind and that costs as much to check as a real one: what an unknown user is
    /// compared with, so that being unknown takes no less time.
    #[must_use]
    pub fn unmatchable(cost: Cost) -> Self {
        Self(format!(
            "{PREFIX}{:02}${}",
            cost.get(),
            "e".repeat(LENGTH - 7)
        ))
    }

    pub(super) fn of(password: &[u8], cost: Cost) -> Result<Self, Error> {
        bcrypt::non_truncating_hash(password, cost.get())
            .map(Self)
            .map_err(|_no_random_bytes| Error::Crypto)
    }

    pub(super) fn verify(&self, attempt: &PasswordAttempt) -> Result<bool, Error> {
        if scrypt::is_well_formed(&self.0) {
            return scrypt::verify(attempt.normalised().as_bytes(), &self.0);
        }
        let reduced = attempt.reduced();
        let as_ours = self.verify_bcrypt(&reduced)?;
        if !self.is_compared_twice(attempt) {
            return Ok(as_ours);
        }
        // Neither is left out because the other matches: a wrong password takes no longer than a right one.
        Ok(self.verify_bcrypt(plain(attempt))? | as_ours)
    }

    /// Plain bcrypt may have hashed what was typed or what NFKC makes of it.
    pub(super) fn is_compared_twice(&self, attempt: &PasswordAttempt) -> bool {
        let is_plain = !self.0.starts_with(PREFIX) && !scrypt::is_well_formed(&self.0);
        is_plain && plain(attempt) != attempt.reduced().as_slice()
    }

    pub(super) fn verify_bcrypt(&self, password: &[u8]) -> Result<bool, Error> {
        #[cfg(test)]
        super::padding::tests::count(self.cost());
        bcrypt::verify(password, &self.0).map_err(|_malformed| Error::InvalidPasswordHash)
    }

    /// Whether it was made with other parameters than today's; hash again at the next successful login.
    #[must_use]
    pub fn needs_rehash(&self, today: Cost) -> bool {
        !self.0.starts_with(PREFIX) || self.cost() != Some(today)
    }

    /// The text to store.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn cost(&self) -> Option<Cost> {
        let digits = self.0.get(4..6)?;
        // `parse` would take a sign.
        let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
        Cost::new(digits.parse().ok().filter(|_| all_digits)?).ok()
    }
}

/// What plain bcrypt reads of an attempt.
fn plain(attempt: &PasswordAttempt) -> &[u8] {
    let typed = attempt.typed().as_bytes();
    typed.get(..PLAIN_BYTES).unwrap_or(typed)
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash([redacted])")
    }
}

//! A stored bcrypt hash and its cost.

use std::fmt;

use crate::Error;

const PREFIX: &str = "$2b$";
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

/// A bcrypt hash in modular crypt format, 60 characters, known to be well formed and of cost 4 to 15.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes a stored hash: `$2b$`, and `$2a$` or `$2y$` from elsewhere.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidPasswordHash`] for anything else, and for a cost above 15, which would stall the host.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let hash = Self(text.to_owned());
        let known = ["$2b$", "$2a$", "$2y$"]
            .iter()
            .any(|prefix| text.starts_with(prefix));
        let well_formed = text.len() == LENGTH && text.is_ascii() && known && hash.cost().is_some();
        if !well_formed || text.parse::<bcrypt::HashParts>().is_err() {
            return Err(Error::InvalidPasswordHash);
        }
        Ok(hash)
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

    pub(super) fn verify(&self, password: &[u8]) -> Result<bool, Error> {
        bcrypt::non_truncating_verify(password, &self.0)
            .map_err(|_malformed| Error::InvalidPasswordHash)
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

    fn cost(&self) -> Option<Cost> {
        let digits = self.0.get(4..6)?;
        // `parse` would take a sign.
        let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
        Cost::new(digits.parse().ok().filter(|_| all_digits)?).ok()
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash([redacted])")
    }
}

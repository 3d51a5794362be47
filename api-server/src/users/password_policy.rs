//! Decides which passwords may be set. A password is checked when a user chooses it, but not at login.

use auth_core::password::Password;

use super::blocklist::Blocklist;
use crate::problem::violation::FieldViolation;

/// A new password that the policy accepted. The hasher accepts no other type of new password.
pub(crate) struct ChosenPassword(Password);

impl ChosenPassword {
    pub(crate) fn into_password(self) -> Password {
        self.0
    }
}

/// The lists of passwords that may not be set.
pub(crate) struct PasswordPolicy {
    common_list: Blocklist,
    operator_list: Blocklist,
}

impl PasswordPolicy {
    pub(crate) const fn new(operator_list: Blocklist) -> Self {
        Self {
            common_list: Blocklist::common(),
            operator_list,
        }
    }

    /// Accepts a password that is on neither list. No other function makes a [`ChosenPassword`].
    pub(crate) fn accept(&self, password: Password) -> Result<ChosenPassword, FieldViolation> {
        if self.common_list.contains(&password) || self.operator_list.contains(&password) {
            return Err(COMMON_PASSWORD_VIOLATION);
        }
        Ok(ChosenPassword(password))
    }
}

/// Checks a password against the built-in list alone. This check needs no settings, so its violation is reported
/// together with the violations of other fields.
pub(crate) fn reject_common(password: &Password) -> Result<(), FieldViolation> {
    if Blocklist::common().contains(password) {
        return Err(COMMON_PASSWORD_VIOLATION);
    }
    Ok(())
}

const COMMON_PASSWORD_VIOLATION: FieldViolation = FieldViolation::new(
    "common_password",
    "is one of the passwords that are guessed first; choose another",
);

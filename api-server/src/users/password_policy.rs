//! Which passwords may be set. Checked when a user chooses a password; not at login, and not for imported hashes.

use auth_core::password::Password;

use super::blocklist::Blocklist;
use crate::problem::violation::FieldViolation;

/// A new password that the policy accepted. The hasher accepts only this type, so no unchecked password is hashed.
pub(crate) struct ChosenPassword(Password);

impl ChosenPassword {
    pub(crate) fn into_password(self) -> Password {
        self.0
    }
}

/// The passwords that may not be set: the built-in list and the operator's list.
pub(crate) struct PasswordPolicy {
    common: Blocklist,
    operator_list: Blocklist,
}

impl PasswordPolicy {
    pub(crate) const fn new(operator_list: Blocklist) -> Self {
        Self {
            common: Blocklist::common(),
            operator_list,
        }
    }

    /// Accepts a password that is on neither list. No other function makes a [`ChosenPassword`].
    pub(crate) fn choose(&self, password: Password) -> Result<ChosenPassword, FieldViolation> {
        if self.common.contains(&password) || self.operator_list.contains(&password) {
            return Err(COMMON);
        }
        Ok(ChosenPassword(password))
    }
}

/// Checks the built-in list alone. This needs no settings, so the violation is reported together with those of other
/// fields.
pub(crate) fn common_rule(password: &Password) -> Result<(), FieldViolation> {
    if Blocklist::common().contains(password) {
        return Err(COMMON);
    }
    Ok(())
}

const COMMON: FieldViolation = FieldViolation::new(
    "common_password",
    "is one of the passwords that are guessed first; choose another",
);

//! Which passwords may be set. Checked wherever one is chosen; never at login, and not for imported hashes.

use auth_core::password::Password;

use super::blocklist::Blocklist;
use crate::problem::violation::FieldViolation;

/// What the hasher takes for a new hash: a password that the policy let through.
pub(crate) struct ChosenPassword(Password);

impl ChosenPassword {
    pub(crate) fn into_password(self) -> Password {
        self.0
    }
}

/// The built-in list of common passwords and the operator's.
pub(crate) struct PasswordPolicy {
    common: Blocklist,
    operators: Blocklist,
}

impl PasswordPolicy {
    pub(crate) const fn new(operators: Blocklist) -> Self {
        Self {
            common: Blocklist::common(),
            operators,
        }
    }

    /// The only way to a password that can be stored.
    pub(crate) fn choose(&self, password: Password) -> Result<ChosenPassword, FieldViolation> {
        if self.common.contains(&password) || self.operators.contains(&password) {
            return Err(COMMON);
        }
        Ok(ChosenPassword(password))
    }
}

/// What is known without settings, so that it is reported together with everything else that is wrong in a body.
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

//! Reads the secrets again while the server runs. Changes of other settings need a restart.

use std::path::Path;

use auth_core::Keyring;
use clap::ArgMatches;
use clap::parser::ValueSource;

use super::dotenv::{self, ENV_FILE};
use super::parse::ProblemCollector;
use super::{SettingProblems, Settings};

const SECRET_VARIABLE: &str = "AUTH_SECRET";
const PREVIOUS_SECRETS_VARIABLE: &str = "AUTH_SECRETS_PREVIOUS";

/// Records which secrets a flag or the environment of the process has set. Only a restart can change these secrets.
#[derive(Clone, Copy, Default)]
pub(super) struct FixedSecrets {
    has_auth_secret: bool,
    has_previous_secrets: bool,
}

impl FixedSecrets {
    pub(super) fn from_environment() -> Self {
        let is_set = |name| std::env::var_os(name).is_some();
        Self {
            has_auth_secret: is_set(SECRET_VARIABLE),
            has_previous_secrets: is_set(PREVIOUS_SECRETS_VARIABLE),
        }
    }

    pub(super) fn add_flags(&mut self, matches: &ArgMatches) {
        let is_flag = |id| matches.value_source(id) == Some(ValueSource::CommandLine);
        self.has_auth_secret |= is_flag("auth_secret");
        self.has_previous_secrets |= is_flag("auth_secrets_previous");
    }
}

impl Settings {
    /// Reads the secrets again, from `.env` or the secret file beside a SQLite database. A secret that a flag or the
    /// environment has set does not change.
    ///
    /// # Errors
    ///
    /// If `.env` cannot be read, a secret is invalid or no current secret exists. Also if flags or the environment set
    /// both `AUTH_SECRET` and `AUTH_SECRETS_PREVIOUS`, because then no file can change the secrets.
    pub fn reread_keyring(&self) -> Result<Keyring, SettingProblems> {
        let mut problems = ProblemCollector::default();
        if self.fixed_secrets.has_auth_secret && self.fixed_secrets.has_previous_secrets {
            problems.record_error(SECRET_VARIABLE, Err(restart_remedy()));
            return problems.finish(|| None);
        }
        let Some(entries) = problems.ok_or_record(ENV_FILE, dotenv::read(Path::new(ENV_FILE)))
        else {
            return problems.finish(|| None);
        };
        let find_value = |variable: &str| {
            let entry = entries.iter().find(|(name, _)| name == variable);
            entry.map(|(_, value)| value.clone())
        };
        let mut updated_settings = self.clone();
        if !self.fixed_secrets.has_auth_secret {
            updated_settings.auth_secret = find_value(SECRET_VARIABLE);
        }
        if !self.fixed_secrets.has_previous_secrets {
            updated_settings.auth_secrets_previous = find_value(PREVIOUS_SECRETS_VARIABLE);
        }
        let secrets = updated_settings.read_secrets(&mut problems);
        problems.finish(|| Some(secrets?.into_keyring()))
    }
}

fn restart_remedy() -> String {
    "was set by a flag or the environment when the server started, and so was AUTH_SECRETS_PREVIOUS; these cannot be \
     read again: write both into .env, or restart"
        .to_owned()
}

//! Reads the secrets and the key files again while the server runs. Changes of other settings need a restart.

use std::path::Path;

use clap::ArgMatches;
use clap::parser::ValueSource;

use super::dotenv::{self, ENV_FILE};
use super::parse::ProblemCollector;
use super::{SettingProblems, Settings};
use crate::sessions::token_keys::TokenKeys;

/// A setting that is read again: its variable, the id of its flag, and its field.
struct RereadableSetting {
    variable: &'static str,
    flag: &'static str,
    field: fn(&mut Settings) -> &mut Option<String>,
}

const SECRETS: [RereadableSetting; 2] = [
    RereadableSetting {
        variable: "AUTH_SECRET",
        flag: "auth_secret",
        field: |settings| &mut settings.auth_secret,
    },
    RereadableSetting {
        variable: "AUTH_SECRETS_PREVIOUS",
        flag: "auth_secrets_previous",
        field: |settings| &mut settings.auth_secrets_previous,
    },
];
const KEY_FILES: [RereadableSetting; 2] = [
    RereadableSetting {
        variable: "AUTH_SIGNING_KEY",
        flag: "auth_signing_key",
        field: |settings| &mut settings.auth_signing_key,
    },
    RereadableSetting {
        variable: "AUTH_VERIFYING_KEYS",
        flag: "auth_verifying_keys",
        field: |settings| &mut settings.auth_verifying_keys,
    },
];

/// The settings that would be read again, but whose values come from a flag or from the environment of the process.
/// Only a restart can change these values. The content of a key file is read again nevertheless.
#[derive(Clone, Default)]
pub(super) struct FixedSettings(Vec<&'static str>);

impl FixedSettings {
    pub(super) fn from_environment() -> Self {
        let mut fixed = Self::default();
        fixed.add(|setting| std::env::var_os(setting.variable).is_some());
        fixed
    }

    pub(super) fn add_flags(&mut self, matches: &ArgMatches) {
        self.add(|setting| matches.value_source(setting.flag) == Some(ValueSource::CommandLine));
    }

    fn add(&mut self, is_fixed: impl Fn(&RereadableSetting) -> bool) {
        let settings = SECRETS.iter().chain(&KEY_FILES);
        let fixed_settings = settings.filter(|setting| is_fixed(setting));
        self.0
            .extend(fixed_settings.map(|setting| setting.variable));
    }

    fn contains(&self, setting: &RereadableSetting) -> bool {
        self.0.contains(&setting.variable)
    }
}

impl Settings {
    /// Reads the secrets again, from `.env` or the secret file beside a SQLite database, and the key files. A setting
    /// that a flag or the environment has set does not change, but the content of a key file may.
    ///
    /// # Errors
    ///
    /// If `.env` cannot be read, a secret or a key file is invalid or no current secret exists. Also if flags or the
    /// environment set both `AUTH_SECRET` and `AUTH_SECRETS_PREVIOUS` and there is no key file, because then no file
    /// can change anything.
    pub fn reread_keys(&self) -> Result<TokenKeys, SettingProblems> {
        let mut problems = ProblemCollector::default();
        let Some(entries) = problems.ok_or_record(ENV_FILE, dotenv::read(Path::new(ENV_FILE)))
        else {
            return problems.finish(|| None);
        };
        let mut updated_settings = self.clone();
        for setting in SECRETS.iter().chain(&KEY_FILES) {
            if !self.fixed.contains(setting) {
                let entry = entries.iter().find(|(name, _)| name == setting.variable);
                *(setting.field)(&mut updated_settings) = entry.map(|(_, value)| value.clone());
            }
        }
        let has_fixed_secrets = SECRETS.iter().all(|setting| self.fixed.contains(setting));
        if has_fixed_secrets && !self.has_key_files() && !updated_settings.has_key_files() {
            problems.record_error("AUTH_SECRET", Err(restart_remedy()));
            return problems.finish(|| None);
        }
        let key_files = updated_settings.read_key_files(&mut problems);
        let secrets = updated_settings.read_secrets(&mut problems);
        problems.finish(|| Some(key_files?.with_keyring(secrets?.into_keyring())))
    }
}

fn restart_remedy() -> String {
    "was set by a flag or the environment when the server started, and so was AUTH_SECRETS_PREVIOUS; these cannot be \
     read again: write both into .env, or restart"
        .to_owned()
}

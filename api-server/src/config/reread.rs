//! The secrets once more, while the server runs. Nothing else is read again.

use std::path::Path;

use auth_core::Keyring;
use clap::ArgMatches;
use clap::parser::ValueSource;

use super::dotenv::{self, ENV_FILE};
use super::parse::Collector;
use super::{SettingProblems, Settings};

const CURRENT: &str = "AUTH_SECRET";
const PREVIOUS: &str = "AUTH_SECRETS_PREVIOUS";

/// Which secrets came as a flag or in the environment of the start, and so cannot change before the next one.
#[derive(Clone, Copy, Default)]
pub(super) struct FixedSecrets {
    current: bool,
    previous: bool,
}

impl FixedSecrets {
    pub(super) fn of_environment() -> Self {
        let is_given = |name| std::env::var_os(name).is_some();
        Self {
            current: is_given(CURRENT),
            previous: is_given(PREVIOUS),
        }
    }

    pub(super) fn add_flags(&mut self, matches: &ArgMatches) {
        let is_flag = |id| matches.value_source(id) == Some(ValueSource::CommandLine);
        self.current |= is_flag("auth_secret");
        self.previous |= is_flag("auth_secrets_previous");
    }
}

impl Settings {
    /// The secrets as `.env` and the file beside a SQLite database have them now.
    ///
    /// # Errors
    ///
    /// Every problem with them, and that there is nothing to read again if all came as flags or in the environment.
    pub fn reread_keyring(&self) -> Result<Keyring, SettingProblems> {
        let mut problems = Collector::default();
        if self.fixed.current && self.fixed.previous {
            problems.check(CURRENT, Err(unchangeable()));
            return problems.finish(|| None);
        }
        let Some(file) = problems.take(ENV_FILE, dotenv::read(Path::new(ENV_FILE))) else {
            return problems.finish(|| None);
        };
        let written = |name: &str| {
            let mut lines = file.iter();
            let line = lines.find(|(written, _)| written == name);
            line.map(|(_, value)| value.clone())
        };
        let mut again = self.clone();
        if !self.fixed.current {
            again.auth_secret = written(CURRENT);
        }
        if !self.fixed.previous {
            again.auth_secrets_previous = written(PREVIOUS);
        }
        let secrets = again.secrets(&mut problems);
        problems.finish(|| Some(secrets?.into_keyring()))
    }
}

fn unchangeable() -> String {
    "was given when the server started, like AUTH_SECRETS_PREVIOUS, by the environment or a flag, which cannot be read \
     again; write both into .env, or restart"
        .to_owned()
}

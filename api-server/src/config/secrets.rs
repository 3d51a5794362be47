//! The secrets, wherever they come from.

use std::path::Path;

use auth_core::{Keyring, Secret};

use super::parse;
use super::parse::Collector;
use super::{SettingProblems, Settings, secret_file};
use crate::db::DatabaseUrl;

/// The secrets as they are configured now.
pub(super) struct Secrets {
    current: Secret,
    previous: Vec<Secret>,
}

impl Secrets {
    pub(super) fn into_keyring(self) -> Keyring {
        Keyring::new(self.current).with_previous(self.previous)
    }
}

impl Settings {
    /// The key of another service, for `keys derive`. Generates no secret: in a wrong folder, the key would be derived
    /// from a new secret that no server uses.
    ///
    /// # Errors
    ///
    /// What is wrong with the audience and with the settings that say where the secret is.
    pub fn derive_key(&self, audience: &str) -> Result<Secret, SettingProblems> {
        let mut problems = Collector::default();
        let own = problems.take("AUTH_AUDIENCE", parse::name(&self.auth_audience));
        let audience = problems.take("--audience", parse::service(audience, own.as_deref()));
        let secrets = self.secrets(&mut problems);
        problems.finish(|| secrets?.current.for_audience(&audience?).ok())
    }

    /// The secrets there are; makes none.
    pub(super) fn secrets(&self, problems: &mut Collector) -> Option<Secrets> {
        let database = problems.take("DATABASE_URL", parse::database(&self.database_url));
        let previous = problems.take("AUTH_SECRETS_PREVIOUS", self.previous_secrets());
        let current =
            self.current_secret(database.as_ref(), |file| secret_file::read(file).map(Some));
        let current = problems.take("AUTH_SECRET", current);
        Some(Secrets {
            current: current??,
            previous: previous?,
        })
    }

    pub(super) fn previous_secrets(&self) -> Result<Vec<Secret>, String> {
        let listed = self.auth_secrets_previous.as_deref().unwrap_or_default();
        listed
            .split(',')
            .map(str::trim)
            .filter(|secret| !secret.is_empty())
            .map(|secret| Secret::new(secret).map_err(|error| error.to_string()))
            .collect()
    }

    /// What was given, else what `beside` finds beside the database. `Ok(None)` only when something else is wrong already.
    pub(super) fn current_secret(
        &self,
        database: Option<&DatabaseUrl>,
        beside: impl FnOnce(&Path) -> Result<Option<Secret>, String>,
    ) -> Result<Option<Secret>, String> {
        if let Some(given) = &self.auth_secret {
            let secret = Secret::new(given.as_str()).map_err(|error| error.to_string())?;
            return Ok(Some(secret));
        }
        match database.map(DatabaseUrl::file) {
            Some(Some(file)) => beside(file),
            Some(None) => Err(
                "is required with PostgreSQL, so that all nodes share it; make one with: \
                 api-server keys generate"
                    .to_owned(),
            ),
            None => Ok(None),
        }
    }
}

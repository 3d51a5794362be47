//! Reads the secrets from the settings. Without `AUTH_SECRET`, the secret file beside a SQLite database is used.

use std::path::Path;

use auth_core::revocation::FeedCredential;
use auth_core::{Keyring, Secret};

use super::parse;
use super::parse::ProblemCollector;
use super::{SettingProblems, Settings, secret_file};
use crate::db::DatabaseUrl;

/// The secret that signs tokens, and the previous secrets, which only verify tokens.
pub(super) struct Secrets {
    current: Secret,
    previous: Vec<Secret>,
}

impl Secrets {
    pub(super) fn into_keyring(self) -> Keyring {
        Keyring::new(self.current).with_previous(self.previous)
    }

    /// Derives the credential of this name for the feed of revocations.
    pub(super) fn feed_credential(&self, name: &str) -> Result<FeedCredential, String> {
        let credential = self.current.for_feed(name);
        credential.map_err(|error| error.to_string())
    }
}

impl Settings {
    /// Derives the key of another service, for `keys derive`. Without a secret, fails instead of generating one: in a
    /// wrong folder, the key would be derived from a new secret that no server uses.
    ///
    /// # Errors
    ///
    /// All problems of the audiences, of `DATABASE_URL` and of the secrets.
    pub fn derive_key(&self, audience: &str) -> Result<Secret, SettingProblems> {
        let mut problems = ProblemCollector::default();
        let auth_audience =
            problems.ok_or_record("AUTH_AUDIENCE", parse::name(&self.auth_audience));
        let audience_result = parse::service_audience(audience, auth_audience.as_deref());
        let service_audience = problems.ok_or_record("--audience", audience_result);
        let secrets = self.read_secrets(&mut problems);
        problems.finish(|| secrets?.current.for_audience(&service_audience?).ok())
    }

    /// Derives the credential of a service for the feed of revocations, for `keys derive`.
    ///
    /// # Errors
    ///
    /// All problems of the name, of `DATABASE_URL` and of the secrets.
    pub(crate) fn derive_feed_credential(
        &self,
        name: &str,
    ) -> Result<FeedCredential, SettingProblems> {
        let mut problems = ProblemCollector::default();
        let secrets = self.read_secrets(&mut problems);
        let credential = secrets.map(|secrets| secrets.feed_credential(name));
        let credential = credential.and_then(|result| problems.ok_or_record("--feed", result));
        problems.finish(|| credential)
    }

    /// Reads the secrets. Without a current secret, records a problem instead of generating a secret.
    pub(super) fn read_secrets(&self, problems: &mut ProblemCollector) -> Option<Secrets> {
        let database =
            problems.ok_or_record("DATABASE_URL", parse::database_url(&self.database_url));
        let previous_secrets =
            problems.ok_or_record("AUTH_SECRETS_PREVIOUS", self.previous_secrets());
        let secret_result =
            self.current_secret(database.as_ref(), |file| secret_file::read(file).map(Some));
        let current_secret = problems.ok_or_record("AUTH_SECRET", secret_result);
        Some(Secrets {
            current: current_secret??,
            previous: previous_secrets?,
        })
    }

    pub(super) fn previous_secrets(&self) -> Result<Vec<Secret>, String> {
        parse::comma_separated(self.auth_secrets_previous.as_deref())
            .map(|secret| Secret::new(secret).map_err(|error| error.to_string()))
            .collect()
    }

    /// Returns the secret in `AUTH_SECRET`, or else the secret that `read_secret_beside` returns for the SQLite
    /// database file. `Ok(None)` only if another setting is invalid, which is reported already.
    pub(super) fn current_secret(
        &self,
        database: Option<&DatabaseUrl>,
        read_secret_beside: impl FnOnce(&Path) -> Result<Option<Secret>, String>,
    ) -> Result<Option<Secret>, String> {
        if let Some(text) = &self.auth_secret {
            let secret = Secret::new(text.as_str()).map_err(|error| error.to_string())?;
            return Ok(Some(secret));
        }
        match database.map(DatabaseUrl::file) {
            Some(Some(file)) => read_secret_beside(file),
            Some(None) => Err(
                "is required with PostgreSQL, so that all nodes share it; make one with: \
                 api-server keys generate"
                    .to_owned(),
            ),
            None => Ok(None),
        }
    }
}

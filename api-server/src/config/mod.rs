//! Reads the settings as text (in `raw`), then checks and parses them. An error lists all problems found, not only one.
//!
//! No other module of this crate reads environment variables. Libraries such as libpq read some.

mod access;
mod bounds;
mod commands;
mod dotenv;
mod key_files;
mod logging;
mod mail;
mod non_utf8;
#[cfg(feature = "otlp")]
mod otlp;
mod parse;
mod postgres_url;
mod raw;
mod reread;
mod secret_file;
mod secrets;
mod users;
mod web;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use auth_core::password::Cost;
use auth_core::{Keyring, Secret};

pub use bounds::{LimitConfig, QueueConfig, TimeoutConfig};
pub use commands::{Command, KeyAlgorithm, KeysCommand, MailCommand};
pub use parse::{SettingProblem, SettingProblems};
pub use raw::Settings;
pub use users::{BetterAuthArguments, ImportCommand, UsersCommand};
pub use web::WebConfig;

use crate::db::DatabaseUrl;
use crate::mail::settings::{EmailVerification, MailSettings};
use crate::sessions::token_keys::TokenKeys;
use crate::users::blocklist::Blocklist;
pub(crate) use commands::is_dumb_terminal;
pub(crate) use dotenv::exposed_secret_setting;
pub(crate) use key_files::read_public_key;
use parse::ProblemCollector;

/// The parsed settings, all of them valid.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// Socket address to listen on; port 0 picks a free port.
    pub bind_addr: SocketAddr,
    /// Socket address of the metrics; port 0 picks a free port. `None` for no metrics.
    pub metrics_addr: Option<SocketAddr>,
    /// The database, a SQLite file or a PostgreSQL server.
    pub database_url: DatabaseUrl,
    /// Maximum number of pooled connections to the database, 1 to 1000. SQLite always gets at least 2.
    pub database_pool_size: u32,
    /// The secrets and keys that sign and verify tokens.
    pub token_keys: TokenKeys,
    /// Issuer and audiences of the tokens, and the lifetimes of tokens and sessions.
    pub tokens: TokenConfig,
    /// Cost of password hashing, and the passwords to reject.
    pub passwords: PasswordConfig,
    /// Limits of accounts, networks, connections and queues.
    pub bounds: LimitConfig,
    /// The settings of the HTTP interface, such as origins, trusted proxies and TLS.
    pub web: WebConfig,
    /// The mail server or folder to which mails go, and the sender, reply address and templates of mails.
    pub mail: MailSettings,
    /// Whether a registration causes a verification mail, and whether a login requires a verified address.
    pub email_verification: EmailVerification,
}

/// Settings of tokens and sessions.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TokenConfig {
    /// Issuer of the tokens, which is the `iss` claim.
    pub issuer: String,
    /// Audience of the tokens for this server, which is the `aud` claim.
    pub audience: String,
    /// Audiences of the other services for which the server issues tokens.
    pub service_audiences: Vec<String>,
    /// Lifetime of an access token.
    pub access_token_ttl: Duration,
    /// Longest time from the start or the last refresh of a session to its expiry.
    pub session_ttl: Duration,
    /// Longest time from the start of a session to its expiry, however often it is refreshed; `None` for no limit.
    pub session_max_ttl: Option<Duration>,
    /// Time after which tokens are rejected if the revocations cannot be read; `None` if tokens are accepted even then.
    pub(crate) revocation_stale_after: Option<Duration>,
}

/// Settings of password hashing and of the passwords that users may choose.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PasswordConfig {
    /// Cost of bcrypt: each step doubles the time to hash a password.
    pub bcrypt_cost: Cost,
    /// Passwords to reject, in addition to the built-in list.
    pub blocklist: Blocklist,
}

impl Settings {
    /// Checks all settings that `serve` needs. If all are valid, `AUTH_SECRET` is not set and the SQLite database has
    /// no secret file yet, creates this file.
    ///
    /// # Errors
    ///
    /// All invalid settings. The secret file is checked only if all other settings are valid.
    pub fn check(&self) -> Result<Config, SettingProblems> {
        self.check_with(secret_file::read_or_create)
    }

    /// Does the same as [`check`](Self::check), but creates no secret file: where `check` would create one, the result
    /// has a new secret that is stored nowhere.
    pub(crate) fn check_without_changes(&self) -> Result<Config, SettingProblems> {
        self.check_with(secret_file::read_or_generate)
    }

    fn check_with(
        &self,
        read_secret_beside: impl FnOnce(&Path) -> Result<Secret, String>,
    ) -> Result<Config, SettingProblems> {
        let mut problems = ProblemCollector::default();
        let bind_addr = problems.ok_or_record("BIND_ADDR", parse::socket_address(&self.bind_addr));
        let metrics_result = parse::optional_socket_address(self.metrics_addr.as_deref());
        let metrics_addr = problems.ok_or_record("METRICS_ADDR", metrics_result);
        let database_url =
            problems.ok_or_record("DATABASE_URL", parse::database_url(&self.database_url));
        let pool_size_result = parse::number(&self.database_pool_size, 1, 1000);
        let database_pool_size = problems.ok_or_record("DATABASE_POOL_SIZE", pool_size_result);
        let tokens = self.check_tokens(&mut problems);
        let passwords = self.check_passwords(&mut problems);
        let bounds = self.check_limits(&mut problems);
        let web = self.check_web(bind_addr, &mut problems);
        let mail = self.check_mail(database_url.as_ref(), &mut problems);
        let verification_result = mail::email_verification(&self.email_verification);
        let email_verification = problems.ok_or_record("EMAIL_VERIFICATION", verification_result);
        let previous_secrets =
            problems.ok_or_record("AUTH_SECRETS_PREVIOUS", self.previous_secrets());
        let key_files = self.read_key_files(&mut problems);
        self.check_logging(&mut problems);
        // The secret is checked last: if all other settings are valid, this check may create the secret file.
        let may_create_file = problems.is_empty();
        let secret_result = self.current_secret(database_url.as_ref(), |file| {
            may_create_file
                .then(|| read_secret_beside(file))
                .transpose()
        });
        let current_secret = problems.ok_or_record("AUTH_SECRET", secret_result);
        problems.finish(|| {
            Some(Config {
                bind_addr: bind_addr?,
                metrics_addr: metrics_addr?,
                database_url: database_url?,
                database_pool_size: database_pool_size?,
                token_keys: key_files?
                    .with_keyring(Keyring::new(current_secret??).with_previous(previous_secrets?)),
                tokens: tokens?,
                passwords: passwords?,
                bounds: bounds?,
                web: web?,
                mail: mail?,
                email_verification: email_verification?,
            })
        })
    }

    fn check_tokens(&self, problems: &mut ProblemCollector) -> Option<TokenConfig> {
        let issuer = problems.ok_or_record("AUTH_ISSUER", parse::name(&self.auth_issuer));
        let audience = problems.ok_or_record("AUTH_AUDIENCE", parse::name(&self.auth_audience));
        let audiences_result =
            parse::service_audiences(self.token_audiences.as_deref(), audience.as_deref());
        let service_audiences = problems.ok_or_record("TOKEN_AUDIENCES", audiences_result);
        let access_token_ttl_result = parse::lifetime(&self.access_token_ttl);
        let access_token_ttl = problems.ok_or_record("ACCESS_TOKEN_TTL", access_token_ttl_result);
        let session_ttl_result = parse::lifetime(&self.session_ttl);
        let session_ttl = problems.ok_or_record("SESSION_TTL", session_ttl_result);
        let ttl_check = parse::check_session_lifetime(session_ttl, access_token_ttl);
        problems.record_error("SESSION_TTL", ttl_check);
        let max_ttl_result = parse::optional_lifetime(self.session_max_ttl.as_deref());
        let session_max_ttl = problems.ok_or_record("SESSION_MAX_TTL", max_ttl_result);
        let max_ttl_check =
            parse::check_session_lifetime(session_max_ttl.flatten(), access_token_ttl);
        problems.record_error("SESSION_MAX_TTL", max_ttl_check);
        let stale_after_result = parse::stale_after(self.revocation_stale_after.as_deref());
        let stale_after = problems.ok_or_record("REVOCATION_STALE_AFTER", stale_after_result);
        Some(TokenConfig {
            issuer: issuer?,
            audience: audience?,
            service_audiences: service_audiences?,
            access_token_ttl: access_token_ttl?,
            session_ttl: session_ttl?,
            session_max_ttl: session_max_ttl?,
            revocation_stale_after: stale_after?,
        })
    }

    fn check_passwords(&self, problems: &mut ProblemCollector) -> Option<PasswordConfig> {
        let allow_weak = problems.ok_or_record(
            "ALLOW_WEAK_HASHING",
            parse::boolean(&self.allow_weak_hashing),
        );
        let cost_result = parse::bcrypt_cost(&self.bcrypt_cost, allow_weak.unwrap_or_default());
        let bcrypt_cost = problems.ok_or_record("BCRYPT_COST", cost_result);
        let blocklist_result = parse::blocklist(self.password_blocklist.as_deref());
        let blocklist = problems.ok_or_record("PASSWORD_BLOCKLIST", blocklist_result);
        Some(PasswordConfig {
            bcrypt_cost: bcrypt_cost?,
            blocklist: blocklist?,
        })
    }

    /// Checks only `DATABASE_URL` and the log settings, for commands that need no other settings, such as `migrate`.
    ///
    /// # Errors
    ///
    /// All problems of `DATABASE_URL`, `LOG_FORMAT` and `RUST_LOG`.
    pub fn check_database(&self) -> Result<DatabaseUrl, SettingProblems> {
        let mut problems = ProblemCollector::default();
        let url = problems.ok_or_record("DATABASE_URL", parse::database_url(&self.database_url));
        self.check_logging(&mut problems);
        problems.finish(|| url)
    }

    /// Checks only `DATABASE_URL`, which must name a SQLite file, and the log settings. `remedy` says what to do with
    /// PostgreSQL.
    pub(crate) fn check_database_file(&self, remedy: &str) -> Result<DatabaseUrl, SettingProblems> {
        let mut problems = ProblemCollector::default();
        let url_result = parse::database_url(&self.database_url).and_then(|url| match url.file() {
            Some(_) => Ok(url),
            None => Err(remedy.to_owned()),
        });
        let url = problems.ok_or_record("DATABASE_URL", url_result);
        self.check_logging(&mut problems);
        problems.finish(|| url)
    }
}

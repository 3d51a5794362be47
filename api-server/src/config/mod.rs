//! Settings: what was given (`raw`), what it means ([`Config`]), and every problem at once.
//!
//! The only place that reads the environment.

mod dotenv;
mod parse;
mod postgres_url;
mod raw;
mod reread;
mod secret_file;
mod secrets;
mod users;

use std::net::SocketAddr;
use std::time::Duration;

use auth_core::Keyring;
use auth_core::password::Cost;

use ipnet::IpNet;

pub use parse::{SettingProblem, SettingProblems};
pub use raw::{Command, KeysCommand, Settings};
pub use users::{BetterAuthArguments, ImportCommand, UsersCommand};

use crate::db::DatabaseUrl;
use crate::logging::LogFormat;
use crate::origin::Origin;
use crate::users::blocklist::Blocklist;
use parse::Collector;

/// Settings that make sense, separately and together.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// Where to listen.
    pub bind_addr: SocketAddr,
    /// Which database.
    pub database_url: DatabaseUrl,
    /// How many connections to it.
    pub database_pool_size: u32,
    /// The secrets that sign and verify.
    pub keyring: Keyring,
    /// `iss` of the tokens.
    pub issuer: String,
    /// `aud` of the tokens.
    pub audience: String,
    /// `aud` of the tokens that are given for other services.
    pub token_audiences: Vec<String>,
    /// Lifetime of an access token.
    pub access_token_ttl: Duration,
    /// Lifetime of a session.
    pub session_ttl: Duration,
    /// Longest lifetime of a session, from its login.
    pub session_max_ttl: Option<Duration>,
    /// How many tasks an account may have.
    pub max_tasks_per_user: u32,
    /// How many connections may be open.
    pub max_connections: usize,
    /// bcrypt cost.
    pub bcrypt_cost: Cost,
    /// Passwords that may not be set, beside the built-in list.
    pub password_blocklist: Blocklist,
    /// Our own origin.
    pub public_url: Origin,
    /// Origins of frontends elsewhere.
    pub allowed_origins: Vec<Origin>,
    /// Networks whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Failed logins that one network may make within 15 minutes; `None` for any number.
    pub max_failed_logins_per_network: Option<u32>,
    /// Registrations that one network may make within an hour; `None` for any number.
    pub max_registrations_per_network: Option<u32>,
    /// Whether clients of Better Auth may delete their account.
    pub better_auth_delete_user: bool,
    /// Whether to serve the pages.
    pub pages: bool,
}

impl Settings {
    /// Checks everything `serve` needs. Makes the secret file if SQLite is used and no secret was given.
    ///
    /// # Errors
    ///
    /// Every problem, not just the first.
    pub fn check(&self) -> Result<Config, SettingProblems> {
        let mut problems = Collector::default();
        let bind_addr = problems.take("BIND_ADDR", parse::address(&self.bind_addr));
        let database_url = problems.take("DATABASE_URL", parse::database(&self.database_url));
        let pool_size = parse::number(&self.database_pool_size, 1, 1000);
        let database_pool_size = problems.take("DATABASE_POOL_SIZE", pool_size);
        let issuer = problems.take("AUTH_ISSUER", parse::name(&self.auth_issuer));
        let audience = problems.take("AUTH_AUDIENCE", parse::name(&self.auth_audience));
        let services = parse::services(self.token_audiences.as_deref(), audience.as_deref());
        let token_audiences = problems.take("TOKEN_AUDIENCES", services);
        let access_token_ttl = parse::lifetime(&self.access_token_ttl);
        let access_token_ttl = problems.take("ACCESS_TOKEN_TTL", access_token_ttl);
        let session_ttl = parse::lifetime(&self.session_ttl);
        let session_ttl = problems.take("SESSION_TTL", session_ttl);
        problems.check("SESSION_TTL", parse::ordered(access_token_ttl, session_ttl));
        let session_max_ttl = parse::optional_lifetime(self.session_max_ttl.as_deref());
        let session_max_ttl = problems.take("SESSION_MAX_TTL", session_max_ttl);
        let longest = parse::ordered(access_token_ttl, session_max_ttl.flatten());
        problems.check("SESSION_MAX_TTL", longest);
        let max_tasks = parse::number(&self.max_tasks_per_user, 1, 1_000_000);
        let max_tasks_per_user = problems.take("MAX_TASKS_PER_USER", max_tasks);
        let max_connections = parse::number(&self.max_connections, 1, 1_000_000);
        let max_connections = problems.take("MAX_CONNECTIONS", max_connections);
        let weak = problems.take("ALLOW_WEAK_HASHING", parse::flag(&self.allow_weak_hashing));
        let cost = parse::cost(&self.bcrypt_cost, weak.unwrap_or_default());
        let bcrypt_cost = problems.take("BCRYPT_COST", cost);
        let blocklist = parse::blocklist(self.password_blocklist.as_deref());
        let password_blocklist = problems.take("PASSWORD_BLOCKLIST", blocklist);
        let public_url = parse::public_url(self.public_url.as_deref(), bind_addr);
        let public_url = problems.take("PUBLIC_URL", public_url);
        let allowed_origins = parse::origins(self.allowed_origins.as_deref());
        let allowed_origins = problems.take("ALLOWED_ORIGINS", allowed_origins);
        let trusted_proxies = parse::networks(self.trusted_proxies.as_deref());
        let trusted_proxies = problems.take("TRUSTED_PROXIES", trusted_proxies);
        let failed_logins = parse::allowance(&self.max_failed_logins_per_network);
        let failed_logins = problems.take("MAX_FAILED_LOGINS_PER_NETWORK", failed_logins);
        let registrations = parse::allowance(&self.max_registrations_per_network);
        let registrations = problems.take("MAX_REGISTRATIONS_PER_NETWORK", registrations);
        let delete_user = parse::flag(&self.better_auth_delete_user);
        let delete_user = problems.take("BETTER_AUTH_DELETE_USER", delete_user);
        let pages = problems.take("PAGES", parse::flag(&self.pages));
        let previous = problems.take("AUTH_SECRETS_PREVIOUS", self.previous_secrets());
        self.check_logging(&mut problems);
        // Last: it may write a file, which a start that is refused anyway should not.
        let is_good = problems.is_empty();
        let current = self.current_secret(database_url.as_ref(), |file| {
            is_good
                .then(|| secret_file::read_or_create(file))
                .transpose()
        });
        let current = problems.take("AUTH_SECRET", current);
        problems.finish(|| {
            Some(Config {
                bind_addr: bind_addr?,
                database_url: database_url?,
                database_pool_size: database_pool_size?,
                keyring: Keyring::new(current??).with_previous(previous?),
                issuer: issuer?,
                audience: audience?,
                token_audiences: token_audiences?,
                access_token_ttl: access_token_ttl?,
                session_ttl: session_ttl?,
                session_max_ttl: session_max_ttl?,
                max_tasks_per_user: max_tasks_per_user?,
                max_connections: usize::try_from(max_connections?).unwrap_or(usize::MAX),
                bcrypt_cost: bcrypt_cost?,
                password_blocklist: password_blocklist?,
                public_url: public_url?,
                allowed_origins: allowed_origins?,
                trusted_proxies: trusted_proxies?,
                max_failed_logins_per_network: failed_logins?,
                max_registrations_per_network: registrations?,
                better_auth_delete_user: delete_user?,
                pages: pages?,
            })
        })
    }

    /// Checks only what `migrate` needs.
    ///
    /// # Errors
    ///
    /// What is wrong with `DATABASE_URL`, `LOG_FORMAT` and `RUST_LOG`.
    pub fn check_database(&self) -> Result<DatabaseUrl, SettingProblems> {
        let mut problems = Collector::default();
        let url = problems.take("DATABASE_URL", parse::database(&self.database_url));
        self.check_logging(&mut problems);
        problems.finish(|| url)
    }

    fn check_logging(&self, problems: &mut Collector) {
        problems.check("RUST_LOG", self.log_filter().map(drop));
        problems.check("LOG_FORMAT", self.log_format().map(drop));
    }

    /// How to write the log.
    ///
    /// # Errors
    ///
    /// What may be written instead.
    pub fn log_format(&self) -> Result<LogFormat, String> {
        match self.log_format.as_str() {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => Err("use text or json".to_owned()),
        }
    }

    /// What to log.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and an example.
    pub fn log_filter(&self) -> Result<&str, String> {
        parse::log_filter(&self.rust_log)?;
        Ok(&self.rust_log)
    }
}

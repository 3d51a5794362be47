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
    /// What tokens say and how long they and their sessions live.
    pub tokens: TokenConfig,
    /// How passwords are hashed, and which may not be set.
    pub passwords: PasswordConfig,
    /// How much one user or network may do.
    pub bounds: BoundConfig,
    /// Who may call, and what is served.
    pub web: WebConfig,
}

/// Tokens and sessions.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TokenConfig {
    /// `iss` of the tokens.
    pub issuer: String,
    /// `aud` of the tokens.
    pub audience: String,
    /// `aud` of the tokens that are given for other services.
    pub services: Vec<String>,
    /// Lifetime of an access token.
    pub access_token_ttl: Duration,
    /// Lifetime of a session, from its last use.
    pub session_ttl: Duration,
    /// Longest lifetime of a session, from its login.
    pub session_max_ttl: Option<Duration>,
}

/// Passwords.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PasswordConfig {
    /// bcrypt cost.
    pub bcrypt_cost: Cost,
    /// Passwords that may not be set, beside the built-in list.
    pub blocklist: Blocklist,
}

/// Bounds.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BoundConfig {
    /// How many tasks an account may have.
    pub tasks_per_user: u32,
    /// How many connections may be open.
    pub connections: usize,
    /// Failed logins that one network may make within 15 minutes; `None` for any number.
    pub failed_logins_per_network: Option<u32>,
    /// Registrations that one network may make within an hour; `None` for any number.
    pub registrations_per_network: Option<u32>,
}

/// Addresses, origins and pages.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WebConfig {
    /// Our own origin.
    pub public_url: Origin,
    /// Origins of frontends elsewhere.
    pub allowed_origins: Vec<Origin>,
    /// Networks whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
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
        let tokens = self.check_tokens(&mut problems);
        let passwords = self.check_passwords(&mut problems);
        let bounds = self.check_bounds(&mut problems);
        let web = self.check_web(bind_addr, &mut problems);
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
                tokens: tokens?,
                passwords: passwords?,
                bounds: bounds?,
                web: web?,
            })
        })
    }

    fn check_tokens(&self, problems: &mut Collector) -> Option<TokenConfig> {
        let issuer = problems.take("AUTH_ISSUER", parse::name(&self.auth_issuer));
        let audience = problems.take("AUTH_AUDIENCE", parse::name(&self.auth_audience));
        let services = parse::services(self.token_audiences.as_deref(), audience.as_deref());
        let services = problems.take("TOKEN_AUDIENCES", services);
        let access_token_ttl = parse::lifetime(&self.access_token_ttl);
        let access_token_ttl = problems.take("ACCESS_TOKEN_TTL", access_token_ttl);
        let session_ttl = parse::lifetime(&self.session_ttl);
        let session_ttl = problems.take("SESSION_TTL", session_ttl);
        problems.check("SESSION_TTL", parse::ordered(access_token_ttl, session_ttl));
        let session_max_ttl = parse::optional_lifetime(self.session_max_ttl.as_deref());
        let session_max_ttl = problems.take("SESSION_MAX_TTL", session_max_ttl);
        let longest = parse::ordered(access_token_ttl, session_max_ttl.flatten());
        problems.check("SESSION_MAX_TTL", longest);
        Some(TokenConfig {
            issuer: issuer?,
            audience: audience?,
            services: services?,
            access_token_ttl: access_token_ttl?,
            session_ttl: session_ttl?,
            session_max_ttl: session_max_ttl?,
        })
    }

    fn check_passwords(&self, problems: &mut Collector) -> Option<PasswordConfig> {
        let weak = problems.take("ALLOW_WEAK_HASHING", parse::flag(&self.allow_weak_hashing));
        let cost = parse::cost(&self.bcrypt_cost, weak.unwrap_or_default());
        let bcrypt_cost = problems.take("BCRYPT_COST", cost);
        let blocklist = parse::blocklist(self.password_blocklist.as_deref());
        let blocklist = problems.take("PASSWORD_BLOCKLIST", blocklist);
        Some(PasswordConfig {
            bcrypt_cost: bcrypt_cost?,
            blocklist: blocklist?,
        })
    }

    fn check_bounds(&self, problems: &mut Collector) -> Option<BoundConfig> {
        let tasks = parse::number(&self.max_tasks_per_user, 1, 1_000_000);
        let tasks = problems.take("MAX_TASKS_PER_USER", tasks);
        let connections = parse::number(&self.max_connections, 1, 1_000_000);
        let connections = problems.take("MAX_CONNECTIONS", connections);
        let failed_logins = parse::allowance(&self.max_failed_logins_per_network);
        let failed_logins = problems.take("MAX_FAILED_LOGINS_PER_NETWORK", failed_logins);
        let registrations = parse::allowance(&self.max_registrations_per_network);
        let registrations = problems.take("MAX_REGISTRATIONS_PER_NETWORK", registrations);
        Some(BoundConfig {
            tasks_per_user: tasks?,
            connections: usize::try_from(connections?).unwrap_or(usize::MAX),
            failed_logins_per_network: failed_logins?,
            registrations_per_network: registrations?,
        })
    }

    fn check_web(&self, bind: Option<SocketAddr>, problems: &mut Collector) -> Option<WebConfig> {
        let public_url = parse::public_url(self.public_url.as_deref(), bind);
        let public_url = problems.take("PUBLIC_URL", public_url);
        let allowed_origins = parse::origins(self.allowed_origins.as_deref());
        let allowed_origins = problems.take("ALLOWED_ORIGINS", allowed_origins);
        let trusted_proxies = parse::networks(self.trusted_proxies.as_deref());
        let trusted_proxies = problems.take("TRUSTED_PROXIES", trusted_proxies);
        let delete_user = parse::flag(&self.better_auth_delete_user);
        let delete_user = problems.take("BETTER_AUTH_DELETE_USER", delete_user);
        let pages = problems.take("PAGES", parse::flag(&self.pages));
        Some(WebConfig {
            public_url: public_url??,
            allowed_origins: allowed_origins?,
            trusted_proxies: trusted_proxies?,
            better_auth_delete_user: delete_user?,
            pages: pages?,
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

//! Settings as they are given: the doc comment of a field is its documentation.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::Path;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use super::dotenv;
use super::reread::FixedSecrets;
use super::users::UsersCommand;

/// Registers people, logs them in and out, keeps each person's tasks.
///
/// Every option can be set by the environment variable named with it, or in a file .env in the current directory.
#[derive(Parser, Clone)]
#[command(name = "api-server", version, max_term_width = 100)]
#[non_exhaustive]
pub struct Settings {
    /// What to do; serves if left out.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Address and port to listen on; port 0 picks a free one, which is logged.
    #[arg(
        long = "bind",
        env,
        global = true,
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8080"
    )]
    pub bind_addr: String,

    /// `sqlite://PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`, with sslmode up to verify-full; migrated at start.
    #[arg(
        long,
        env,
        global = true,
        value_name = "URL",
        hide_env_values = true,
        default_value = "sqlite://data/auth.db"
    )]
    pub database_url: String,

    /// Connections to the database, 1 to 1000.
    #[arg(long, env, global = true, value_name = "COUNT", default_value = "10")]
    pub database_pool_size: String,

    /// Secret that signs the tokens, at least 32 bytes. Without one, SQLite gets a generated one in a file beside the
    /// database; PostgreSQL refuses to start. A flag is visible to other users of the machine: prefer the variable.
    #[arg(
        long,
        env,
        global = true,
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub auth_secret: Option<String>,

    /// Secrets that are still accepted, comma-separated: rotation without logging anyone out.
    #[arg(
        long,
        env,
        global = true,
        value_name = "SECRETS",
        hide_env_values = true
    )]
    pub auth_secrets_previous: Option<String>,

    /// Issuer (iss) of the tokens.
    #[arg(
        long,
        env,
        global = true,
        value_name = "NAME",
        default_value = "api-server"
    )]
    pub auth_issuer: String,

    /// Audience (aud) of the tokens.
    #[arg(long, env, global = true, value_name = "NAME", default_value = "api")]
    pub auth_audience: String,

    /// Audiences (aud) of other services for which POST /api/auth/token gives tokens, comma-separated, such as
    /// reports,billing. The command `keys derive` prints the key of each.
    #[arg(long, env, global = true, value_name = "NAMES")]
    pub token_audiences: Option<String>,

    /// Lifetime of an access token, such as 15m or 7d; 1 second to 400 days.
    #[arg(
        long,
        env,
        global = true,
        value_name = "DURATION",
        default_value = "15m"
    )]
    pub access_token_ttl: String,

    /// Lifetime of a session, such as 7d; not shorter than an access token's.
    #[arg(
        long,
        env,
        global = true,
        value_name = "DURATION",
        default_value = "7d"
    )]
    pub session_ttl: String,

    /// Longest lifetime of a session, refreshed or not, such as 30d; not shorter than an access token's. Without it, a
    /// session lives as long as it is used.
    #[arg(long, env, global = true, value_name = "DURATION")]
    pub session_max_ttl: Option<String>,

    /// Tasks that an account may have, 1 to 1000000; imports may bring more.
    #[arg(
        long,
        env,
        global = true,
        value_name = "COUNT",
        default_value = "10000"
    )]
    pub max_tasks_per_user: String,

    /// Connections that may be open at a time, 1 to 1000000; past it the network with the most loses its oldest.
    #[arg(long, env, global = true, value_name = "COUNT", default_value = "4096")]
    pub max_connections: String,

    /// bcrypt cost, 10 to 15; each step doubles the time of a login.
    #[arg(long, env, global = true, value_name = "COST", default_value = "12")]
    pub bcrypt_cost: String,

    /// true allows a bcrypt cost of 4 to 9, for tests.
    #[arg(long, env, global = true, value_name = "BOOL", default_value = "false", num_args = 0..=1, default_missing_value = "true")]
    pub allow_weak_hashing: String,

    /// File of passwords that may not be set, one a line, beside the built-in list of common ones; read at start.
    #[arg(long, env, global = true, value_name = "FILE")]
    pub password_blocklist: Option<String>,

    /// Address under which browsers reach the server; https makes its cookies Secure. Defaults to http:// and the
    /// bind address.
    #[arg(long, env, global = true, value_name = "URL")]
    pub public_url: Option<String>,

    /// Exact origins of frontends elsewhere, comma-separated, such as `https://app.example.com`.
    #[arg(long, env, global = true, value_name = "ORIGINS")]
    pub allowed_origins: Option<String>,

    /// Networks of proxies in front of the server, comma-separated, such as 10.0.0.0/8; only from them is
    /// X-Forwarded-For believed.
    #[arg(long, env, global = true, value_name = "NETWORKS")]
    pub trusted_proxies: Option<String>,

    /// Failed logins, of any addresses, that one network (IPv4 address or IPv6 /64) may make within 15 minutes, 1 to
    /// 1000000; off for no limit.
    #[arg(long, env, global = true, value_name = "COUNT", default_value = "300")]
    pub max_failed_logins_per_network: String,

    /// Registrations, and attempts to register a taken address, that one network may make within an hour, 1 to 1000000;
    /// off for no limit.
    #[arg(long, env, global = true, value_name = "COUNT", default_value = "300")]
    pub max_registrations_per_network: String,

    /// true lets clients of Better Auth delete their account by POST /api/auth/delete-user.
    #[arg(long, env, global = true, value_name = "BOOL", default_value = "false", num_args = 0..=1, default_missing_value = "true")]
    pub better_auth_delete_user: String,

    /// false serves the API alone, without the pages at /.
    #[arg(long, env, global = true, value_name = "BOOL", default_value = "true", num_args = 0..=1, default_missing_value = "true")]
    pub pages: String,

    /// How to write the log: text, or json for one object a line.
    #[arg(
        long,
        env,
        global = true,
        value_name = "FORMAT",
        default_value = "text"
    )]
    pub log_format: String,

    /// What to log, such as `info` or `info,api_server::access=debug` for a line per request.
    #[arg(
        long,
        env,
        global = true,
        value_name = "FILTER",
        default_value = "info"
    )]
    pub rust_log: String,

    #[arg(skip)]
    pub(super) fixed: FixedSecrets,
}

/// What the program can do.
#[derive(Subcommand, Clone, Debug)]
#[non_exhaustive]
pub enum Command {
    /// Serve (the default).
    Serve,
    /// Bring the database's schema up to date and exit.
    Migrate,
    /// Print the OpenAPI document and exit.
    Openapi,
    /// Make secrets.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Move users in and out, with their passwords.
    #[command(subcommand)]
    Users(UsersCommand),
}

/// What can be done with secrets.
#[derive(Subcommand, Clone, Debug)]
#[non_exhaustive]
pub enum KeysCommand {
    /// Print a new secret, fit for `AUTH_SECRET`.
    Generate,
    /// Print the key of one service, derived from `AUTH_SECRET`: the only secret that the service needs.
    Derive {
        /// The service's audience (aud), one of `TOKEN_AUDIENCES`.
        #[arg(long, value_name = "NAME")]
        audience: String,
    },
}

impl Settings {
    /// Reads `.env`, the environment and the command line; the last one named wins.
    ///
    /// # Errors
    ///
    /// A `.env` that cannot be read, or what clap has to say (which includes `--help`).
    pub fn read() -> Result<Self, clap::Error> {
        Self::read_from(std::env::args_os())
    }

    fn read_from(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        // Before the file adds to the environment.
        let mut fixed = FixedSecrets::of_environment();
        if let Err(problem) = dotenv::load(Path::new(dotenv::ENV_FILE)) {
            return Err(clap::Error::raw(ErrorKind::Io, format!("{problem}\n")));
        }
        let matches = Self::command()
            .try_get_matches_from(arguments)
            .map_err(name_what_is_not_text)?;
        fixed.add_flags(&matches);
        let settings = Self::from_arg_matches(&matches)?;
        Ok(Self { fixed, ..settings })
    }
}

/// clap says that something is not UTF-8, but not what.
fn name_what_is_not_text(error: clap::Error) -> clap::Error {
    let command = Settings::command();
    let names = command.get_arguments().filter_map(clap::Arg::get_env);
    let unreadable = names.filter(|name| {
        let value = std::env::var_os(name);
        value.is_some_and(|value| value.to_str().is_none())
    });
    let unreadable: Vec<_> = unreadable.map(OsStr::to_string_lossy).collect();
    match error.kind() {
        ErrorKind::InvalidUtf8 if !unreadable.is_empty() => clap::Error::raw(
            ErrorKind::InvalidUtf8,
            format!(
                "{}: is not text; write it in UTF-8\n",
                unreadable.join(", ")
            ),
        ),
        _ => error,
    }
}

/// Settings hold secrets.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("command", &self.command)
            .finish_non_exhaustive()
    }
}

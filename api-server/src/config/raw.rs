//! Reads the settings as text, which is checked later. The doc comment of a field is the field's text in `--help`.

use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Parser};

use super::bounds::LimitArguments;
use super::commands::Command;
use super::dotenv;
use super::non_utf8::name_non_utf8_variables;
#[cfg(feature = "otlp")]
use super::otlp::OtlpArguments;
use super::reread::FixedSettings;

/// Authenticates users, manages their sessions and stores their tasks.
///
/// Every option can also be set by its environment variable, or in the file .env in the current directory.
#[derive(Parser, Clone)]
#[command(name = "api-server", version, max_term_width = 100)]
#[non_exhaustive]
pub struct Settings {
    /// Command to run; `serve` by default.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Address and port to listen on; port 0 picks a free port, which is logged.
    #[arg(
        long = "bind",
        env,
        global = true,
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8080"
    )]
    pub bind_addr: String,

    /// Address and port of the metrics, such as 127.0.0.1:9464, for Prometheus; they are at /metrics. Off by default.
    /// The metrics show how much the server is used, so the address should not be public.
    #[arg(long, env, global = true, value_name = "ADDRESS")]
    pub metrics_addr: Option<String>,

    /// Database, as `sqlite://PATH` or `postgres://USER:PASSWORD@HOST/DATABASE?sslmode=verify-full`; its schema is
    /// migrated at start.
    #[arg(
        long,
        env,
        global = true,
        value_name = "URL",
        hide_env_values = true,
        default_value = "sqlite://data/auth.db"
    )]
    pub database_url: String,

    /// Maximum number of connections to the database, 1 to 1000; SQLite gets at least 2.
    #[arg(long, env, global = true, value_name = "COUNT", default_value = "10")]
    pub database_pool_size: String,

    /// Secret that signs the tokens, at least 32 bytes. By default, SQLite gets a generated secret in a file beside the
    /// database; PostgreSQL requires one. A flag is visible to other users of the machine: prefer the variable.
    #[arg(
        long,
        env,
        global = true,
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub auth_secret: Option<String>,

    /// Other secrets that are accepted but do not sign, comma-separated: for rotation without logging users out.
    #[arg(
        long,
        env,
        global = true,
        value_name = "SECRETS",
        hide_env_values = true
    )]
    pub auth_secrets_previous: Option<String>,

    /// File with the private key that signs access tokens, PKCS#8 PEM of mode 0600; its type, Ed25519 or P-256, decides
    /// between EdDSA and ES256. Without this file, the secret signs the tokens. The command `keys generate` makes one.
    #[arg(long, env, global = true, value_name = "FILE")]
    pub auth_signing_key: Option<String>,

    /// Files with other keys that are published and accepted but do not sign, comma-separated: for rotation of the
    /// signing key.
    #[arg(long, env, global = true, value_name = "FILES")]
    pub auth_verifying_keys: Option<String>,

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

    /// Audiences (aud) of other services for which POST /api/auth/token issues tokens, comma-separated, such as
    /// reports,billing. The command `keys derive` prints the key of each service.
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

    /// Lifetime of a session after its last refresh, such as 7d; at least the lifetime of an access token.
    #[arg(
        long,
        env,
        global = true,
        value_name = "DURATION",
        default_value = "7d"
    )]
    pub session_ttl: String,

    /// Longest lifetime of a session after its login, however often it is refreshed, such as 30d; at least the lifetime
    /// of an access token. No limit by default.
    #[arg(long, env, global = true, value_name = "DURATION")]
    pub session_max_ttl: Option<String>,

    /// Time after which the server rejects tokens with 503 if it cannot read the revocations, because the tokens may be
    /// revoked; at least 3s. By default it accepts them.
    #[arg(long, env, global = true, value_name = "DURATION")]
    pub revocation_stale_after: Option<String>,

    #[command(flatten)]
    pub(super) bounds: LimitArguments,

    /// Cost of bcrypt, 10 to 15; each step doubles the time of a login.
    #[arg(long, env, global = true, value_name = "COST", default_value = "12")]
    pub bcrypt_cost: String,

    /// Whether a bcrypt cost of 4 to 9 is allowed, for tests.
    #[arg(
        long,
        env,
        global = true,
        value_name = "BOOL",
        default_value = "false",
        num_args = 0..=1,
        default_missing_value = "true"
    )]
    pub allow_weak_hashing: String,

    /// File of passwords to reject, one per line, in addition to the built-in list of common passwords; read at start.
    #[arg(long, env, global = true, value_name = "FILE")]
    pub password_blocklist: Option<String>,

    /// File with the certificate of the server, followed by those between it and the authority, in PEM format; read
    /// again on SIGHUP. With it, the server speaks HTTPS.
    #[arg(long, env, global = true, value_name = "FILE")]
    pub tls_cert: Option<String>,

    /// File with the private key of the certificate, unencrypted, in PEM format; read again on SIGHUP.
    #[arg(long, env, global = true, value_name = "FILE")]
    pub tls_key: Option<String>,

    /// Time after SIGTERM for which the server serves requests although /readyz is 503, so that proxies send no more;
    /// at most 60s.
    #[arg(
        long,
        env,
        global = true,
        value_name = "DURATION",
        default_value = "0s"
    )]
    pub shutdown_delay: String,

    /// URL at which browsers reach the server; with https, its cookies are Secure. Defaults to the bind address, after
    /// https:// if the server has a certificate, and http:// otherwise.
    #[arg(long, env, global = true, value_name = "URL")]
    pub public_url: Option<String>,

    /// Exact origins of frontends that may call the API, comma-separated, such as `https://app.example.com`. The
    /// server's own origin is always allowed.
    #[arg(long, env, global = true, value_name = "ORIGINS")]
    pub allowed_origins: Option<String>,

    /// Networks of the proxies in front of the server, comma-separated, such as 10.0.0.0/8; X-Forwarded-For is trusted
    /// only from these.
    #[arg(long, env, global = true, value_name = "NETWORKS")]
    pub trusted_proxies: Option<String>,

    /// Verification of email addresses: off, optional (a registration sends a mail), or required (in addition, users
    /// can log in only after the verification).
    #[arg(
        long,
        env,
        global = true,
        value_name = "MODE",
        default_value = "optional"
    )]
    pub email_verification: String,

    /// Server that delivers mails, as `smtps://USER:PASSWORD@HOST:PORT` or
    /// `smtp://USER:PASSWORD@HOST:PORT?tls=required` (also tls=opportunistic; tls=none on this machine). By default,
    /// each mail is written to a file in the folder mail beside the database (PostgreSQL: data/mail).
    #[arg(long, env, global = true, value_name = "URL", hide_env_values = true)]
    pub smtp_url: Option<String>,

    /// Sender of mails, such as `Example <no-reply@example.com>`; required with `SMTP_URL`.
    #[arg(long, env, global = true, value_name = "ADDRESS")]
    pub mail_from: Option<String>,

    /// Address for replies to mails; by default the sender.
    #[arg(long, env, global = true, value_name = "ADDRESS")]
    pub mail_reply_to: Option<String>,

    /// Folder of templates that replace built-in texts of mails.
    #[arg(long, env, global = true, value_name = "FOLDER")]
    pub mail_templates: Option<String>,

    /// Whether Better Auth clients may delete their account with POST /api/auth/delete-user.
    #[arg(
        long,
        env,
        global = true,
        value_name = "BOOL",
        default_value = "false",
        num_args = 0..=1,
        default_missing_value = "true"
    )]
    pub better_auth_delete_user: String,

    /// Whether to serve the web pages (/, /sign-in, /sign-up, /tasks, /account, /sessions) as well as the API.
    #[arg(
        long,
        env,
        global = true,
        value_name = "BOOL",
        default_value = "true",
        num_args = 0..=1,
        default_missing_value = "true"
    )]
    pub pages: String,

    /// Format of the log: text, or json for one JSON object per line.
    #[arg(
        long,
        env,
        global = true,
        value_name = "FORMAT",
        default_value = "text"
    )]
    pub log_format: String,

    /// Filter of the log, such as `info`, or `info,api_server::access=debug` for one line per request.
    #[arg(
        long,
        env,
        global = true,
        value_name = "FILTER",
        default_value = "info"
    )]
    pub rust_log: String,

    #[cfg(feature = "otlp")]
    #[command(flatten)]
    pub(super) otlp: OtlpArguments,

    #[arg(skip)]
    pub(super) fixed: FixedSettings,
}

impl Settings {
    /// Reads `.env`, the environment and the command line. A flag overrides the environment, which overrides `.env`.
    ///
    /// # Errors
    ///
    /// If `.env` cannot be read or parsed, the command line is invalid or a value is not UTF-8. clap also returns
    /// `--help` and `--version` as errors.
    pub fn read() -> Result<Self, clap::Error> {
        Self::read_from(std::env::args_os())
    }

    fn read_from(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        // Must come before `dotenv::load`, which adds the variables in `.env` to the environment: settings from `.env`
        // are not fixed, because they can be read again while the server runs.
        let mut fixed_settings = FixedSettings::from_environment();
        if let Err(message) = dotenv::load(Path::new(dotenv::ENV_FILE)) {
            return Err(clap::Error::raw(ErrorKind::Io, format!("{message}\n")));
        }
        let matches = Self::command()
            .try_get_matches_from(arguments)
            .map_err(name_non_utf8_variables)?;
        fixed_settings.add_flags(&matches);
        let settings = Self::from_arg_matches(&matches)?;
        Ok(Self {
            fixed: fixed_settings,
            ..settings
        })
    }
}

/// Prints only the command, because other fields may contain secrets.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("command", &self.command)
            .finish_non_exhaustive()
    }
}

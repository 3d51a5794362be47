//! Configures a server before its start: the settings, the limits, the clock and the database.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use api_server::config::Settings;
use api_server::limits::Limits;
use api_server::server::{self, BuildError};
use auth_core::Secret;
use clap::Parser as _;

use crate::{App, Database, TestClock, log_lines};

/// The settings of a server, as flags, unless a test changes them. `database-url` and `auth-secret` are left out,
/// because they differ between servers.
const DEFAULT_SETTINGS: &[(&str, &str)] = &[
    ("bind", "127.0.0.1:0"),
    ("metrics-addr", ""),
    ("database-pool-size", "4"),
    ("auth-secrets-previous", ""),
    ("auth-signing-key", ""),
    ("auth-verifying-keys", ""),
    ("auth-issuer", "api-server"),
    ("auth-audience", "api"),
    ("token-audiences", ""),
    ("access-token-ttl", "15m"),
    ("session-ttl", "7d"),
    ("session-max-ttl", ""),
    ("revocation-stale-after", ""),
    ("max-tasks-per-user", "10000"),
    ("max-connections", "4096"),
    ("header-timeout", "10s"),
    ("body-timeout", "10s"),
    ("idle-timeout", "75s"),
    ("response-timeout", "30s"),
    ("max-waiting-hashes", "1024"),
    ("max-waiting-hashes-per-network", "56"),
    ("max-waiting-queries", "1024"),
    ("max-waiting-queries-per-account", "256"),
    ("bcrypt-cost", "4"),
    ("allow-weak-hashing", "true"),
    ("password-blocklist", ""),
    ("tls-cert", ""),
    ("tls-key", ""),
    ("shutdown-delay", "0s"),
    ("public-url", "http://127.0.0.1:8080"),
    ("allowed-origins", ""),
    ("trusted-proxies", ""),
    ("max-failed-logins-per-network", "300"),
    ("max-registrations-per-network", "300"),
    ("max-mail-requests-per-network", "300"),
    // A registration sends no mail, so that tests count only the mails that they cause.
    ("email-verification", "off"),
    ("smtp-url", ""),
    ("mail-from", "no-reply@api.example"),
    ("mail-reply-to", ""),
    ("mail-templates", ""),
    ("better-auth-delete-user", "false"),
    ("pages", "true"),
    ("log-format", "text"),
    ("rust-log", "info"),
    ("otel-exporter-otlp-endpoint", ""),
    ("otel-exporter-otlp-headers", ""),
    ("otel-service-name", "api-server"),
];

/// The settings, limits, clock and database of a server that has not been started.
pub struct Options {
    database: Arc<Database>,
    limits: Limits,
    clock: TestClock,
    settings: Vec<(String, String)>,
}

impl Options {
    /// Creates options for a server on this database.
    #[must_use]
    pub fn new(database: impl Into<Arc<Database>>) -> Self {
        Self::for_shared_database(database.into(), TestClock::default())
    }

    /// Creates options for a server on a database that another server may already use.
    pub(crate) fn for_shared_database(database: Arc<Database>, clock: TestClock) -> Self {
        let generated_secret = Secret::generate().unwrap();
        let secret = String::from_utf8(generated_secret.expose().to_vec()).unwrap();
        let database_url = database.url();
        let own_settings = [("database-url", &*database_url), ("auth-secret", &secret)];
        let settings = DEFAULT_SETTINGS.iter().copied().chain(own_settings);
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut limits = Limits::default();
        limits.drain_timeout = Duration::ZERO;
        // The default is one thread per core. On a machine with many cores, many tests run in parallel, and all their
        // servers would together have thousands of threads.
        limits.worker_threads = 2;
        Self {
            database,
            limits,
            clock,
            settings: settings.collect(),
        }
    }

    /// Changes a setting. `name` is the flag of the setting without the leading dashes.
    #[must_use]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        let setting = self.settings.iter_mut().find(|(flag, _)| flag == name);
        value.clone_into(&mut setting.expect("a setting").1);
        self
    }

    /// Sets each of these settings to this duration.
    #[must_use]
    pub fn set_durations(self, names: &[&str], duration: Duration) -> Self {
        let text = format!("{}ms", duration.as_millis());
        names
            .iter()
            .fold(self, |options, name| options.set(name, &text))
    }

    /// Leaves out a setting, so that it has its default. The environment of the test run must not set it.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.settings.retain(|(flag, _)| flag != name);
        self
    }

    /// Makes the server serve its metrics.
    #[must_use]
    pub fn with_metrics(self) -> Self {
        self.set("metrics-addr", "127.0.0.1:0")
    }

    /// Makes the server trust proxies on IPv4 loopback addresses. If a request has the header `X-Forwarded-For`, the
    /// server then takes the IP address of the client from that header.
    #[must_use]
    pub fn behind_proxy(self) -> Self {
        self.set("trusted-proxies", "127.0.0.0/8")
    }

    /// Replaces the clock.
    #[must_use]
    pub fn clock(mut self, clock: TestClock) -> Self {
        self.clock = clock;
        self
    }

    /// Changes limits that are not settings.
    #[must_use]
    pub fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.limits);
        self
    }

    /// Parses the settings as the program parses command-line arguments.
    #[must_use]
    fn parse_settings(&self, command: &[&str]) -> Settings {
        let settings = self.settings.iter();
        let flags = settings.map(|(name, value)| format!("--{name}={value}"));
        let words = command.iter().map(|word| (*word).to_owned());
        let program = std::iter::once("api-server".to_owned());
        Settings::try_parse_from(program.chain(flags).chain(words)).unwrap()
    }

    /// Runs a command of the program in this process, on the database of these options. Returns whether it succeeded.
    pub async fn run_command(self, command: &[&str]) -> bool {
        let settings = self.parse_settings(command);
        let run = move || api_server::command::run(&settings);
        let exit_code = tokio::task::spawn_blocking(run).await.unwrap();
        exit_code == ExitCode::SUCCESS
    }

    /// Starts the server, which accepts requests when this function returns.
    #[must_use]
    pub fn start(self) -> App {
        let app = self.try_start();
        app.unwrap_or_else(|error| panic!("the server does not start: {error}"))
    }

    /// Starts the server.
    ///
    /// # Errors
    ///
    /// Returns the reason why the server did not start.
    pub fn try_start(self) -> Result<App, BuildError> {
        log_lines::start_collecting();
        let mut config = self.parse_settings(&[]).check()?;
        config.mail.folder = self.database.mail_folder();
        let server = server::build(config, self.limits, self.clock.for_server())?;
        let mut settings = self.settings.iter();
        let secret_setting = settings.find(|(name, _)| name == "auth-secret");
        let secret = secret_setting.unwrap().1.clone();
        Ok(App::new(server, self.clock, secret, self.database))
    }
}

#[cfg(test)]
mod tests {
    use super::Options;
    use crate::{Database, Engine};
    use api_server::config::Settings;
    use clap::CommandFactory as _;

    /// A setting that the harness does not set could come from the environment of the test run.
    #[test]
    fn every_setting_is_given_as_a_flag() {
        let options = Options::new(Database::new(Engine::Sqlite));
        let command = Settings::command();
        let arguments_with_variable = command
            .get_arguments()
            .filter(|argument| argument.get_env().is_some());
        for argument in arguments_with_variable {
            let flag = argument.get_long().unwrap();
            let is_set = options.settings.iter().any(|(name, _)| name == flag);
            assert!(is_set, "--{flag}");
        }
    }
}

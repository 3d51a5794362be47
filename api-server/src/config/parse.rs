//! Parses single settings and collects problems. Each parser returns the value, or says how to correct the setting.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;

use auth_core::password::Cost;
use ipnet::IpNet;

use super::postgres_url;
use crate::db::DatabaseUrl;
use crate::origin::Origin;
use crate::users::blocklist::Blocklist;

/// The longest lifetime that may be set for a token or a session: 400 days, the maximum of `auth_core::TokenIssuer`.
const MAX_LIFETIME: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// The shortest `REVOCATION_STALE_AFTER`.
const MIN_STALE_AFTER: Duration = Duration::from_secs(3);

/// The longest `SHUTDOWN_DELAY`.
const MAX_SHUTDOWN_DELAY: Duration = Duration::from_secs(60);

/// The shortest and the longest time limit of a connection.
const MIN_TIMEOUT: Duration = Duration::from_millis(100);
const MAX_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// An invalid setting, and how to correct it. Contains neither a secret nor a PostgreSQL URL.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettingProblem {
    /// Name of the environment variable, the command-line argument or the file with the problem.
    pub variable: &'static str,
    /// How to correct the setting.
    pub remedy: String,
}

/// The problems that one check of the settings has found, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettingProblems(pub Vec<SettingProblem>);

impl fmt::Display for SettingProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.0 {
            writeln!(f, "{}: {}", problem.variable, problem.remedy)?;
        }
        f.write_str("Nothing was started. See api-server --help for every setting.")
    }
}

impl std::error::Error for SettingProblems {}

impl SettingProblems {
    /// Returns all problems in one line, for the log of a running server that could not read its secrets and keys
    /// again.
    #[must_use]
    pub fn to_single_line(&self) -> String {
        let problems = self.0.iter();
        let texts = problems.map(|problem| format!("{}: {}", problem.variable, problem.remedy));
        texts.collect::<Vec<_>>().join("; ")
    }
}

/// Collects the problems of settings, so that all problems are reported together.
#[derive(Default)]
pub(super) struct ProblemCollector(Vec<SettingProblem>);

impl ProblemCollector {
    /// Returns the value, or records the problem and returns `None`.
    pub(super) fn ok_or_record<T>(
        &mut self,
        variable: &'static str,
        outcome: Result<T, String>,
    ) -> Option<T> {
        outcome
            .map_err(|remedy| self.0.push(SettingProblem { variable, remedy }))
            .ok()
    }

    pub(super) fn record_error(&mut self, variable: &'static str, outcome: Result<(), String>) {
        let _recorded = self.ok_or_record(variable, outcome);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the recorded problems, or else the value of `build`, which may be `None` only if a problem was recorded.
    pub(super) fn finish<T>(self, build: impl FnOnce() -> Option<T>) -> Result<T, SettingProblems> {
        match build() {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(SettingProblems(self.0)),
        }
    }
}

pub(super) fn socket_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_not_an_address| {
        "use an IP address and a port, such as 127.0.0.1:8080 or 0.0.0.0:8080".to_owned()
    })
}

/// Parses an optional address; `None` if the text is missing or empty.
pub(super) fn optional_socket_address(text: Option<&str>) -> Result<Option<SocketAddr>, String> {
    match text.unwrap_or_default().trim() {
        "" => Ok(None),
        address_text => socket_address(address_text).map(Some),
    }
}

pub(super) fn database_url(text: &str) -> Result<DatabaseUrl, String> {
    let url = DatabaseUrl::parse(text)?;
    if url.file().is_none() {
        postgres_url::check(text)?;
    }
    Ok(url)
}

pub(super) fn number(text: &str, min: u32, max: u32) -> Result<u32, String> {
    let parsed_number = text
        .parse()
        .ok()
        .filter(|number| (min..=max).contains(number));
    parsed_number.ok_or_else(|| format!("use a whole number from {min} to {max}"))
}

/// Parses a number of connections or of waiting requests, 1 to 1000000.
pub(super) fn count(text: &str) -> Result<usize, String> {
    number(text, 1, 1_000_000).map(|count| usize::try_from(count).unwrap_or(usize::MAX))
}

/// Rejects a limit per account that equals or exceeds the limit of the whole queue. A limit is `None` if its setting is
/// invalid.
pub(super) fn check_account_share(
    per_account: Option<usize>,
    total: Option<usize>,
) -> Result<(), String> {
    match (per_account, total) {
        (Some(per_account), Some(total)) if per_account >= total => Err(
            "must be lower than MAX_WAITING_QUERIES, so that one account cannot fill the queue"
                .to_owned(),
        ),
        _ => Ok(()),
    }
}

/// Parses a limit from 1 to 1000000; `None` if the text is `off`.
pub(super) fn optional_limit(text: &str) -> Result<Option<u32>, String> {
    if text == "off" {
        return Ok(None);
    }
    let limit_result = number(text, 1, 1_000_000).map(Some);
    limit_result.map_err(|remedy| format!("{remedy}, or off for no limit"))
}

pub(super) fn name(text: &str) -> Result<String, String> {
    if text.trim().is_empty() || text.trim() != text {
        return Err("use a name without white space around it".to_owned());
    }
    Ok(text.to_owned())
}

/// Parses the audience of another service. Rejects the audience of this server, whose tokens are never signed with a
/// derived key.
pub(super) fn service_audience(text: &str, auth_audience: Option<&str>) -> Result<String, String> {
    if auth_audience == Some(text) {
        return Err("AUTH_AUDIENCE is our own audience; list only other services".to_owned());
    }
    name(text)
}

/// Parses comma-separated audiences; absent or empty text means no audience.
pub(super) fn service_audiences(
    text: Option<&str>,
    auth_audience: Option<&str>,
) -> Result<Vec<String>, String> {
    let trimmed_text = text.unwrap_or_default().trim();
    if trimmed_text.is_empty() {
        return Ok(Vec::new());
    }
    trimmed_text
        .split(',')
        .map(|entry| match entry.trim() {
            "" => Err("use names between the commas, such as reports,billing".to_owned()),
            audience => service_audience(audience, auth_audience),
        })
        .collect()
}

pub(super) fn lifetime(text: &str) -> Result<Duration, String> {
    let parsed_lifetime = humantime::parse_duration(text).ok().filter(|lifetime| {
        (Duration::from_secs(1)..=MAX_LIFETIME).contains(lifetime) && lifetime.subsec_nanos() == 0
    });
    parsed_lifetime.ok_or_else(|| {
        "use a duration of whole seconds from 1s to 400d, such as 15m or 7d".to_owned()
    })
}

/// Rejects a session lifetime below the lifetime of an access token. A lifetime is `None` if the setting is invalid or
/// sets no limit.
pub(super) fn check_session_lifetime(
    session_ttl: Option<Duration>,
    access_token_ttl: Option<Duration>,
) -> Result<(), String> {
    match (session_ttl, access_token_ttl) {
        (Some(session_ttl), Some(access_token_ttl)) if session_ttl < access_token_ttl => Err(
            "is shorter than ACCESS_TOKEN_TTL; a session must last at least as long as its tokens"
                .to_owned(),
        ),
        _ => Ok(()),
    }
}

/// Parses a lifetime; `None` if the text is absent or empty.
pub(super) fn optional_lifetime(text: Option<&str>) -> Result<Option<Duration>, String> {
    match text.unwrap_or_default().trim() {
        "" => Ok(None),
        lifetime_text => lifetime(lifetime_text).map(Some),
    }
}

/// Parses the time after which tokens are rejected if the revocations cannot be read. They are read twice a second, and
/// a read may take 2.5 seconds, so a shorter time than [`MIN_STALE_AFTER`] would reject tokens without need.
pub(super) fn stale_after(text: Option<&str>) -> Result<Option<Duration>, String> {
    match optional_lifetime(text) {
        Ok(Some(time)) if time < MIN_STALE_AFTER => Err(()),
        outcome => outcome.map_err(drop),
    }
    .map_err(|()| "use a duration of whole seconds from 3s to 400d, such as 10s".to_owned())
}

fn duration_within(
    range: RangeInclusive<Duration>,
    text: &str,
    remedy: &str,
) -> Result<Duration, String> {
    let parsed_duration = humantime::parse_duration(text).ok();
    parsed_duration
        .filter(|duration| range.contains(duration))
        .ok_or_else(|| remedy.to_owned())
}

pub(super) fn shutdown_delay(text: &str) -> Result<Duration, String> {
    const REMEDY: &str = "use a duration from 0s to 60s, such as 2s";
    duration_within(Duration::ZERO..=MAX_SHUTDOWN_DELAY, text, REMEDY)
}

/// Parses a time limit of a connection.
pub(super) fn timeout(text: &str) -> Result<Duration, String> {
    const REMEDY: &str = "use a duration from 100ms to 1h, such as 10s";
    duration_within(MIN_TIMEOUT..=MAX_TIMEOUT, text, REMEDY)
}

pub(super) fn boolean(text: &str) -> Result<bool, String> {
    bool::from_str(text).map_err(|_not_a_boolean| "use true or false".to_owned())
}

/// Parses the cost of bcrypt: 10 to 15, and with `allow_weak` also 4 to 9.
pub(super) fn bcrypt_cost(text: &str, allow_weak: bool) -> Result<Cost, String> {
    const REMEDY: &str = "use 10 to 15; each step doubles the time of a login";
    const WEAK_REMEDY: &str =
        "4 to 9 is for tests and needs ALLOW_WEAK_HASHING=true; otherwise use 10 to 15";
    match text.parse() {
        Ok(cost @ 10..=15) => Cost::new(cost).map_err(|error| error.to_string()),
        Ok(cost @ 4..=9) if allow_weak => Cost::new(cost).map_err(|error| error.to_string()),
        Ok(4..=9) => Err(WEAK_REMEDY.to_owned()),
        _ => Err(REMEDY.to_owned()),
    }
}

/// Reads the passwords in a file, one per line; an empty list if no file is named.
pub(super) fn blocklist(file: Option<&str>) -> Result<Blocklist, String> {
    let Some(file) = file.filter(|file| !file.is_empty()) else {
        return Ok(Blocklist::default());
    };
    let blocklist = Blocklist::read(Path::new(file))?;
    log::info!("read {} passwords to reject from {file}", blocklist.len());
    Ok(blocklist)
}

/// Returns the name of a file; `None` if the text is absent or empty.
pub(super) fn file_path(text: Option<&str>) -> Option<&str> {
    text.filter(|name| !name.is_empty())
}

/// Returns the comma-separated entries of a setting, trimmed and without empty entries.
pub(super) fn comma_separated(text: Option<&str>) -> impl Iterator<Item = &str> {
    let trimmed_entries = text.unwrap_or_default().split(',').map(str::trim);
    trimmed_entries.filter(|entry| !entry.is_empty())
}

pub(super) fn origins(text: Option<&str>) -> Result<Vec<Origin>, String> {
    const WILDCARD_REMEDY: &str = "* would let any website act for your users; list exact origins";
    comma_separated(text)
        .map(|entry| match entry {
            pattern if pattern.contains('*') => Err(WILDCARD_REMEDY.to_owned()),
            exact_origin => Origin::parse(exact_origin)
                .map_err(|remedy| format!("{remedy}; {exact_origin:?} is not an origin")),
        })
        .collect()
}

/// Parses comma-separated networks. A single IP address means the network of only this address.
pub(super) fn networks(text: Option<&str>) -> Result<Vec<IpNet>, String> {
    comma_separated(text)
        .map(|entry| {
            let parse_address = || entry.parse().ok().map(|address: IpAddr| address.into());
            let parsed_network = entry.parse().ok().or_else(parse_address);
            parsed_network.ok_or_else(|| {
                "use networks or addresses, such as 10.0.0.0/8,192.168.1.7".to_owned()
            })
        })
        .collect()
}

pub(super) fn check_log_filter(text: &str) -> Result<(), String> {
    let mut builder = env_filter::Builder::new();
    match builder.try_parse(text) {
        Ok(_filter) => Ok(()),
        Err(error) => Err(format!(
            "use a filter such as info or info,api_server=debug ({error})"
        )),
    }
}

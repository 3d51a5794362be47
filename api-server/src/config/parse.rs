//! One function per kind of setting: text in, value or remedy out.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;

use auth_core::password::Cost;
use ipnet::IpNet;

use super::postgres_url;
use crate::db::DatabaseUrl;
use crate::origin::Origin;
use crate::users::blocklist::Blocklist;

const MAX_LIFETIME: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// A setting that cannot be used, and what to do about it. Never quotes the value: it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettingProblem {
    /// The environment variable.
    pub variable: &'static str,
    /// What to do.
    pub remedy: String,
}

/// All settings that cannot be used.
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
    /// For the log of a server that goes on without them.
    #[must_use]
    pub fn in_one_line(&self) -> String {
        let problems = self.0.iter();
        let problems = problems.map(|problem| format!("{}: {}", problem.variable, problem.remedy));
        problems.collect::<Vec<_>>().join("; ")
    }
}

#[derive(Default)]
pub(super) struct Collector(Vec<SettingProblem>);

impl Collector {
    pub(super) fn take<T>(
        &mut self,
        variable: &'static str,
        outcome: Result<T, String>,
    ) -> Option<T> {
        outcome
            .map_err(|remedy| self.0.push(SettingProblem { variable, remedy }))
            .ok()
    }

    pub(super) fn check(&mut self, variable: &'static str, outcome: Result<(), String>) {
        let _checked = self.take(variable, outcome);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `assemble` gives `None` only when a problem was noted.
    pub(super) fn finish<T>(
        self,
        assemble: impl FnOnce() -> Option<T>,
    ) -> Result<T, SettingProblems> {
        match assemble() {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(SettingProblems(self.0)),
        }
    }
}

pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_not_an_address| {
        "use an IP address and a port, such as 127.0.0.1:8080 or 0.0.0.0:8080".to_owned()
    })
}

pub(super) fn database(text: &str) -> Result<DatabaseUrl, String> {
    let url = DatabaseUrl::parse(text)?;
    if url.file().is_none() {
        postgres_url::check(text)?;
    }
    Ok(url)
}

pub(super) fn number(text: &str, min: u32, max: u32) -> Result<u32, String> {
    let number = text
        .parse()
        .ok()
        .filter(|number| (min..=max).contains(number));
    number.ok_or_else(|| format!("use a whole number from {min} to {max}"))
}

/// How much of something is allowed; `None` for any number.
pub(super) fn allowance(text: &str) -> Result<Option<u32>, String> {
    if text == "off" {
        return Ok(None);
    }
    let number = number(text, 1, 1_000_000).map(Some);
    number.map_err(|remedy| format!("{remedy}, or off for no limit"))
}

pub(super) fn name(text: &str) -> Result<String, String> {
    if text.trim().is_empty() || text.trim() != text {
        return Err("use a name without white space around it".to_owned());
    }
    Ok(text.to_owned())
}

/// The audience of another service. Our own is none: the secret itself signs for it.
pub(super) fn service(text: &str, own: Option<&str>) -> Result<String, String> {
    if own == Some(text) {
        return Err("AUTH_AUDIENCE is our own; name other services".to_owned());
    }
    name(text)
}

pub(super) fn services(text: Option<&str>, own: Option<&str>) -> Result<Vec<String>, String> {
    let text = text.unwrap_or_default().trim();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let listed = text.split(',').map(str::trim);
    listed
        .map(|entry| match entry {
            "" => Err("use names between the commas, such as reports,billing".to_owned()),
            entry => service(entry, own),
        })
        .collect()
}

pub(super) fn lifetime(text: &str) -> Result<Duration, String> {
    let lifetime = humantime::parse_duration(text).ok().filter(|lifetime| {
        (Duration::from_secs(1)..=MAX_LIFETIME).contains(lifetime) && lifetime.subsec_nanos() == 0
    });
    lifetime.ok_or_else(|| {
        "use a duration of whole seconds from 1s to 400d, such as 15m or 7d".to_owned()
    })
}

pub(super) fn ordered(access: Option<Duration>, session: Option<Duration>) -> Result<(), String> {
    match (access, session) {
        (Some(access), Some(session)) if session < access => Err(
            "is shorter than ACCESS_TOKEN_TTL; a session lasts at least as long as its tokens"
                .to_owned(),
        ),
        _ => Ok(()),
    }
}

/// Empty is as good as absent.
pub(super) fn optional_lifetime(text: Option<&str>) -> Result<Option<Duration>, String> {
    match text.unwrap_or_default().trim() {
        "" => Ok(None),
        text => lifetime(text).map(Some),
    }
}

pub(super) fn flag(text: &str) -> Result<bool, String> {
    bool::from_str(text).map_err(|_neither| "use true or false".to_owned())
}

pub(super) fn cost(text: &str, allow_weak: bool) -> Result<Cost, String> {
    const STRONG: &str = "use 10 to 15; each step doubles the time of a login";
    let weak_hint = "4 to 9 is for tests and needs ALLOW_WEAK_HASHING=true; otherwise use 10 to 15";
    match text.parse() {
        Ok(cost @ 10..=15) => Cost::new(cost).map_err(|error| error.to_string()),
        Ok(cost @ 4..=9) if allow_weak => Cost::new(cost).map_err(|error| error.to_string()),
        Ok(4..=9) => Err(weak_hint.to_owned()),
        _ => Err(STRONG.to_owned()),
    }
}

/// Without a file, or with an empty name, an empty list.
pub(super) fn blocklist(file: Option<&str>) -> Result<Blocklist, String> {
    let Some(file) = file.filter(|file| !file.is_empty()) else {
        return Ok(Blocklist::default());
    };
    let list = Blocklist::read(Path::new(file))?;
    log::info!("{file} has {} passwords that may not be set", list.len());
    Ok(list)
}

/// `None` only where `BIND_ADDR`, whose default it takes, is reported itself.
pub(super) fn public_url(
    text: Option<&str>,
    bind: Option<SocketAddr>,
) -> Result<Option<Origin>, String> {
    match text {
        None => Ok(bind.map(Origin::of_address)),
        Some(text) => Ok(Some(Origin::parse(text)?)),
    }
}

pub(super) fn origins(text: Option<&str>) -> Result<Vec<Origin>, String> {
    const WILDCARD: &str =
        "* would let sites you do not know act for your users; list exact origins";
    let listed = text.unwrap_or_default().split(',').map(str::trim);
    listed
        .filter(|origin| !origin.is_empty())
        .map(|origin| match origin {
            wild if wild.contains('*') => Err(WILDCARD.to_owned()),
            exact => Origin::parse(exact)
                .map_err(|remedy| format!("{remedy}; the origin {exact:?} is not")),
        })
        .collect()
}

pub(super) fn networks(text: Option<&str>) -> Result<Vec<IpNet>, String> {
    let listed = text.unwrap_or_default().split(',').map(str::trim);
    listed
        .filter(|network| !network.is_empty())
        .map(|network| {
            let single = || network.parse().ok().map(|address: IpAddr| address.into());
            let parsed = network.parse().ok().or_else(single);
            parsed.ok_or_else(|| {
                "use networks or addresses, such as 10.0.0.0/8,192.168.1.7".to_owned()
            })
        })
        .collect()
}

pub(super) fn log_filter(text: &str) -> Result<(), String> {
    let mut builder = env_filter::Builder::new();
    match builder.try_parse(text) {
        Ok(_filter) => Ok(()),
        Err(error) => Err(format!(
            "use a filter such as info or info,api_server=debug ({error})"
        )),
    }
}

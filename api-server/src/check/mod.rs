//! Checks an installation without changing anything, for `api-server check`. Prints each finding in one line: `OK`, or
//! `WARN` or `WRONG` with what to do.

mod certificate;
mod database;
mod files;
mod web;

use std::io;
use std::io::Write;
use std::time::SystemTime;

use crate::config::{Config, Settings};
use crate::mail::test_mail;

/// The result for one part of the installation: what was found, or what is wrong and what to do.
struct Finding {
    part: &'static str,
    outcome: Result<String, String>,
    /// Whether the operator must do something soon, although nothing is wrong yet.
    is_warning: bool,
}

impl Finding {
    fn ok(part: &'static str, text: impl Into<String>) -> Self {
        Self {
            part,
            outcome: Ok(text.into()),
            is_warning: false,
        }
    }

    fn warning(part: &'static str, text: impl Into<String>) -> Self {
        Self {
            is_warning: true,
            ..Self::ok(part, text)
        }
    }

    fn wrong(part: &'static str, remedy: impl Into<String>) -> Self {
        Self {
            part,
            outcome: Err(remedy.into()),
            is_warning: false,
        }
    }

    /// Returns the finding as one line. Replaces line breaks in the text by spaces, because the text may quote another
    /// program, such as PostgreSQL.
    fn to_line(&self) -> String {
        let (word, text) = match &self.outcome {
            Ok(text) if self.is_warning => ("WARN ", text),
            Ok(text) => ("OK   ", text),
            Err(text) => ("WRONG", text),
        };
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        format!("{word} {}: {text}", self.part)
    }
}

/// Checks every part and prints each finding as soon as it is known. If a setting is invalid, checks only the settings
/// and, if `DATABASE_URL` and the settings of the log are valid, the database and its files. Returns false if anything
/// is wrong. Warnings do not count.
///
/// # Errors
///
/// If a finding cannot be printed.
pub(crate) fn run(settings: &Settings, now: SystemTime, out: &mut impl Write) -> io::Result<bool> {
    let mut is_all_right = true;
    let mut print = |findings: Vec<Finding>| -> io::Result<()> {
        for finding in findings {
            is_all_right &= finding.outcome.is_ok();
            writeln!(out, "{}", finding.to_line())?;
        }
        out.flush()
    };
    let (findings, config) = check_settings(settings);
    print(findings)?;
    if let Ok(url) = settings.check_database() {
        print(database::check(&url, now))?;
        print(files::check(&url))?;
    }
    if let Some(config) = config {
        print(web::check(&config.web))?;
        print(certificate::check(&config.web, now))?;
        print(vec![check_mails(&config)])?;
    }
    Ok(is_all_right)
}

fn check_settings(settings: &Settings) -> (Vec<Finding>, Option<Config>) {
    match settings.check_without_changes() {
        Ok(config) => {
            let mut findings = vec![Finding::ok("settings", "all are valid")];
            findings.extend(key_finding(&config));
            (findings, Some(config))
        }
        Err(problems) => {
            let problems = problems.0.into_iter();
            let findings = problems.map(|problem| Finding::wrong(problem.variable, problem.remedy));
            (findings.collect(), None)
        }
    }
}

/// Lists the public keys that the server would publish; `None` if there are none.
fn key_finding(config: &Config) -> Option<Finding> {
    let keys = &config.token_keys;
    let url = config.web.public_url.as_str();
    let has_keys = keys.key_set().is_ok_and(|key_set| key_set.is_some());
    has_keys.then(|| Finding::ok("keys", format!("{keys} at {url}/.well-known/jwks.json")))
}

fn check_mails(config: &Config) -> Finding {
    const CHECKED_PART: &str = "mails";
    let folder = &config.mail.folder;
    match test_mail::probe(&config.mail) {
        Ok(Some(server)) => Finding::ok(CHECKED_PART, format!("{server} accepts connections")),
        Ok(None) if files::is_writable_or_creatable(folder) => {
            let folder = folder.display();
            Finding::ok(
                CHECKED_PART,
                format!("SMTP_URL is not set, so mails are written to {folder}"),
            )
        }
        Ok(None) => {
            let folder = folder.display();
            Finding::wrong(
                CHECKED_PART,
                format!("the folder {folder} is not writable; set SMTP_URL, or make it writable"),
            )
        }
        Err(error) => Finding::wrong(CHECKED_PART, format!("{error}; check SMTP_URL")),
    }
}

#[cfg(test)]
mod tests {
    use super::Finding;

    #[test]
    fn a_finding_is_one_line() {
        let finding = Finding::wrong("database", "FATAL:  no\n\tsuch role\n");
        assert_eq!(finding.to_line(), "WRONG database: FATAL: no such role");
        assert_eq!(
            Finding::ok("clock", "right").to_line(),
            "OK    clock: right"
        );
        assert_eq!(
            Finding::warning("TLS_CERT", "it expires").to_line(),
            "WARN  TLS_CERT: it expires"
        );
    }
}

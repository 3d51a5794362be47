//! The languages of the mails.

use std::time::SystemTime;

use chrono::{DateTime, Datelike as _, Utc};
use validator::ValidationError;

use crate::problem::violation::{FieldViolation, validation_result};

const GERMAN_MONTHS: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];

/// The most entries of an `Accept-Language` header that are read.
const MAX_ENTRIES: usize = 50;

/// A language in which mails are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum Language {
    /// The default for users whose language is unknown.
    #[default]
    English,
    German,
}

impl Language {
    /// Every language.
    pub(crate) const ALL: [Self; 2] = [Self::English, Self::German];

    /// Returns the tag of the language (RFC 5646): the name in the database, in headers and in the names of templates.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// Returns the language with this tag.
    pub(crate) fn parse(tag: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|language| language.as_str() == tag)
    }

    /// Returns the language that an `Accept-Language` header prefers (RFC 9110 § 12.5.4), or `None` if it asks for no
    /// [`Language`]. Of languages with the same quality, the first wins. `*` is ignored.
    pub(crate) fn from_accept_language(header: &str) -> Option<Self> {
        let entries = header.split(',').take(MAX_ENTRIES);
        let accepted = entries.filter_map(accepted_language);
        accepted
            .reduce(|best, next| if next.1 > best.1 { next } else { best })
            .map(|(language, _quality)| language)
    }

    /// Formats a time for a reader of this language, in UTC, to the minute.
    pub(super) fn format_time(self, time: SystemTime) -> String {
        let time = DateTime::<Utc>::from(time);
        match self {
            Self::English => time.format("%-d %B %Y, %H:%M UTC").to_string(),
            Self::German => {
                let month = GERMAN_MONTHS
                    .get(time.month0() as usize)
                    .copied()
                    .unwrap_or_default();
                let day = time.day();
                format!("{day}. {month} {}", time.format("%Y, %H:%M Uhr (UTC)"))
            }
        }
    }
}

/// Validates the tag of a language.
pub(crate) fn validate_language(tag: &str) -> Result<(), ValidationError> {
    validation_result(Language::parse(tag).ok_or(UNKNOWN_LANGUAGE))
}

const UNKNOWN_LANGUAGE: FieldViolation =
    FieldViolation::new("unknown_language", "must be en or de");

/// Parses one entry, such as `de-AT;q=0.8`. Returns the language and its quality in thousandths, or `None` if the entry
/// is malformed, names no [`Language`] or has the quality 0.
fn accepted_language(entry: &str) -> Option<(Language, u16)> {
    let mut parts = entry.split(';').map(str::trim);
    let range = parts.next()?.to_ascii_lowercase();
    let language = Language::parse(range.split('-').next()?)?;
    let quality = match parts.next() {
        None => 1000,
        Some(parameter) => quality(parameter)?,
    };
    (quality > 0).then_some((language, quality))
}

/// Parses `q=0.8` to thousandths.
fn quality(parameter: &str) -> Option<u16> {
    let (name, value) = parameter.split_once('=')?;
    let (whole, fraction) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    let is_short_number =
        |text: &str| text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !name.trim().eq_ignore_ascii_case("q") || !is_short_number(fraction) {
        return None;
    }
    let thousandths: u16 = format!("{fraction:0<3}").parse().ok()?;
    match (whole, thousandths) {
        ("0", _) => Some(thousandths),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::Language;

    #[test]
    fn the_tag_of_each_language_is_parsed_back() {
        for language in Language::ALL {
            assert_eq!(Language::parse(language.as_str()), Some(language));
        }
        for tag in ["", "EN", "de-DE", "fr"] {
            assert_eq!(Language::parse(tag), None, "{tag:?}");
        }
    }

    #[test]
    fn the_preferred_language_of_the_header_is_chosen() {
        for (header, language) in [
            ("de", Language::German),
            ("DE-at", Language::German),
            ("de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7", Language::German),
            (
                "fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5",
                Language::English,
            ),
            ("en;q=0.1, de;q=0.2", Language::German),
            ("en ; q=0.5 , de ; q=0.501", Language::German),
            ("en, de", Language::English),
            ("de, en", Language::German),
            ("de;q=0, en;q=0.001", Language::English),
            ("de;q=1.000, en", Language::German),
        ] {
            assert_eq!(
                Language::from_accept_language(header),
                Some(language),
                "{header}"
            );
        }
    }

    #[test]
    fn a_header_without_our_languages_chooses_none() {
        let long_header = format!("{}de", "fr,".repeat(50));
        for header in [
            "",
            "*",
            "fr",
            "den",
            "deutsch",
            "de;q=0",
            "de;q=0.000",
            "de;q=",
            "de;q=2",
            "de;q=1.1",
            "de;q=-1",
            "de;q=0.1234",
            "de;x=1",
            "en_US",
            ";;,,=",
            &long_header,
        ] {
            assert_eq!(Language::from_accept_language(header), None, "{header:?}");
        }
    }

    #[test]
    fn times_are_written_as_readers_expect() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_438_709);
        assert_eq!(
            Language::English.format_time(time),
            "2 March 2026, 08:05 UTC"
        );
        assert_eq!(
            Language::German.format_time(time),
            "2. März 2026, 08:05 Uhr (UTC)"
        );
    }
}

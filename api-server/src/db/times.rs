//! Parses times in the formats of other software, for imports, and formats times for exports.

use chrono::{DateTime, Datelike as _, NaiveDateTime, SecondsFormat};

use super::types::Timestamp;

/// A number whose absolute value is at least this is read as milliseconds since 1970, any other number as seconds. So
/// milliseconds are read correctly for times after 1973, and seconds for times before the year 5138.
const MIN_MILLIS: f64 = 1e11;

impl Timestamp {
    /// Parses RFC 3339, also with a space instead of `T` or without an offset (UTC), a number of seconds or
    /// milliseconds since 1970, or `@` and a number of microseconds since 1970. `None` for any other text, and if the
    /// year is not in 1 to 9999.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let micros = match text.strip_prefix('@') {
            Some(micros) => micros.parse().ok()?,
            None => micros_from_number(text).or_else(|| micros_from_date_time(text))?,
        };
        let valid_years = 1..10_000;
        let time = DateTime::from_timestamp_micros(micros)?;
        valid_years
            .contains(&time.year())
            .then(|| Self::from_unix_micros(micros))
    }

    /// Returns the time in RFC 3339 format, with six digits for the microseconds.
    pub(crate) fn to_rfc3339_micros(self) -> String {
        let time = DateTime::from_timestamp_micros(self.unix_micros()).unwrap_or_default();
        time.to_rfc3339_opts(SecondsFormat::Micros, true)
    }
}

fn micros_from_number(text: &str) -> Option<i64> {
    let is_number = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let number: f64 = text.parse().ok().filter(|_| is_number)?;
    let micros = number * if number.abs() < MIN_MILLIS { 1e6 } else { 1e3 };
    // Times in the years 1 to 9999 are less than 1e18 microseconds from 1970, which fits into an `i64`.
    let is_in_range = micros.abs() < 1e18;
    #[expect(clippy::cast_possible_truncation, reason = "in range")]
    is_in_range.then(|| micros.round() as i64)
}

fn micros_from_date_time(text: &str) -> Option<i64> {
    let parse_without_offset = |format| NaiveDateTime::parse_from_str(text, format).ok();
    let parse_with_offset = |format| DateTime::parse_from_str(text, format).ok();
    let time = DateTime::parse_from_rfc3339(text)
        .ok()
        .or_else(|| parse_with_offset("%Y-%m-%d %H:%M:%S%.f%#z"))
        .map(|time| time.to_utc())
        .or_else(|| Some(parse_without_offset("%Y-%m-%d %H:%M:%S%.f")?.and_utc()))
        .or_else(|| Some(parse_without_offset("%Y-%m-%dT%H:%M:%S%.f")?.and_utc()))?;
    Some(time.timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn all_formats_of_one_time_are_equal() {
        let time = Timestamp::from_unix_micros(1_795_179_471_869_000);
        for text in [
            "2026-11-20T12:57:51.869Z",
            "2026-11-20T12:57:51.869000Z",
            "2026-11-20T14:57:51.869+02:00",
            "2026-11-20T12:57:51.869",
            "2026-11-20 12:57:51.869",
            "2026-11-20 12:57:51.869+00",
            "2026-11-20 14:57:51.869+02:00",
            "1795179471869",
            "1795179471869.0",
            "1795179471.869",
            "@1795179471869000",
        ] {
            assert_eq!(Timestamp::parse(text), Some(time), "{text}");
        }
        assert_eq!(time.to_rfc3339_micros(), "2026-11-20T12:57:51.869000Z");
        assert_eq!(Timestamp::parse(&time.to_rfc3339_micros()), Some(time));
        let whole_second = Timestamp::from_unix_micros(1_795_179_471_000_000);
        assert_eq!(Timestamp::parse("1795179471"), Some(whole_second));
        assert_eq!(Timestamp::parse("2026-11-20 12:57:51"), Some(whole_second));
    }

    #[test]
    fn texts_that_are_no_time_in_the_years_1_to_9999_are_rejected() {
        for text in [
            "",
            "infinity",
            "-infinity",
            "NaN",
            "inf",
            "0000-12-31T23:59:59Z",
            "0044-03-15 00:00:00+00 BC",
            "+10000-01-01T00:00:00Z",
            "10000-01-01 00:00:00+00",
            "2026-02-30T00:00:00Z",
            "2026-11-20",
            "1e300",
            "-1e17",
            "999999999999999999",
            "@",
            "@9223372036854775807",
            "@9223372036854775808",
            "yesterday",
            "1\0",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text:?}");
        }
    }
}

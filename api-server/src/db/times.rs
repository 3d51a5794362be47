//! Times as others write them.

use chrono::{DateTime, Datelike as _, NaiveDateTime, SecondsFormat};

use super::types::Timestamp;

/// A number below is of seconds, above of milliseconds: the year 5138, and 1973.
const LEAST_MILLIS: f64 = 1e11;

impl Timestamp {
    /// Reads RFC 3339; `2026-11-20 12:57:51.869`, which is UTC unless it says otherwise; a number of seconds or
    /// milliseconds since 1970; `@` and a number of microseconds. `None` outside the years 1 to 9999.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let micros = match text.strip_prefix('@') {
            Some(micros) => micros.parse().ok()?,
            None => number(text).or_else(|| calendar(text))?,
        };
        let years = 1..10_000;
        let time = DateTime::from_timestamp_micros(micros)?;
        years
            .contains(&time.year())
            .then(|| Self::from_micros(micros))
    }

    /// RFC 3339 with nothing left out.
    pub(crate) fn to_rfc3339_micros(self) -> String {
        let time = DateTime::from_timestamp_micros(self.micros()).unwrap_or_default();
        time.to_rfc3339_opts(SecondsFormat::Micros, true)
    }
}

fn number(text: &str) -> Option<i64> {
    let is_number = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let number: f64 = text.parse().ok().filter(|_| is_number)?;
    let micros = number
        * if number.abs() < LEAST_MILLIS {
            1e6
        } else {
            1e3
        };
    // What chrono's years leave free is far from where whole numbers end.
    let in_range = micros.abs() < 1e18;
    #[expect(clippy::cast_possible_truncation, reason = "in range")]
    in_range.then(|| micros.round() as i64)
}

fn calendar(text: &str) -> Option<i64> {
    let local = |format| NaiveDateTime::parse_from_str(text, format).ok();
    let offset = |format| DateTime::parse_from_str(text, format).ok();
    let time = DateTime::parse_from_rfc3339(text)
        .ok()
        .or_else(|| offset("%Y-%m-%d %H:%M:%S%.f%#z"))
        .map(|time| time.to_utc())
        .or_else(|| Some(local("%Y-%m-%d %H:%M:%S%.f")?.and_utc()))
        .or_else(|| Some(local("%Y-%m-%dT%H:%M:%S%.f")?.and_utc()))?;
    Some(time.timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn one_time_is_written_in_many_ways() {
        let time = Timestamp::from_micros(1_795_179_471_869_000);
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
        let whole = Timestamp::from_micros(1_795_179_471_000_000);
        assert_eq!(Timestamp::parse("1795179471"), Some(whole));
        assert_eq!(Timestamp::parse("2026-11-20 12:57:51"), Some(whole));
    }

    #[test]
    fn what_is_no_time_of_the_years_1_to_9999_is_refused() {
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

//! The type of points in time, in the database and in JSON.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, SecondsFormat, Timelike as _};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::Pg;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types;
use diesel::sqlite::Sqlite;
use serde::{Serialize, Serializer};

use super::dialect::MultiBackend;

/// A point in time in UTC, with microseconds, the precision of PostgreSQL. In JSON it is RFC 3339 text with
/// milliseconds and `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = sql_types::Timestamp)]
pub(crate) struct Timestamp(NaiveDateTime);

impl Timestamp {
    /// Returns the time `micros` microseconds after the start of 1970, or the start of 1970 if chrono does not support
    /// that time.
    pub(crate) fn from_unix_micros(micros: i64) -> Self {
        Self(
            DateTime::from_timestamp_micros(micros)
                .unwrap_or_default()
                .naive_utc(),
        )
    }

    pub(crate) fn unix_micros(self) -> i64 {
        self.0.and_utc().timestamp_micros()
    }

    /// Returns whole seconds since 1970, rounded down, as in tokens (`NumericDate`, RFC 7519 § 2).
    pub(crate) fn unix_seconds(self) -> i64 {
        self.unix_micros().div_euclid(1_000_000)
    }

    /// Returns whole seconds since 1970, rounded up.
    pub(crate) fn unix_seconds_rounded_up(self) -> i64 {
        -(-self.unix_micros()).div_euclid(1_000_000)
    }

    pub(crate) fn plus(self, duration: Duration) -> Self {
        Self::from_unix_micros(self.unix_micros().saturating_add(duration_micros(duration)))
    }

    pub(crate) fn minus(self, duration: Duration) -> Self {
        Self::from_unix_micros(self.unix_micros().saturating_sub(duration_micros(duration)))
    }

    /// Returns the time from `earlier` to `self`; zero if `earlier` is later than `self`, which is possible if a clock
    /// was set back or the clocks of two machines differ.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        (self.0 - earlier.0).to_std().unwrap_or_default()
    }

    pub(crate) fn to_system_time(self) -> SystemTime {
        UNIX_EPOCH + self.since(Self::from_unix_micros(0))
    }

    /// Returns the time in RFC 3339 format with milliseconds; `None` if the year is not in 0 to 9999. Much faster than
    /// chrono's own formatting, which matters for a page of tasks with two times per task.
    fn to_rfc3339_millis(self) -> Option<[u8; 24]> {
        let digit = |number: u32| b'0' + u8::try_from(number % 10).unwrap_or_default();
        let year = u32::try_from(self.0.year())
            .ok()
            .filter(|year| *year < 10_000)?;
        let (month, day) = (self.0.month(), self.0.day());
        let (hour, minute, second) = (self.0.hour(), self.0.minute(), self.0.second());
        let milli = self.0.nanosecond() / 1_000_000;
        #[rustfmt::skip]
        let text = [
            digit(year / 1000), digit(year / 100), digit(year / 10), digit(year), b'-',
            digit(month / 10), digit(month), b'-', digit(day / 10), digit(day), b'T',
            digit(hour / 10), digit(hour), b':', digit(minute / 10), digit(minute), b':',
            digit(second / 10), digit(second), b'.',
            digit(milli / 100), digit(milli / 10), digit(milli), b'Z',
        ];
        Some(text)
    }
}

fn duration_micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::from_unix_micros(i64::try_from(since_epoch.as_micros()).unwrap_or_default())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes = self.to_rfc3339_millis();
        let text = bytes.as_ref().map(|bytes| std::str::from_utf8(bytes));
        if let Some(Ok(text)) = text {
            return serializer.serialize_str(text);
        }
        let time = self.0.and_utc();
        serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl<DB: Backend> ToSql<sql_types::Timestamp, DB> for Timestamp
where
    NaiveDateTime: ToSql<sql_types::Timestamp, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.0.to_sql(out)
    }
}

impl FromSql<sql_types::Timestamp, MultiBackend> for Timestamp {
    fn from_sql(value: <MultiBackend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        value.from_sql::<Self, sql_types::Timestamp>()
    }
}

impl FromSql<sql_types::Timestamp, Pg> for Timestamp {
    fn from_sql(value: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let time: NaiveDateTime = FromSql::<sql_types::Timestamp, Pg>::from_sql(value)?;
        Ok(Self(time))
    }
}

/// SQLite stores times as text. [`parse_sqlite_timestamp`] reads digits at fixed positions. diesel's own conversion
/// tries a list of formats instead, which would take an eighth of the time of listing tasks.
impl FromSql<sql_types::Timestamp, Sqlite> for Timestamp {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<sql_types::Text, Sqlite>>::from_sql(value)?;
        let time = parse_sqlite_timestamp(text.as_bytes()).map_or_else(|| text.parse(), Ok)?;
        Ok(Self(time))
    }
}

/// Parses a text like `2026-11-20 12:57:51`, optionally with a fraction of one to nine digits; `None` for any other
/// text and for an invalid time.
fn parse_sqlite_timestamp(text: &[u8]) -> Option<NaiveDateTime> {
    #[rustfmt::skip]
    let [
        y1, y2, y3, y4, b'-', mo1, mo2, b'-', d1, d2, b' ',
        h1, h2, b':', mi1, mi2, b':', s1, s2, fraction @ ..
    ] = text else { return None };
    let year = i32::try_from(parse_digits(&[*y1, *y2, *y3, *y4])?).ok()?;
    let date = NaiveDate::from_ymd_opt(
        year,
        parse_digits(&[*mo1, *mo2])?,
        parse_digits(&[*d1, *d2])?,
    )?;
    let nanos = match fraction {
        [] => 0,
        [b'.', digits @ ..] if (1..=9).contains(&digits.len()) => {
            parse_digits(digits)? * 10_u32.pow(9 - u32::try_from(digits.len()).ok()?)
        }
        _ => return None,
    };
    date.and_hms_nano_opt(
        parse_digits(&[*h1, *h2])?,
        parse_digits(&[*mi1, *mi2])?,
        parse_digits(&[*s1, *s2])?,
        nanos,
    )
}

fn parse_digits(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number: u32, character| {
        let digit = character.wrapping_sub(b'0');
        (digit < 10).then(|| number * 10 + u32::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::{Timestamp, parse_sqlite_timestamp};
    use chrono::NaiveDateTime;

    fn to_json(micros: i64) -> String {
        let json = serde_json::to_string(&Timestamp::from_unix_micros(micros)).unwrap();
        json.trim_matches('"').to_owned()
    }

    #[test]
    fn json_has_three_fractional_digits_and_z() {
        for (micros, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_700_000_000_123_999, "2023-11-14T22:13:20.123Z"),
            (253_402_300_799_999_999, "9999-12-31T23:59:59.999Z"),
            (253_402_300_800_000_000, "+10000-01-01T00:00:00.000Z"),
            (-62_167_219_200_000_001, "-0001-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(to_json(micros), text);
        }
    }

    #[test]
    fn json_equals_the_output_of_chrono() {
        /// About three years, in microseconds. Not a whole number of seconds, so that the milliseconds are not 0 at
        /// every step.
        const STEP_MICROS: i64 = 99_999_999_999_973;
        for step in -100..100 {
            let time = Timestamp::from_unix_micros(step * STEP_MICROS);
            let expected = time.0.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
            assert_eq!(to_json(step * STEP_MICROS), expected);
        }
    }

    #[test]
    fn times_in_sqlite_are_parsed_as_by_chrono() {
        for text in [
            "2026-11-20 12:57:51",
            "2026-11-20 12:57:51.8",
            "2026-11-20 12:57:51.869",
            "2026-11-20 12:57:51.869123",
            "2026-11-20 12:57:51.869123456",
            "2024-02-29 00:00:00",
        ] {
            let expected = NaiveDateTime::parse_from_str(text, "%F %T%.f").unwrap();
            assert_eq!(
                parse_sqlite_timestamp(text.as_bytes()),
                Some(expected),
                "{text}"
            );
        }
    }

    #[test]
    fn texts_in_other_formats_and_invalid_times_are_not_parsed() {
        for text in [
            "",
            "2026-11-20",
            "2026-11-20T12:57:51",
            "2026-11-20 12:57",
            "2026-11-20 12:57:51.",
            "2026-11-20 12:57:51.1234567890",
            "2026-11-20 12:57:51Z",
            "2026-11-20 24:00:00",
            "2026-02-29 00:00:00",
            "2026-13-01 00:00:00",
            "+026-11-20 12:57:51",
            "2026-11-20 12:57:5x",
        ] {
            assert_eq!(parse_sqlite_timestamp(text.as_bytes()), None, "{text}");
        }
    }
}

//! Column types that both engines share.

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

/// A point in time: UTC, whole microseconds, because that is what PostgreSQL keeps; on the wire three digits and `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = sql_types::Timestamp)]
pub(crate) struct Timestamp(NaiveDateTime);

impl Timestamp {
    /// Outside the years chrono knows it is 1970; a clock that far off is wrong anyway.
    pub(crate) fn from_micros(micros: i64) -> Self {
        Self(
            DateTime::from_timestamp_micros(micros)
                .unwrap_or_default()
                .naive_utc(),
        )
    }

    pub(crate) fn micros(self) -> i64 {
        self.0.and_utc().timestamp_micros()
    }

    /// Whole seconds since 1970, as tokens have them; a fraction is dropped.
    pub(crate) fn seconds(self) -> i64 {
        self.micros().div_euclid(1_000_000)
    }

    pub(crate) fn plus(self, duration: Duration) -> Self {
        Self::from_micros(self.micros().saturating_add(micros_of(duration)))
    }

    pub(crate) fn minus(self, duration: Duration) -> Self {
        Self::from_micros(self.micros().saturating_sub(micros_of(duration)))
    }

    /// How long ago `earlier` was; zero if it lies ahead, as the clock of another process may have it.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        (self.0 - earlier.0).to_std().unwrap_or_default()
    }

    pub(crate) fn to_system_time(self) -> SystemTime {
        UNIX_EPOCH + self.since(Self::from_micros(0))
    }

    /// Digit by digit, because a page of tasks has dozens of them and chrono takes many times as long. `None` outside
    /// the years that have four digits.
    fn to_wire(self) -> Option<[u8; 24]> {
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

fn micros_of(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::from_micros(i64::try_from(since.as_micros()).unwrap_or_default())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let digits = self.to_wire();
        let text = digits.as_ref().map(|digits| std::str::from_utf8(digits));
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

/// SQLite keeps text. Read by position, because diesel's way (chrono's parser with a list of formats) was an eighth of
/// the time of listing tasks.
impl FromSql<sql_types::Timestamp, Sqlite> for Timestamp {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<sql_types::Text, Sqlite>>::from_sql(value)?;
        let time = stored(text.as_bytes()).map_or_else(|| text.parse(), Ok)?;
        Ok(Self(time))
    }
}

/// Reads `2026-11-20 12:57:51` with or without a fraction of up to nine digits.
fn stored(text: &[u8]) -> Option<NaiveDateTime> {
    #[rustfmt::skip]
    let [
        y1, y2, y3, y4, b'-', mo1, mo2, b'-', d1, d2, b' ',
        h1, h2, b':', mi1, mi2, b':', s1, s2, fraction @ ..
    ] = text else { return None };
    let year = i32::try_from(number(&[*y1, *y2, *y3, *y4])?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(&[*mo1, *mo2])?, number(&[*d1, *d2])?)?;
    let nanos = match fraction {
        [] => 0,
        [b'.', digits @ ..] if (1..=9).contains(&digits.len()) => {
            number(digits)? * 10_u32.pow(9 - u32::try_from(digits.len()).ok()?)
        }
        _ => return None,
    };
    date.and_hms_nano_opt(
        number(&[*h1, *h2])?,
        number(&[*mi1, *mi2])?,
        number(&[*s1, *s2])?,
        nanos,
    )
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number: u32, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        Some(number * 10 + digit)
    })
}

#[cfg(test)]
mod tests {
    use super::{Timestamp, stored};
    use chrono::NaiveDateTime;

    fn wire(micros: i64) -> String {
        let json = serde_json::to_string(&Timestamp::from_micros(micros)).unwrap();
        json.trim_matches('"').to_owned()
    }

    #[test]
    fn the_wire_has_exactly_three_digits_and_z() {
        for (micros, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_700_000_000_123_999, "2023-11-14T22:13:20.123Z"),
            (253_402_300_799_999_999, "9999-12-31T23:59:59.999Z"),
            (253_402_300_800_000_000, "+10000-01-01T00:00:00.000Z"),
            (-62_167_219_200_000_001, "-0001-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(wire(micros), text);
        }
    }

    #[test]
    fn the_wire_is_what_chrono_writes() {
        // A prime number of microseconds, some three years, so that every field changes.
        for step in -100..100 {
            let time = Timestamp::from_micros(step * 99_999_999_999_973);
            let chrono = time.0.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
            assert_eq!(wire(step * 99_999_999_999_973), chrono);
        }
    }

    #[test]
    fn what_sqlite_keeps_is_read_as_chrono_reads_it() {
        for text in [
            "2026-11-20 12:57:51",
            "2026-11-20 12:57:51.8",
            "2026-11-20 12:57:51.869",
            "2026-11-20 12:57:51.869123",
            "2026-11-20 12:57:51.869123456",
            "2024-02-29 00:00:00",
        ] {
            let chrono = NaiveDateTime::parse_from_str(text, "%F %T%.f").unwrap();
            assert_eq!(stored(text.as_bytes()), Some(chrono), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
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
            assert_eq!(stored(text.as_bytes()), None, "{text}");
        }
    }
}

//! Column types that both engines share.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, NaiveDateTime, SecondsFormat};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types;
use serde::{Serialize, Serializer};

/// A point in time: UTC, whole microseconds, because that is what PostgreSQL keeps; on the wire three digits and `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, AsExpression, FromSqlRow)]
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

    pub(crate) fn to_rfc3339(self) -> String {
        self.0
            .and_utc()
            .to_rfc3339_opts(SecondsFormat::Millis, true)
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::from_micros(i64::try_from(since.as_micros()).unwrap_or_default())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_rfc3339())
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

impl<DB: Backend> FromSql<sql_types::Timestamp, DB> for Timestamp
where
    NaiveDateTime: FromSql<sql_types::Timestamp, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
        NaiveDateTime::from_sql(bytes).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn the_wire_has_exactly_three_digits_and_z() {
        for (micros, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_700_000_000_123_999, "2023-11-14T22:13:20.123Z"),
        ] {
            assert_eq!(Timestamp::from_micros(micros).to_rfc3339(), text);
        }
    }
}

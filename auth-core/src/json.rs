//! Parses JSON strings and JSON numbers strictly. A value of any other type, such as `null`, is an error.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};

/// A JSON string, borrowed from the input unless it has escapes.
#[derive(PartialEq, Eq)]
pub(crate) struct JsonString<'t>(pub(crate) Cow<'t, str>);

impl<'de> Deserialize<'de> for JsonString<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StringVisitor;
        impl<'de> Visitor<'de> for StringVisitor {
            type Value = JsonString<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(JsonString(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(JsonString(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(StringVisitor)
    }
}

/// A JSON number within ±(2^53 − 1), where a 64-bit float holds every integer exactly (RFC 8259 § 6).
#[derive(Clone, Copy)]
pub(crate) struct JsonNumber(pub(crate) f64);

impl JsonNumber {
    /// The largest accepted number: 2^53 − 1.
    const MAX: f64 = 9_007_199_254_740_991.0;

    fn try_new<E: de::Error>(number: f64) -> Result<Self, E> {
        if number.abs() <= Self::MAX {
            Ok(Self(number))
        } else {
            Err(E::custom("number out of range"))
        }
    }
}

impl<'de> Deserialize<'de> for JsonNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberVisitor;
        impl Visitor<'_> for NumberVisitor {
            type Value = JsonNumber;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }

            #[expect(
                clippy::cast_precision_loss,
                reason = "a number above 2^53 is rejected in any case"
            )]
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<JsonNumber, E> {
                JsonNumber::try_new(number as f64)
            }

            #[expect(
                clippy::cast_precision_loss,
                reason = "a number below -2^53 is rejected in any case"
            )]
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<JsonNumber, E> {
                JsonNumber::try_new(number as f64)
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<JsonNumber, E> {
                JsonNumber::try_new(number)
            }
        }
        deserializer.deserialize_f64(NumberVisitor)
    }
}

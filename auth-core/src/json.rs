//! JSON values that are one type and nothing else.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};

/// A JSON string, borrowed from the input unless it has escapes.
#[derive(PartialEq, Eq)]
pub(crate) struct Text<'t>(pub(crate) Cow<'t, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OnlyText;
        impl<'de> Visitor<'de> for OnlyText {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(OnlyText)
    }
}

/// A JSON number in the range in which a 64-bit float is exact about integers: ±(2^53 − 1) (RFC 8259 § 6).
#[derive(Clone, Copy)]
pub(crate) struct Number(pub(crate) f64);

impl Number {
    const MAX: f64 = 9_007_199_254_740_991.0;

    fn in_range<E: de::Error>(number: f64) -> Result<Self, E> {
        if number.abs() <= Self::MAX {
            Ok(Self(number))
        } else {
            Err(E::custom("number out of range"))
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OnlyNumber;
        impl Visitor<'_> for OnlyNumber {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }

            #[expect(
                clippy::cast_precision_loss,
                reason = "above 2^53 it is refused all the same"
            )]
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
                Number::in_range(number as f64)
            }

            #[expect(
                clippy::cast_precision_loss,
                reason = "below -2^53 it is refused all the same"
            )]
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Number, E> {
                Number::in_range(number as f64)
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Number, E> {
                Number::in_range(number)
            }
        }
        deserializer.deserialize_f64(OnlyNumber)
    }
}

//! Just enough JSON to be stricter than serde's derive: objects only, no duplicate names.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

/// A member of an object whose names are all different.
pub(crate) enum Member<'t> {
    Text(Cow<'t, str>),
    Other,
}

pub(crate) type Members<'t> = BTreeMap<Cow<'t, str>, Member<'t>>;

pub(crate) enum Fault {
    Malformed,
    Duplicate,
}

/// Reads one object; `serde_json`'s own maps let the last of two equal names win.
pub(crate) fn unique_members(text: &str) -> Result<Members<'_>, Fault> {
    let members: UniqueMembers = serde_json::from_str(text).map_err(|_why| Fault::Malformed)?;
    members.0.ok_or(Fault::Duplicate)
}

/// `None` when a name came twice.
struct UniqueMembers<'t>(Option<Members<'t>>);

impl<'de> Deserialize<'de> for UniqueMembers<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = UniqueMembers<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Members::new();
                let mut unique = true;
                while let Some(Text(name)) = map.next_key()? {
                    let value = map.next_value()?;
                    unique &= members.insert(name, value).is_none();
                }
                Ok(UniqueMembers(unique.then_some(members)))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

impl<'de> Deserialize<'de> for Member<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Member<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any JSON value")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Member::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Member::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
                Ok(Member::Other)
            }

            fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Member::Other)
            }

            fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Member::Other)
            }

            fn visit_u64<E: de::Error>(self, _: u64) -> Result<Self::Value, E> {
                Ok(Member::Other)
            }

            fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Member::Other)
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Member::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Member::Other)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

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

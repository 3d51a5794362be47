//! Defines custom claims: the members of a token whose names are not reserved.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer as _, IgnoredAny, IntoDeserializer as _,
    MapAccess, Visitor,
};
use serde::ser::Serialize;
use serde_json::{Map, Value};

use super::reserved::reserved_name;
use crate::Error;
use crate::json::JsonString;

/// The custom claims of a new token: a JSON object of at most 1 KiB whose members stand in the token beside the claims
/// that this crate writes. The default is the empty object.
///
/// The names of the claims of RFC 7519 § 4.1, of RFC 9068 § 2.2 and of this crate are reserved, so that no custom claim
/// can replace one of them: `iss`, `sub`, `aud`, `exp`, `nbf`, `iat`, `jti`, `client_id`, `auth_time`, `acr`, `amr`,
/// `scope`, `groups`, `roles`, `entitlements`, `sid`, `email`, `email_verified` and `claims_version`.
///
/// ```
/// use auth_core::{CustomClaimsJson, Error};
///
/// let custom = CustomClaimsJson::parse(r#"{ "plan": "pro", "seats": 3 }"#)?;
/// assert_eq!(custom.as_str(), r#"{"plan":"pro","seats":3}"#);
/// assert_eq!(CustomClaimsJson::parse(r#"{"sub":"43"}"#), Err(Error::ReservedClaim("sub")));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomClaimsJson(Box<str>);

impl CustomClaimsJson {
    /// The longest JSON text of the object, without white space, in bytes: 1024.
    pub const MAX_BYTES: usize = 1024;
    /// The deepest nesting of arrays and objects: 16, including the object itself.
    pub const MAX_DEPTH: usize = 16;

    /// Creates custom claims from a struct or a map: serializes it as JSON, and then does the same as
    /// [`parse`](Self::parse).
    ///
    /// # Errors
    ///
    /// The errors of [`parse`](Self::parse), and [`Error::UnacceptableClaims`] if `claims` cannot be serialized as
    /// JSON.
    pub fn new<T: Serialize + ?Sized>(claims: &T) -> Result<Self, Error> {
        Self::parse(&serde_json::to_string(claims).map_err(|_serde| NOT_AN_OBJECT)?)
    }

    /// Parses a JSON object. White space between its parts is dropped. If a name occurs twice, the last value counts.
    ///
    /// # Errors
    ///
    /// [`Error::ReservedClaim`] with the name if a member has a reserved name. [`Error::UnacceptableClaims`] if the
    /// text is not one JSON object, has more than 1024 bytes without white space, or is nested more than 16 deep.
    pub fn parse(json: &str) -> Result<Self, Error> {
        let members: Map<String, Value> =
            serde_json::from_str(json).map_err(|_serde| NOT_AN_OBJECT)?;
        if let Some(name) = members.keys().find_map(|name| reserved_name(name)) {
            return Err(Error::ReservedClaim(name));
        }
        if members
            .values()
            .any(|value| depth(value) >= Self::MAX_DEPTH)
        {
            return Err(Error::UnacceptableClaims(
                "the custom claims must not be nested more than 16 deep",
            ));
        }
        let text = serde_json::to_string(&members).map_err(|_serde| NOT_AN_OBJECT)?;
        if text.len() > Self::MAX_BYTES {
            return Err(Error::UnacceptableClaims(
                "the custom claims must have at most 1024 bytes of JSON",
            ));
        }
        Ok(Self(text.into_boxed_str()))
    }

    /// Returns the JSON text of the object, without white space.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether there are no custom claims.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members().is_empty()
    }

    /// Returns the text between the braces.
    pub(crate) fn members(&self) -> &str {
        let after_brace = self.0.strip_prefix('{').unwrap_or_default();
        after_brace.strip_suffix('}').unwrap_or_default()
    }
}

const NOT_AN_OBJECT: Error = Error::UnacceptableClaims("the custom claims must be one JSON object");

impl Default for CustomClaimsJson {
    fn default() -> Self {
        Self("{}".into())
    }
}

/// Returns how deep arrays and objects are nested; 0 for any other value. The recursion is at most 127 deep, because
/// `serde_json` parses no deeper value.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or_default(),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}

/// The JSON text from which custom claims are read: an object, which may also have the other claims.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct KeptPayload(Cow<'static, str>);

impl KeptPayload {
    pub(crate) fn new(payload: &str) -> Self {
        Self(Cow::Owned(payload.to_owned()))
    }

    /// Returns the payload for a token without custom claims. Allocates nothing.
    pub(crate) fn without_custom_claims() -> Self {
        Self(Cow::Borrowed("{}"))
    }

    /// Reads the custom claims, as [`read_custom`] does.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        read_custom(&self.0)
    }
}

/// Shows no content.
impl fmt::Debug for KeptPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeptPayload")
    }
}

/// Deserialises the members of a JSON object, as if it had no member with a reserved name.
///
/// # Errors
///
/// [`Error::InvalidCustomClaims`] if `T` does not accept the members.
pub(crate) fn read_custom<T: DeserializeOwned>(payload: &str) -> Result<T, Error> {
    let mut json = serde_json::Deserializer::from_str(payload);
    let result = json.deserialize_map(CustomVisitor(PhantomData));
    result.map_err(|_serde| Error::InvalidCustomClaims)
}

/// Deserialises a `T` from the members whose names are not reserved.
struct CustomVisitor<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for CustomVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(UnreservedMembers(map)))
    }
}

/// The members of an object except those with a reserved name.
struct UnreservedMembers<A>(A);

impl<'de, A: MapAccess<'de>> MapAccess<'de> for UnreservedMembers<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        while let Some(JsonString(name)) = self.0.next_key()? {
            if reserved_name(&name).is_none() {
                return seed.deserialize(name.into_deserializer()).map(Some);
            }
            self.0.next_value::<IgnoredAny>()?;
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.0.next_value_seed(seed)
    }
}

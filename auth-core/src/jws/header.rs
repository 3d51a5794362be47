//! Parses the JOSE header (RFC 7515 § 4) strictly. A header can choose among the keys of the verifier, but not the
//! algorithm of a key.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::Error;
use crate::json::JsonString;

const NOT_AN_OBJECT: Error = Error::MalformedToken("The token header is not one JSON object");
const DUPLICATE_NAME: Error = Error::UnacceptableHeader("The token header has a parameter twice");
const FORBIDDEN_NAME: Error = Error::UnacceptableHeader("The token header has crit, b64 or zip");
const WRONG_ALGORITHM: Error = Error::UnacceptableHeader("The token algorithm must be HS256");
pub(crate) const TYPE_NOT_ACCEPTED: Error =
    Error::UnacceptableHeader("The token type is not accepted");
const INVALID_TYPE: Error = Error::UnacceptableHeader("The token type must be a string");
const INVALID_KEY_ID: Error = Error::UnacceptableHeader("The token key id must be a string");

/// The parameters that are read. `jku`, `jwk`, `x5u`, `x5c` and unknown parameters are ignored (RFC 8725 § 3.10).
#[derive(Default)]
pub(crate) struct JoseHeader<'t> {
    alg: Option<JsonString<'t>>,
    typ: Option<JsonString<'t>>,
    kid: Option<JsonString<'t>>,
}

impl<'t> JoseHeader<'t> {
    /// Parses the header.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedToken`] unless the header is one JSON object; [`Error::UnacceptableHeader`] for a forbidden or
    /// duplicate parameter, and for an `alg`, `typ` or `kid` that is not a string.
    pub(super) fn parse(text: &'t str) -> Result<Self, Error> {
        let error = Cell::new(NOT_AN_OBJECT);
        let mut json = serde_json::Deserializer::from_str(text);
        let header = HeaderVisitor { error: &error }
            .deserialize(&mut json)
            .map_err(|_see_cell| error.get())?;
        json.end().map_err(|_trailing| NOT_AN_OBJECT)?;
        Ok(header)
    }

    /// Requires HS256. RFC 8725 § 3.1: the verifier fixes the algorithm, and the header cannot select any other.
    pub(crate) fn require_hs256(&self) -> Result<(), Error> {
        match self.algorithm() {
            Some("HS256") => Ok(()),
            _ => Err(WRONG_ALGORITHM),
        }
    }

    /// Returns `alg`, which the caller must compare with the algorithm of the key.
    pub(crate) fn algorithm(&self) -> Option<&str> {
        self.alg.as_ref().map(|JsonString(alg)| &**alg)
    }

    /// Returns whether `typ` is this type, compared without regard to case (RFC 7515 § 4.1.9). Each kind of JWT has its
    /// own `typ`, so none is accepted as another (RFC 8725 § 3.11).
    pub(crate) fn has_type(&self, expected: &str) -> bool {
        let typ = self.typ.as_ref();
        typ.is_some_and(|JsonString(typ)| typ.eq_ignore_ascii_case(expected))
    }

    pub(crate) const fn has_no_type(&self) -> bool {
        self.typ.is_none()
    }

    pub(crate) fn key_id(&self) -> Option<&str> {
        self.kid.as_ref().map(|JsonString(kid)| &**kid)
    }
}

/// Reads the header. Stores the reason for an error in `error`, because serde's errors carry only text.
struct HeaderVisitor<'a> {
    error: &'a Cell<Error>,
}

impl<'de> DeserializeSeed<'de> for HeaderVisitor<'_> {
    type Value = JoseHeader<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for HeaderVisitor<'_> {
    type Value = JoseHeader<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut header = JoseHeader::default();
        let mut names: BTreeSet<Cow<'de, str>> = BTreeSet::new();
        while let Some(JsonString(name)) = map.next_key()? {
            match &*name {
                "alg" => header.alg = Some(self.read_string(WRONG_ALGORITHM, &mut map)?),
                "typ" => header.typ = Some(self.read_string(INVALID_TYPE, &mut map)?),
                "kid" => header.kid = Some(self.read_string(INVALID_KEY_ID, &mut map)?),
                // This crate supports no extension (`crit`, RFC 7515 § 4.1.11), no unencoded payload (`b64`, RFC 7797)
                // and no compression (`zip`, RFC 8725 § 3.6).
                "crit" | "b64" | "zip" => return Err(self.store_error(FORBIDDEN_NAME)),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            // RFC 7515 § 4: names are unique. If a name has two values, some parsers use the first, others the last.
            if !names.insert(name) {
                return Err(self.store_error(DUPLICATE_NAME));
            }
        }
        Ok(header)
    }
}

impl HeaderVisitor<'_> {
    /// Reads a string. Reports `error` for a value of any other type.
    fn read_string<'de, A: MapAccess<'de>>(
        &self,
        error: Error,
        map: &mut A,
    ) -> Result<JsonString<'de>, A::Error> {
        self.error.set(error);
        let string = map.next_value()?;
        self.error.set(NOT_AN_OBJECT);
        Ok(string)
    }

    fn store_error<E: de::Error>(&self, error: Error) -> E {
        self.error.set(error);
        E::custom("see the error cell")
    }
}

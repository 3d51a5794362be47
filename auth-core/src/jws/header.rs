//! The JOSE header (RFC 7515 § 4), read strictly and believed in nothing but which key to try first.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::Error;
use crate::json::Text;

const NOT_AN_OBJECT: Error = Error::MalformedToken("The token header is not one JSON object");
const DUPLICATE: Error = Error::UnacceptableHeader("The token header has a parameter twice");
const FORBIDDEN: Error = Error::UnacceptableHeader("The token header has crit, b64 or zip");
const ALGORITHM: Error = Error::UnacceptableHeader("The token algorithm must be HS256");
const TYPE: Error = Error::UnacceptableHeader("The token type must be at+jwt");
const KEY_ID: Error = Error::UnacceptableHeader("The token key id must be a string");

/// What we read of a header. `jku`, `jwk`, `x5u`, `x5c` and what we do not know are never looked at.
#[derive(Default)]
pub(super) struct JoseHeader<'t> {
    alg: Option<Text<'t>>,
    typ: Option<Text<'t>>,
    kid: Option<Text<'t>>,
}

impl<'t> JoseHeader<'t> {
    pub(super) fn parse(text: &'t str) -> Result<Self, Error> {
        let fault = Cell::new(NOT_AN_OBJECT);
        let mut json = serde_json::Deserializer::from_str(text);
        let header = Object { fault: &fault }
            .deserialize(&mut json)
            .map_err(|_see_fault| fault.get())?;
        json.end().map_err(|_trailing| NOT_AN_OBJECT)?;
        // RFC 8725 § 3.1: the algorithm is ours to fix; the header is compared, never dispatched on.
        match &header.alg {
            Some(Text(alg)) if alg == "HS256" => Ok(header),
            _ => Err(ALGORITHM),
        }
    }

    /// RFC 8725 § 3.11: one `typ` for each kind of token, compared without regard to case (RFC 7515 § 4.1.9).
    pub(super) fn require_type(&self, expected: &str) -> Result<(), Error> {
        match &self.typ {
            Some(Text(typ)) if typ.eq_ignore_ascii_case(expected) => Ok(()),
            _ => Err(TYPE),
        }
    }

    pub(super) fn key_id(&self) -> Option<&str> {
        self.kid.as_ref().map(|Text(kid)| &**kid)
    }
}

/// The one object; what went wrong inside it is left in `fault`, as serde errors carry only text.
struct Object<'a> {
    fault: &'a Cell<Error>,
}

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = JoseHeader<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = JoseHeader<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut header = JoseHeader::default();
        let mut names: BTreeSet<Cow<'de, str>> = BTreeSet::new();
        while let Some(Text(name)) = map.next_key()? {
            match &*name {
                "alg" => header.alg = Some(self.text(ALGORITHM, &mut map)?),
                "typ" => header.typ = Some(self.text(TYPE, &mut map)?),
                "kid" => header.kid = Some(self.text(KEY_ID, &mut map)?),
                // RFC 7515 § 4.1.11, RFC 7797 § 7, RFC 8725 § 3.6.
                "crit" | "b64" | "zip" => return Err(self.refuse(FORBIDDEN)),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            // RFC 7515 § 4: names are unique; parsers that take the first or the last disagree about what was signed.
            if !names.insert(name) {
                return Err(self.refuse(DUPLICATE));
            }
        }
        Ok(header)
    }
}

impl Object<'_> {
    fn text<'de, A: MapAccess<'de>>(
        &self,
        otherwise: Error,
        map: &mut A,
    ) -> Result<Text<'de>, A::Error> {
        self.fault.set(otherwise);
        let text = map.next_value()?;
        self.fault.set(NOT_AN_OBJECT);
        Ok(text)
    }

    fn refuse<E: de::Error>(&self, fault: Error) -> E {
        self.fault.set(fault);
        E::custom("see the fault")
    }
}

//! Parses one JSON Web Key (RFC 7517 § 4) strictly.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::Algorithm;
use super::eddsa::Ed25519Key;
use super::es256::P256Key;
use super::key::Material;
#[cfg(feature = "rs256")]
use super::rs256::RsaKey;
use crate::Error;
use crate::json::JsonString;

const NOT_AN_OBJECT: Error = Error::InvalidKey("the key is not one JSON object");
const DUPLICATE_NAME: Error = Error::InvalidKey("the key has a member twice");
const NOT_TEXT: Error = Error::InvalidKey("a member of the key that must be text is not text");
const NOT_TEXTS: Error = Error::InvalidKey("`key_ops` is not an array of texts");
const HAS_PRIVATE_MEMBER: Error =
    Error::InvalidKey("the key has a private member; a set of public keys must not contain it");
const IS_SECRET: Error =
    Error::InvalidKey("the key is a secret (`oct`); a set of public keys must not contain it");
const OTHER_TYPE: Error = Error::InvalidKey("the type of the key (`kty`) is not supported");
const OTHER_CURVE: Error =
    Error::InvalidKey("the curve of the key (`crv`) is absent or does not belong to its type");
const OTHER_USE: Error = Error::InvalidKey("`use` is not `sig`");
const OTHER_OPERATIONS: Error = Error::InvalidKey("`key_ops` lacks `verify`");
const OTHER_ALGORITHM: Error = Error::InvalidKey("`alg` is not the algorithm of the key");
const NOT_32_BYTES: Error =
    Error::InvalidKey("a coordinate of the key is not 32 bytes in base64url");
const EMPTY_ID: Error = Error::InvalidKey("`kid` is empty");

/// The members with private values (RFC 7518 § 6.2.2, § 6.3.2, RFC 8037 § 2). `k` is the value of a secret.
const PRIVATE_MEMBER_NAMES: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The members that are read, and whether there is a private member. Others, such as `x5c` and `x5u`, are ignored,
/// whatever their value.
#[derive(Default)]
pub(super) struct Jwk<'t> {
    kty: Option<JsonString<'t>>,
    crv: Option<JsonString<'t>>,
    x: Option<JsonString<'t>>,
    y: Option<JsonString<'t>>,
    n: Option<JsonString<'t>>,
    e: Option<JsonString<'t>>,
    kid: Option<JsonString<'t>>,
    usage: Option<JsonString<'t>>,
    alg: Option<JsonString<'t>>,
    key_ops: Option<Vec<JsonString<'t>>>,
    has_private_member: bool,
}

impl<'t> Jwk<'t> {
    /// Parses a key. Does not check its values.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidKey`] unless `text` is one JSON object without duplicate names, in which each member that is
    /// read has the right type.
    pub(super) fn parse(text: &'t str) -> Result<Self, Error> {
        let error = Cell::new(NOT_AN_OBJECT);
        let mut json = serde_json::Deserializer::from_str(text);
        let jwk = JwkVisitor { error: &error }
            .deserialize(&mut json)
            .map_err(|_see_cell| error.get())?;
        json.end().map_err(|_trailing| NOT_AN_OBJECT)?;
        Ok(jwk)
    }

    /// Returns the id of the key, if it has one.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidKey`] for an empty id.
    pub(super) fn key_id(&self) -> Result<Option<&str>, Error> {
        match text(self.kid.as_ref()) {
            Some("") => Err(EMPTY_ID),
            kid => Ok(kid),
        }
    }

    /// Checks the members and returns the key.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidKey`] for a private key, a secret, a key that is not for verifying signatures, a type or curve
    /// that is not supported, an `alg` that does not belong to the key, and values that are not a valid key.
    pub(super) fn material(&self) -> Result<Material, Error> {
        let kty = text(self.kty.as_ref()).unwrap_or_default();
        if kty == "oct" {
            return Err(IS_SECRET);
        }
        if self.has_private_member {
            return Err(HAS_PRIVATE_MEMBER);
        }
        self.check_use()?;
        let crv = text(self.crv.as_ref());
        let material = match (kty, crv) {
            ("OKP", Some("Ed25519")) => {
                Material::Ed25519(Ed25519Key::new(&decode_coordinate(self.x.as_ref())?)?)
            }
            ("EC", Some("P-256")) => Material::P256(P256Key::new(
                &decode_coordinate(self.x.as_ref())?,
                &decode_coordinate(self.y.as_ref())?,
            )?),
            ("OKP" | "EC", _) => return Err(OTHER_CURVE),
            #[cfg(feature = "rs256")]
            ("RSA", _) => Material::Rsa(RsaKey::new(
                decode_number(self.n.as_ref())?,
                decode_number(self.e.as_ref())?,
            )?),
            _ => return Err(OTHER_TYPE),
        };
        match &self.alg {
            Some(JsonString(alg)) if Algorithm::from_name(alg) != Some(material.algorithm()) => {
                Err(OTHER_ALGORITHM)
            }
            _ => Ok(material),
        }
    }

    /// Requires that `use`, if present, is `sig`, and that `key_ops`, if present, contains `verify` (RFC 7517 § 4.2, §
    /// 4.3).
    fn check_use(&self) -> Result<(), Error> {
        if text(self.usage.as_ref()).is_some_and(|usage| usage != "sig") {
            return Err(OTHER_USE);
        }
        let lacks_verify = |operations: &Vec<JsonString<'_>>| {
            !operations.iter().any(|JsonString(name)| name == "verify")
        };
        if self.key_ops.as_ref().is_some_and(lacks_verify) {
            return Err(OTHER_OPERATIONS);
        }
        Ok(())
    }
}

fn text<'j>(member: Option<&'j JsonString<'_>>) -> Option<&'j str> {
    member.map(|JsonString(text)| &**text)
}

/// Decodes a coordinate of exactly 32 bytes. Rejects a shorter value instead of padding it (RFC 7518 § 6.2.1.2, RFC
/// 8037 § 2).
fn decode_coordinate(member: Option<&JsonString<'_>>) -> Result<[u8; 32], Error> {
    let bytes = URL_SAFE_NO_PAD.decode(text(member).unwrap_or_default());
    let bytes = bytes.map_err(|_not_base64url| NOT_32_BYTES)?;
    bytes.try_into().map_err(|_other_length| NOT_32_BYTES)
}

/// Decodes a big-endian number (`Base64urlUInt`, RFC 7518 § 2).
#[cfg(feature = "rs256")]
fn decode_number(member: Option<&JsonString<'_>>) -> Result<Vec<u8>, Error> {
    let text = text(member).unwrap_or_default();
    let bytes = URL_SAFE_NO_PAD.decode(text);
    bytes.map_err(|_not_base64url| Error::InvalidKey("`n` or `e` of the RSA key is not base64url"))
}

/// Reads the key. Stores the reason for an error in `error`, because serde's errors carry only text.
struct JwkVisitor<'a> {
    error: &'a Cell<Error>,
}

impl<'de> DeserializeSeed<'de> for JwkVisitor<'_> {
    type Value = Jwk<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for JwkVisitor<'_> {
    type Value = Jwk<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut jwk = Jwk::default();
        let mut names: BTreeSet<Cow<'de, str>> = BTreeSet::new();
        while let Some(JsonString(name)) = map.next_key()? {
            self.read_member(&name, &mut jwk, &mut map)?;
            // RFC 7517 § 4: names are unique. If a name has two values, some parsers use the first, others the last.
            if !names.insert(name) {
                self.error.set(DUPLICATE_NAME);
                return Err(de::Error::custom("see the error cell"));
            }
        }
        Ok(jwk)
    }
}

impl JwkVisitor<'_> {
    fn read_member<'de, A: MapAccess<'de>>(
        &self,
        name: &str,
        jwk: &mut Jwk<'de>,
        map: &mut A,
    ) -> Result<(), A::Error> {
        let slot = match name {
            "kty" => &mut jwk.kty,
            "crv" => &mut jwk.crv,
            "x" => &mut jwk.x,
            "y" => &mut jwk.y,
            "n" => &mut jwk.n,
            "e" => &mut jwk.e,
            "kid" => &mut jwk.kid,
            "use" => &mut jwk.usage,
            "alg" => &mut jwk.alg,
            "key_ops" => return self.read(NOT_TEXTS, &mut jwk.key_ops, map),
            _ => {
                jwk.has_private_member |= PRIVATE_MEMBER_NAMES.contains(&name);
                return map.next_value::<IgnoredAny>().map(|_ignored| ());
            }
        };
        self.read(NOT_TEXT, slot, map)
    }

    /// Reads a value into `slot`. Reports `error` for a value that is not a `T`.
    fn read<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
        &self,
        error: Error,
        slot: &mut Option<T>,
        map: &mut A,
    ) -> Result<(), A::Error> {
        self.error.set(error);
        *slot = Some(map.next_value()?);
        self.error.set(NOT_AN_OBJECT);
        Ok(())
    }
}

//! Parses the payload of an access token and checks its claims. Except in `roles`, a string without escapes is copied
//! only after all checks, so a rejected token costs few allocations.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::reserved::reserved_name;
use super::scope::{Scope, check_scope};
use super::{ClaimRules, Claims, Expiry, KeptPayload, Roles, Times, check_sub};
use crate::Error;
use crate::json::{JsonNumber, JsonString};
use crate::revocation::RevocationClaims;

const NOT_AN_OBJECT: Error = Error::MalformedToken("The token payload is not one JSON object");

/// Parses the payload and checks the claims against `policy`, the times last. `now_seconds` is the current time in
/// seconds since 1970.
///
/// # Errors
///
/// [`Error::MalformedToken`], [`Error::MissingClaim`], [`Error::InvalidClaim`], [`Error::NotYetValid`] or, if the
/// claims are otherwise valid and `expiry` is [`Expiry::Enforced`], [`Error::Expired`]; for acceptable claims the error
/// of `check_revocation`.
pub(crate) fn parse(
    payload: &str,
    policy: &ClaimRules,
    now_seconds: f64,
    expiry: Expiry,
    check_revocation: impl FnOnce(&RevocationClaims<'_>) -> Result<(), Error>,
) -> Result<Claims, Error> {
    let reader = ClaimReader(Cell::new(NOT_AN_OBJECT));
    let mut raw = RawClaims::default();
    let visitor = PayloadVisitor {
        policy,
        reader: &reader,
        raw: &mut raw,
    };
    let mut json = serde_json::Deserializer::from_str(payload);
    visitor
        .deserialize(&mut json)
        .map_err(|_see_reader| reader.0.get())?;
    json.end().map_err(|_trailing| NOT_AN_OBJECT)?;
    let (times, claims_version) = raw.check(policy, now_seconds, expiry)?;
    check_revocation(&raw.revocation_claims(&times, claims_version))?;
    raw.into_claims(&times, claims_version, payload, policy)
}

/// The claims before the checks; `None` means absent.
#[derive(Default)]
struct RawClaims<'t> {
    sub: Option<JsonString<'t>>,
    email: Option<JsonString<'t>>,
    email_verified: Option<bool>,
    sid: Option<JsonString<'t>>,
    jti: Option<JsonString<'t>>,
    iss: Option<JsonString<'t>>,
    /// Whether `aud` equals or contains an accepted audience.
    aud: Option<bool>,
    iat: Option<JsonNumber>,
    exp: Option<JsonNumber>,
    nbf: Option<JsonNumber>,
    rare: RareClaims<'t>,
}

/// The claims that most tokens do not have.
#[derive(Default)]
struct RareClaims<'t> {
    roles: Option<Roles>,
    scope: Option<JsonString<'t>>,
    claims_version: Option<JsonNumber>,
    /// Whether the token has a member whose name is not reserved.
    has_custom: bool,
}

impl RawClaims<'_> {
    /// Checks that every required claim is present and every value is acceptable. Returns the times and the version.
    fn check(
        &self,
        policy: &ClaimRules,
        now_seconds: f64,
        expiry: Expiry,
    ) -> Result<(Times, u64), Error> {
        if require(self.iss.as_ref(), "iss")?.0 != policy.issuer {
            return Err(Error::InvalidClaim("iss"));
        }
        if !require(self.aud, "aud")? {
            return Err(Error::InvalidClaim("aud"));
        }
        check_sub(&require(self.sub.as_ref(), "sub")?.0)?;
        require_if(policy.required.email, self.email.is_some(), "email")?;
        require_if(policy.required.sid, self.sid.is_some(), "sid")?;
        require_if(policy.required.jti, self.jti.is_some(), "jti")?;
        let times = Times {
            iat: require(self.iat, "iat")?.0,
            exp: require(self.exp, "exp")?.0,
            nbf: self.nbf.map(|nbf| nbf.0),
        };
        if let Some(JsonString(scope)) = &self.rare.scope {
            check_scope(scope).map_err(|_reason| Error::InvalidClaim("scope"))?;
        }
        let claims_version = self.rare.claims_version.map_or(Ok(0), parse_version)?;
        match policy.check_times(&times, now_seconds) {
            Err(Error::Expired) if expiry == Expiry::Ignored => {}
            result => result?,
        }
        Ok((times, claims_version))
    }

    fn revocation_claims(&self, times: &Times, claims_version: u64) -> RevocationClaims<'_> {
        RevocationClaims {
            sub: text(self.sub.as_ref()).unwrap_or_default(),
            sid: text(self.sid.as_ref()),
            jti: text(self.jti.as_ref()).unwrap_or_default(),
            claims_version,
            iat: whole_seconds(times.iat),
        }
    }

    /// Returns copies of the claims.
    fn into_claims(
        self,
        times: &Times,
        claims_version: u64,
        payload: &str,
        policy: &ClaimRules,
    ) -> Result<Claims, Error> {
        let copy = |JsonString(text): JsonString<'_>| text.into_owned();
        let has_custom = self.rare.has_custom;
        let keep = || {
            if has_custom {
                KeptPayload::new(payload)
            } else {
                KeptPayload::without_custom_claims()
            }
        };
        Ok(Claims {
            sub: copy(require(self.sub, "sub")?),
            email: self.email.map(copy),
            email_verified: self.email_verified,
            sid: self.sid.map(copy),
            jti: self.jti.map(copy).unwrap_or_default(),
            iat: whole_seconds(times.iat),
            exp: whole_seconds(times.exp),
            roles: self.rare.roles.unwrap_or_default(),
            scope: self
                .rare
                .scope
                .map(|JsonString(scope)| Scope::from_checked(scope)),
            claims_version,
            payload: policy.keeps_payload.then(keep),
        })
    }
}

fn text<'a>(claim: Option<&'a JsonString<'_>>) -> Option<&'a str> {
    claim.map(|JsonString(text)| &**text)
}

fn require_if(is_required: bool, is_present: bool, name: &'static str) -> Result<(), Error> {
    if is_required && !is_present {
        return Err(Error::MissingClaim(name));
    }
    Ok(())
}

/// Converts `claims_version` to an integer. Rejects a negative number and a number with a fraction.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the number is an integer from 0 to 2^53"
)]
fn parse_version(JsonNumber(number): JsonNumber) -> Result<u64, Error> {
    if number < 0.0 || number.fract() != 0.0 {
        return Err(Error::InvalidClaim("claims_version"));
    }
    Ok(number as u64)
}

fn require<T>(claim: Option<T>, name: &'static str) -> Result<T, Error> {
    claim.ok_or(Error::MissingClaim(name))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a JsonNumber is within 2^53; the fraction is dropped"
)]
fn whole_seconds(seconds: f64) -> i64 {
    seconds.floor() as i64
}

/// Reads the JSON object into `raw`, because a returned value would be copied by several functions of serde.
struct PayloadVisitor<'a, 't> {
    policy: &'a ClaimRules,
    reader: &'a ClaimReader,
    raw: &'a mut RawClaims<'t>,
}

impl<'de> DeserializeSeed<'de> for PayloadVisitor<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for PayloadVisitor<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self {
            policy,
            reader,
            raw,
        } = self;
        while let Some(JsonString(name)) = map.next_key()? {
            match &*name {
                "sub" => reader.read("sub", &mut raw.sub, &mut map)?,
                "email" => reader.read("email", &mut raw.email, &mut map)?,
                "email_verified" => {
                    reader.read("email_verified", &mut raw.email_verified, &mut map)?;
                }
                "sid" => reader.read("sid", &mut raw.sid, &mut map)?,
                "jti" => reader.read("jti", &mut raw.jti, &mut map)?,
                "iss" => reader.read("iss", &mut raw.iss, &mut map)?,
                "iat" => reader.read("iat", &mut raw.iat, &mut map)?,
                "exp" => reader.read("exp", &mut raw.exp, &mut map)?,
                "nbf" => reader.read("nbf", &mut raw.nbf, &mut map)?,
                "aud" => {
                    reader.read_with_seed(
                        "aud",
                        AudienceMatcher(policy),
                        &mut raw.aud,
                        &mut map,
                    )?;
                }
                name => reader.read_rare(name, &mut raw.rare, &mut map)?,
            }
        }
        Ok(())
    }
}

/// Reads claims. The cell contains the error to report if the next read fails, because serde's errors carry only text.
struct ClaimReader(Cell<Error>);

impl ClaimReader {
    /// Reads a claim that most tokens do not have, or skips a claim that this crate does not read. Not inlined, so that
    /// tokens without such claims are not slower.
    #[cold]
    #[inline(never)]
    fn read_rare<'de, A: MapAccess<'de>>(
        &self,
        name: &str,
        rare: &mut RareClaims<'de>,
        map: &mut A,
    ) -> Result<(), A::Error> {
        match name {
            "roles" => self.read("roles", &mut rare.roles, map),
            "scope" => self.read("scope", &mut rare.scope, map),
            "claims_version" => self.read("claims_version", &mut rare.claims_version, map),
            _ => {
                rare.has_custom |= reserved_name(name).is_none();
                map.next_value::<IgnoredAny>().map(|_ignored| ())
            }
        }
    }

    fn read<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
        &self,
        claim: &'static str,
        slot: &mut Option<T>,
        map: &mut A,
    ) -> Result<(), A::Error> {
        self.read_with_seed(claim, PhantomData, slot, map)
    }

    /// Reads a claim with a seed. Rejects a claim that occurs twice (RFC 7519 § 4), because some parsers use the first
    /// value and others the last.
    fn read_with_seed<'de, S: DeserializeSeed<'de>, A: MapAccess<'de>>(
        &self,
        claim: &'static str,
        seed: S,
        slot: &mut Option<S::Value>,
        map: &mut A,
    ) -> Result<(), A::Error> {
        self.0.set(Error::InvalidClaim(claim));
        let value = map.next_value_seed(seed)?;
        if slot.replace(value).is_some() {
            return Err(de::Error::custom("duplicate claim"));
        }
        self.0.set(NOT_AN_OBJECT);
        Ok(())
    }
}

/// Reads `aud`, a string or an array of strings (RFC 7519 § 4.1.3). Returns whether the policy accepts the string, or a
/// string of the array.
struct AudienceMatcher<'a>(&'a ClaimRules);

impl<'de> DeserializeSeed<'de> for AudienceMatcher<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AudienceMatcher<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an array of strings")
    }

    fn visit_str<E: de::Error>(self, audience: &str) -> Result<bool, E> {
        Ok(self.0.accepts_audience(audience))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<bool, A::Error> {
        let mut is_found = false;
        while let Some(JsonString(audience)) = seq.next_element()? {
            is_found |= self.0.accepts_audience(&audience);
        }
        Ok(is_found)
    }
}

//! Reading the payload in one pass: borrowed where possible, nothing kept that fails.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::{Claims, Expiry, Policy, Times, check_sub};
use crate::Error;
use crate::json::{Number, Text};

const NOT_AN_OBJECT: Error = Error::MalformedToken("The token payload is not one JSON object");

/// Parses the payload and checks everything but the time, then the time.
pub(crate) fn read(text: &str, policy: &Policy, now: f64, expiry: Expiry) -> Result<Claims, Error> {
    let fault = Fault(Cell::new(NOT_AN_OBJECT));
    let mut raw = RawClaims::default();
    let payload = Payload {
        audience: &policy.audience,
        fault: &fault,
        raw: &mut raw,
    };
    let mut json = serde_json::Deserializer::from_str(text);
    payload
        .deserialize(&mut json)
        .map_err(|_see_fault| fault.0.get())?;
    json.end().map_err(|_trailing| NOT_AN_OBJECT)?;
    raw.check(policy, now, expiry)
}

/// The registered claims as they came; `None` is absent.
#[derive(Default)]
struct RawClaims<'t> {
    sub: Option<Text<'t>>,
    email: Option<Text<'t>>,
    sid: Option<Text<'t>>,
    jti: Option<Text<'t>>,
    iss: Option<Text<'t>>,
    /// Whether `aud` is or contains ours.
    aud: Option<bool>,
    iat: Option<Number>,
    exp: Option<Number>,
    nbf: Option<Number>,
}

impl RawClaims<'_> {
    fn check(self, policy: &Policy, now: f64, expiry: Expiry) -> Result<Claims, Error> {
        let Text(iss) = require(self.iss, "iss")?;
        if iss != policy.issuer {
            return Err(Error::InvalidClaim("iss"));
        }
        if !require(self.aud, "aud")? {
            return Err(Error::InvalidClaim("aud"));
        }
        let Text(sub) = require(self.sub, "sub")?;
        check_sub(&sub)?;
        let Text(email) = require(self.email, "email")?;
        let Text(sid) = require(self.sid, "sid")?;
        let Text(jti) = require(self.jti, "jti")?;
        let times = Times {
            iat: require(self.iat, "iat")?.0,
            exp: require(self.exp, "exp")?.0,
            nbf: self.nbf.map(|nbf| nbf.0),
        };
        match policy.check_times(&times, now) {
            Err(Error::Expired) if expiry == Expiry::Ignored => {}
            checked => checked?,
        }
        Ok(Claims {
            sub: sub.into_owned(),
            email: email.into_owned(),
            sid: sid.into_owned(),
            jti: jti.into_owned(),
            iat: whole(times.iat),
            exp: whole(times.exp),
        })
    }
}

fn require<T>(claim: Option<T>, name: &'static str) -> Result<T, Error> {
    claim.ok_or(Error::MissingClaim(name))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "Number keeps it within 2^53; the fraction is dropped"
)]
fn whole(seconds: f64) -> i64 {
    seconds.floor() as i64
}

/// The one object. It is read into place: returning the claims would copy them at every step.
struct Payload<'a, 't> {
    audience: &'a str,
    fault: &'a Fault,
    raw: &'a mut RawClaims<'t>,
}

impl<'de> DeserializeSeed<'de> for Payload<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Payload<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self {
            audience,
            fault,
            raw,
        } = self;
        while let Some(Text(name)) = map.next_key()? {
            match &*name {
                "sub" => fault.read("sub", &mut raw.sub, &mut map)?,
                "email" => fault.read("email", &mut raw.email, &mut map)?,
                "sid" => fault.read("sid", &mut raw.sid, &mut map)?,
                "jti" => fault.read("jti", &mut raw.jti, &mut map)?,
                "iss" => fault.read("iss", &mut raw.iss, &mut map)?,
                "iat" => fault.read("iat", &mut raw.iat, &mut map)?,
                "exp" => fault.read("exp", &mut raw.exp, &mut map)?,
                "nbf" => fault.read("nbf", &mut raw.nbf, &mut map)?,
                "aud" => fault.read_seed("aud", Audience(audience), &mut raw.aud, &mut map)?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// What is wrong if reading stops here: serde's errors carry only text.
struct Fault(Cell<Error>);

impl Fault {
    fn read<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
        &self,
        claim: &'static str,
        slot: &mut Option<T>,
        map: &mut A,
    ) -> Result<(), A::Error> {
        self.read_seed(claim, PhantomData, slot, map)
    }

    /// RFC 7519 § 4: claim names are unique; parsers that take the first or the last disagree about who is calling.
    fn read_seed<'de, S: DeserializeSeed<'de>, A: MapAccess<'de>>(
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

/// `aud` is a string or an array of strings (RFC 7519 § 4.1.3); the answer is whether ours is there.
struct Audience<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Audience<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Audience<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an array of strings")
    }

    fn visit_str<E: de::Error>(self, audience: &str) -> Result<bool, E> {
        Ok(audience == self.0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<bool, A::Error> {
        let mut found = false;
        while let Some(Text(audience)) = seq.next_element()? {
            found |= audience == self.0;
        }
        Ok(found)
    }
}

//! Verifies tokens of several issuers.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::json::JsonString;
use crate::jws::Jws;
use crate::{Claims, Error, TokenVerifier};

/// Verifiers for the tokens of several issuers, each with its own keys, audience and rules.
///
/// The `iss` of a token is read before anything is verified, and only chooses the verifier. That verifier then checks
/// the whole token with its own keys, and requires that `iss` is its issuer. So a token of one issuer is never verified
/// with a key of another (RFC 8725 § 3.8). A token whose `iss` is none of the issuers is rejected without verifying its
/// signature. Exception: a value that is converted from a single [`TokenVerifier`] passes every token to that verifier.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use auth_core::{Authority, Error, Issuers, Keyring, Secret, Subject, TokenIssuer, TokenVerifier};
///
/// let (ours, partner) = (Keyring::new(Secret::generate()?), Keyring::new(Secret::generate()?));
/// let issuers = Issuers::new([
///     TokenVerifier::new(ours, "api-server", "api")?,
///     TokenVerifier::new(partner.clone(), "https://partner.example", "api")?,
/// ])?;
///
/// let now = SystemTime::now();
/// let subject = Subject {
///     id: "42",
///     email: "ada@example.com",
///     email_verified: Some(true),
///     session_id: "7",
/// };
/// let lifetime = Duration::from_secs(900);
/// let partner_issuer = TokenIssuer::new(partner.clone(), "https://partner.example", "api", lifetime)?;
/// assert_eq!(issuers.verify(&partner_issuer.issue(&subject, now)?.token, now)?.sub, "42");
///
/// // A token that names our issuer, but is signed with the partner's key, is rejected.
/// let forged = TokenIssuer::new(partner, "api-server", "api", lifetime)?.issue(&subject, now)?;
/// assert_eq!(issuers.verify(&forged.token, now), Err(Error::SignatureMismatch));
/// let authority = Authority::from(issuers);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Issuers(Verifiers);

#[derive(Debug, Clone)]
enum Verifiers {
    One(Box<TokenVerifier>),
    /// The verifiers by their issuers.
    Several(Arc<BTreeMap<String, TokenVerifier>>),
}

impl Issuers {
    /// Creates a set of verifiers with different issuers.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] if there is no verifier, or two verifiers have the same issuer.
    pub fn new(verifiers: impl IntoIterator<Item = TokenVerifier>) -> Result<Self, Error> {
        let mut by_issuer = BTreeMap::new();
        for verifier in verifiers {
            let issuer = verifier.issuer().to_owned();
            if by_issuer.insert(issuer, verifier).is_some() {
                return Err(Error::InvalidSetting(
                    "two verifiers have the same issuer; give one verifier the keys of both",
                ));
            }
        }
        if by_issuer.is_empty() {
            return Err(Error::InvalidSetting("at least one verifier is needed"));
        }
        Ok(Self(Verifiers::Several(Arc::new(by_issuer))))
    }

    /// Verifies `token` at the time `now` with the verifier of its issuer, and returns its claims.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidClaim`] for an `iss` that is none of the issuers; otherwise as [`TokenVerifier::verify`].
    pub fn verify(&self, token: &str, now: SystemTime) -> Result<Claims, Error> {
        self.verifier_of(token)?.verify(token, now)
    }

    /// Returns the verifier for a token, chosen by its `iss`. If this value was converted from a single verifier,
    /// returns that verifier for every token. The token is not verified.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidClaim`] for an `iss` that is none of the issuers, and an error of status 401 for a token in
    /// which `iss` cannot be read.
    pub fn verifier_of(&self, token: &str) -> Result<&TokenVerifier, Error> {
        match &self.0 {
            Verifiers::One(verifier) => Ok(verifier),
            Verifiers::Several(verifiers) => Jws::split(token)?.with_payload(|payload| {
                let JsonString(issuer) = read_issuer(payload)?;
                let verifier = verifiers.get(&*issuer);
                verifier.ok_or(Error::InvalidClaim("iss"))
            }),
        }
    }
}

/// The verifier gets every token, whatever its `iss`, and rejects the tokens of other issuers itself.
impl From<TokenVerifier> for Issuers {
    fn from(verifier: TokenVerifier) -> Self {
        Self(Verifiers::One(Box::new(verifier)))
    }
}

const NOT_AN_OBJECT: Error = Error::MalformedToken("The token payload is not one JSON object");

/// Reads `iss` of a payload that is not verified. Ignores everything else.
fn read_issuer(payload: &str) -> Result<JsonString<'_>, Error> {
    let error = Cell::new(NOT_AN_OBJECT);
    let mut json = serde_json::Deserializer::from_str(payload);
    let issuer = IssuerVisitor { error: &error }
        .deserialize(&mut json)
        .map_err(|_see_cell| error.get())?;
    issuer.ok_or(Error::MissingClaim("iss"))
}

struct IssuerVisitor<'a> {
    error: &'a Cell<Error>,
}

impl<'de> DeserializeSeed<'de> for IssuerVisitor<'_> {
    type Value = Option<JsonString<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for IssuerVisitor<'_> {
    type Value = Option<JsonString<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut issuer = None;
        while let Some(JsonString(name)) = map.next_key()? {
            if name != "iss" {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            self.error.set(Error::InvalidClaim("iss"));
            let value: JsonString<'de> = map.next_value()?;
            if issuer.replace(value).is_some() {
                return Err(de::Error::custom("see the error cell"));
            }
            self.error.set(NOT_AN_OBJECT);
        }
        Ok(issuer)
    }
}

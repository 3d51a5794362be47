//! Verifies the tokens of `tests/vectors/access-tokens.json`, which an implementation in Python signed and judged.

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use auth_core::{Error, Keyring, Revocations, Scope, TokenVerifier};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::fixtures::{AUDIENCE, ISSUER, secret};

const VECTORS: &str = include_str!("../vectors/access-tokens.json");

#[derive(Deserialize)]
struct Vector {
    name: String,
    secret: String,
    /// The time of the verification, in seconds since 1970.
    now: u64,
    optional_email: bool,
    optional_sid: bool,
    /// The least version of each user's tokens that are not stale.
    stale: BTreeMap<String, u64>,
    token: String,
    /// The code of the error; `null` if the token is accepted.
    code: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
    scope: Option<String>,
    #[serde(default)]
    claims_version: u64,
    #[serde(default)]
    custom: Map<String, Value>,
}

impl Vector {
    fn verifier(&self) -> TokenVerifier {
        let revocations = Revocations::default();
        let until = UNIX_EPOCH + Duration::from_secs(self.now + 900);
        for (sub, version) in &self.stale {
            revocations.mark_stale(sub, *version, until);
        }
        let keyring = Keyring::new(secret(&self.secret));
        let mut verifier = TokenVerifier::new(keyring, ISSUER, AUDIENCE).unwrap();
        if self.optional_email {
            verifier = verifier.with_optional_email();
        }
        if self.optional_sid {
            verifier = verifier.with_optional_sid();
        }
        verifier.with_revocations(revocations)
    }

    fn check(&self) {
        let now = UNIX_EPOCH + Duration::from_secs(self.now);
        let result = self.verifier().verify_with(&self.token, now);
        let code = result.as_ref().err().map(Error::code);
        assert_eq!(code, self.code.as_deref(), "{}", self.name);
        let Ok((claims, custom)): Result<(_, Map<String, Value>), _> = result else {
            return;
        };
        assert_eq!(claims.roles.iter().collect::<Vec<_>>(), self.roles);
        let scope = claims.scope.as_ref().map(Scope::as_str);
        assert_eq!(scope, self.scope.as_deref(), "{}", self.name);
        assert_eq!(claims.claims_version, self.claims_version, "{}", self.name);
        assert_eq!(custom, self.custom, "{}", self.name);
    }
}

#[test]
fn every_token_is_judged_as_by_the_implementation_in_python() {
    let vectors: Vec<Vector> = serde_json::from_str(VECTORS).unwrap();
    assert!(vectors.iter().any(|vector| vector.code.is_none()));
    assert!(vectors.iter().any(|vector| vector.code.is_some()));
    vectors.iter().for_each(Vector::check);
}

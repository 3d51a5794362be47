//! Issues tokens for the tests of a service. Not for production. Requires the feature `testing`.

use std::time::{Duration, SystemTime};

use serde::Serialize;

#[cfg(feature = "public-key")]
use crate::public_key::{Algorithm, KeySet, SigningKey};
use crate::{
    Authority, CustomClaimsJson, Keyring, Revocations, Roles, Scope, Secret, Subject, TokenIssuer,
    TokenSigner, TokenVerifier, VerificationKeys,
};

/// The lifetime of the issued tokens.
const LIFETIME: Duration = Duration::from_secs(900);

/// An issuer and a verifier with the same random secret, or with a random [private key](Self::with_private_key) and its
/// public key.
///
/// ```
/// use std::time::SystemTime;
/// use auth_core::testing::TestAuthority;
///
/// let test_authority = TestAuthority::new();
/// let token = test_authority.token_for("42");
/// assert_eq!(test_authority.verifier().verify(&token, SystemTime::now())?.sub, "42");
/// assert!(test_authority.authorization_header("42").starts_with("Bearer "));
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct TestAuthority {
    issuer: TokenIssuer,
    verifier: TokenVerifier,
    revocations: Revocations,
    #[cfg(feature = "public-key")]
    public_keys: Option<KeySet>,
}

/// The optional claims of a token.
#[derive(Clone, Copy, Default)]
struct OptionalClaims<'a> {
    roles: Option<&'a Roles>,
    scope: Option<&'a Scope>,
    custom: Option<&'a CustomClaimsJson>,
}

#[expect(
    clippy::expect_used,
    clippy::new_without_default,
    reason = "a test whose setup fails must stop"
)]
impl TestAuthority {
    /// Creates an issuer `api-server` for the audience `api`, with a new secret. Tokens are valid for 15 minutes.
    ///
    /// # Panics
    ///
    /// If the operating system returns no random bytes.
    #[must_use]
    pub fn new() -> Self {
        Self::with_issuer_and_audience("api-server", "api")
    }

    /// Does the same as [`new`](Self::new), with the given issuer and audience.
    ///
    /// # Panics
    ///
    /// If `issuer` or `audience` is empty, or the operating system returns no random bytes.
    #[must_use]
    pub fn with_issuer_and_audience(issuer: &str, audience: &str) -> Self {
        let secret = Secret::generate().expect("the operating system returns random bytes");
        let keyring = Keyring::new(secret);
        Self::with_keys(keyring.clone(), keyring, issuer, audience)
    }

    /// Signs the tokens with a new private key of this algorithm instead of a secret, for a service that verifies with
    /// public keys. Issuer and audience stay the same. The new verifier accepts no token that was issued before, and
    /// has no revocations.
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use auth_core::TokenVerifier;
    /// use auth_core::public_key::{Algorithm, KeySet};
    /// use auth_core::testing::TestAuthority;
    ///
    /// let test_authority = TestAuthority::new().with_private_key(Algorithm::EdDsa);
    /// let document = test_authority.public_keys().to_jwks();
    ///
    /// // The service under test has only the document.
    /// let keys = KeySet::from_jwks(document.as_bytes())?;
    /// let verifier = TokenVerifier::new(keys, "api-server", "api")?;
    /// let token = test_authority.token_for("42");
    /// assert_eq!(verifier.verify(&token, SystemTime::now())?.sub, "42");
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// For RS256, which this crate only verifies, or if the operating system returns no random bytes.
    #[cfg(feature = "public-key")]
    #[must_use]
    pub fn with_private_key(self, algorithm: Algorithm) -> Self {
        let key = SigningKey::generate(algorithm).expect("the algorithm signs");
        let keys = KeySet::new([key.public_key().clone()]).expect("one key is a set");
        let (issuer, audience) = self.issuer.issuer_and_audience();
        let authority = Self::with_keys(key, keys.clone(), issuer, audience);
        Self {
            public_keys: Some(keys),
            ..authority
        }
    }

    /// Returns the public keys of [`with_private_key`](Self::with_private_key). For a service that requests its keys
    /// from a URL, let a server of the test respond with [`KeySet::to_jwks`].
    ///
    /// # Panics
    ///
    /// If a secret signs the tokens.
    #[cfg(feature = "public-key")]
    #[must_use]
    pub fn public_keys(&self) -> KeySet {
        let keys = self.public_keys.clone();
        keys.expect("a secret signs; call with_private_key first")
    }

    fn with_keys(
        signer: impl Into<TokenSigner>,
        keys: impl Into<VerificationKeys>,
        issuer: &str,
        audience: &str,
    ) -> Self {
        let result = TokenVerifier::new(keys, issuer, audience);
        let verifier = result.expect("issuer and audience are not empty");
        let revocations = Revocations::default();
        Self {
            issuer: TokenIssuer::new(signer, issuer, audience, LIFETIME)
                .expect("issuer and audience are not empty"),
            verifier: verifier.with_revocations(revocations.clone()),
            revocations,
            #[cfg(feature = "public-key")]
            public_keys: None,
        }
    }

    /// Returns the verifier of the tokens that this value issues.
    #[must_use]
    pub fn verifier(&self) -> TokenVerifier {
        self.verifier.clone()
    }

    /// Returns the verifier as an [`Authority`], for the service under test.
    #[must_use]
    pub fn authority(&self) -> Authority {
        self.verifier().into()
    }

    /// Issues a token for the user, with the verified email address `<id>@example.com` and the session id
    /// `session-<id>`.
    ///
    /// # Panics
    ///
    /// If `user_id` is empty, has surrounding white space or is too long for a token, or if the operating system
    /// returns no random bytes.
    #[must_use]
    pub fn token_for(&self, user_id: &str) -> String {
        self.token_at(user_id, SystemTime::now())
    }

    /// Issues a token that expired an hour ago, for the user.
    ///
    /// # Panics
    ///
    /// As [`token_for`](Self::token_for).
    #[must_use]
    pub fn expired_token_for(&self, user_id: &str) -> String {
        let one_hour = Duration::from_secs(3600);
        self.token_at(user_id, SystemTime::now() - one_hour - LIFETIME)
    }

    /// Issues a token for the user as if the current time were `now`.
    ///
    /// # Panics
    ///
    /// As [`token_for`](Self::token_for).
    #[must_use]
    pub fn token_at(&self, user_id: &str, now: SystemTime) -> String {
        self.issue(user_id, now, OptionalClaims::default())
    }

    /// Issues a token for the user with these roles.
    ///
    /// # Panics
    ///
    /// As [`token_for`](Self::token_for), and if a role is not valid ([`Roles::new`]).
    #[must_use]
    pub fn token_with_roles(&self, user_id: &str, roles: &[&str]) -> String {
        let roles = Roles::new(roles).expect("the roles are valid");
        let grants = OptionalClaims {
            roles: Some(&roles),
            ..OptionalClaims::default()
        };
        self.issue(user_id, SystemTime::now(), grants)
    }

    /// Issues a token for the user with this scope, such as `tasks:read tasks:write`.
    ///
    /// # Panics
    ///
    /// As [`token_for`](Self::token_for), and if the scope is not valid ([`Scope::new`]).
    #[must_use]
    pub fn token_with_scope(&self, user_id: &str, scope: &str) -> String {
        let scope = Scope::new(scope).expect("the scope is valid");
        let grants = OptionalClaims {
            scope: Some(&scope),
            ..OptionalClaims::default()
        };
        self.issue(user_id, SystemTime::now(), grants)
    }

    /// Issues a token for the user with these custom claims, a struct or a map. The verifier of the service keeps them
    /// only [with custom claims](TokenVerifier::with_custom_claims).
    ///
    /// # Panics
    ///
    /// As [`token_for`](Self::token_for), and if the custom claims are not valid ([`CustomClaimsJson::new`]).
    #[must_use]
    pub fn token_with_claims<T: Serialize + ?Sized>(&self, user_id: &str, claims: &T) -> String {
        let custom = CustomClaimsJson::new(claims).expect("the custom claims are valid");
        let grants = OptionalClaims {
            custom: Some(&custom),
            ..OptionalClaims::default()
        };
        self.issue(user_id, SystemTime::now(), grants)
    }

    /// Returns the issuer, for tokens that have several of roles, scope and custom claims, or that belong to a machine.
    #[must_use]
    pub const fn issuer(&self) -> &TokenIssuer {
        &self.issuer
    }

    fn issue(&self, user_id: &str, now: SystemTime, grants: OptionalClaims<'_>) -> String {
        let (email, sid) = (format!("{user_id}@example.com"), session_id(user_id));
        let subject = Subject {
            id: user_id,
            email: &email,
            email_verified: Some(true),
            session_id: &sid,
        };
        let mut token = self.issuer.token_for(&subject);
        if let Some(roles) = grants.roles {
            token = token.with_roles(roles);
        }
        if let Some(scope) = grants.scope {
            token = token.with_scope(scope);
        }
        if let Some(custom) = grants.custom {
            token = token.with_custom_claims(custom);
        }
        let result = token.issue(now);
        result.expect("the user id is an acceptable sub").token
    }

    /// Returns an `Authorization` header value with the token of [`token_for`](Self::token_for).
    ///
    /// # Panics
    ///
    /// As [`token_for`](Self::token_for).
    #[must_use]
    pub fn authorization_header(&self, user_id: &str) -> String {
        format!("Bearer {}", self.token_for(user_id))
    }

    /// Revokes the session `session-<id>` of the user, as a logout does: its tokens are rejected, also those that are
    /// issued later.
    pub fn revoke_session_of(&self, user_id: &str) {
        let until = SystemTime::now() + 2 * LIFETIME;
        self.revocations.revoke_session(&session_id(user_id), until);
    }

    /// Makes all tokens of the user that have no `claims_version` stale, as a change of the user's roles does. Tokens
    /// of [`issuer`](Self::issuer) with [`with_claims_version(1)`](crate::TokenBuilder::with_claims_version) are
    /// accepted.
    pub fn mark_stale(&self, user_id: &str) {
        let until = SystemTime::now() + 2 * LIFETIME;
        self.revocations.mark_stale(user_id, 1, until);
    }
}

fn session_id(user_id: &str) -> String {
    format!("session-{user_id}")
}

//! Issues tokens for the tests of a service. Not for production. Requires the feature `testing`.

use std::time::{Duration, SystemTime};

use crate::{Authority, Keyring, RevokedSessions, Secret, Subject, TokenIssuer, TokenVerifier};

/// The lifetime of the issued tokens.
const LIFETIME: Duration = Duration::from_secs(900);

/// An issuer and a verifier with the same random secret.
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
    revoked: RevokedSessions,
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

    /// As [`new`](Self::new), with the given issuer and audience.
    ///
    /// # Panics
    ///
    /// If `issuer` or `audience` is empty, or the operating system returns no random bytes.
    #[must_use]
    pub fn with_issuer_and_audience(issuer: &str, audience: &str) -> Self {
        let keyring =
            Keyring::new(Secret::generate().expect("the operating system returns random bytes"));
        let result = TokenVerifier::new(keyring.clone(), issuer, audience);
        let revoked = RevokedSessions::default();
        let verifier = result.expect("issuer and audience are not empty");
        Self {
            issuer: TokenIssuer::new(keyring, issuer, audience, LIFETIME)
                .expect("issuer and audience are not empty"),
            verifier: verifier.with_revoked(revoked.clone()),
            revoked,
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
    /// If `user_id` is empty, has surrounding white space or is too long for a token.
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
        let (email, sid) = (format!("{user_id}@example.com"), session_id(user_id));
        let subject = Subject {
            id: user_id,
            email: &email,
            email_verified: Some(true),
            session_id: &sid,
        };
        let result = self.issuer.issue(&subject, now);
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

    /// Revokes the user's session, as a logout does: all tokens for the user are rejected, also those issued later.
    pub fn revoke_session_of(&self, user_id: &str) {
        let until = SystemTime::now() + 2 * LIFETIME;
        self.revoked.insert(&session_id(user_id), until);
    }
}

fn session_id(user_id: &str) -> String {
    format!("session-{user_id}")
}

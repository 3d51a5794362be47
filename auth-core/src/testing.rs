//! Tokens on the spot, for the tests of a service that verifies them. Not for production.

use std::time::{Duration, SystemTime};

use crate::{Authority, Keyring, RevokedSessions, Secret, Subject, TokenIssuer, TokenVerifier};

const LIFETIME: Duration = Duration::from_secs(900);

/// An issuer and its verifier under a secret that nobody else knows.
///
/// ```
/// use std::time::SystemTime;
/// use auth_core::testing::TestAuthority;
///
/// let test = TestAuthority::new();
/// let token = test.token_for("42");
/// assert_eq!(test.verifier().verify(&token, SystemTime::now())?.sub, "42");
/// assert!(test.header("42").starts_with("Bearer "));
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
    reason = "a test that cannot be set up must stop"
)]
impl TestAuthority {
    /// The issuer `api-server`, the audience `api`, a new secret; tokens live 15 minutes.
    ///
    /// # Panics
    ///
    /// If the system has no random bytes.
    #[must_use]
    pub fn new() -> Self {
        Self::with_names("api-server", "api")
    }

    /// As [`new`](Self::new), with another issuer and audience.
    ///
    /// # Panics
    ///
    /// If one of them is empty, or the system has no random bytes.
    #[must_use]
    pub fn with_names(issuer: &str, audience: &str) -> Self {
        let keyring = Keyring::new(Secret::generate().expect("the system has random bytes"));
        let verifier = TokenVerifier::new(keyring.clone(), issuer, audience);
        let revoked = RevokedSessions::default();
        let verifier = verifier.expect("issuer and audience are not empty");
        Self {
            issuer: TokenIssuer::new(keyring, issuer, audience, LIFETIME)
                .expect("issuer and audience are not empty"),
            verifier: verifier.with_revoked(revoked.clone()),
            revoked,
        }
    }

    /// What verifies its tokens.
    #[must_use]
    pub fn verifier(&self) -> TokenVerifier {
        self.verifier.clone()
    }

    /// The same, as a service under test takes it.
    #[must_use]
    pub fn authority(&self) -> Authority {
        self.verifier().into()
    }

    /// A good token of the user; the address is `<id>@example.com`, the session `session-<id>`.
    ///
    /// # Panics
    ///
    /// If `user_id` is no acceptable `sub`.
    #[must_use]
    pub fn token_for(&self, user_id: &str) -> String {
        self.token_at(user_id, SystemTime::now())
    }

    /// A token of the user that expired an hour ago.
    ///
    /// # Panics
    ///
    /// As [`token_for`](Self::token_for).
    #[must_use]
    pub fn expired_token_for(&self, user_id: &str) -> String {
        let hour = Duration::from_secs(3600);
        self.token_at(user_id, SystemTime::now() - hour - LIFETIME)
    }

    /// A token of the user, issued at `now`.
    ///
    /// # Panics
    ///
    /// As [`token_for`](Self::token_for).
    #[must_use]
    pub fn token_at(&self, user_id: &str, now: SystemTime) -> String {
        let (email, session) = (format!("{user_id}@example.com"), session_of(user_id));
        let subject = Subject {
            id: user_id,
            email: &email,
            session_id: &session,
        };
        let issued = self.issuer.issue(&subject, now);
        issued.expect("the user id is an acceptable sub").token
    }

    /// The `Authorization` value with a good token of the user.
    ///
    /// # Panics
    ///
    /// As [`token_for`](Self::token_for).
    #[must_use]
    pub fn header(&self, user_id: &str) -> String {
        format!("Bearer {}", self.token_for(user_id))
    }

    /// Ends the user's session: its tokens are refused from now on, as after a logout.
    pub fn end_session_of(&self, user_id: &str) {
        let until = SystemTime::now() + 2 * LIFETIME;
        self.revoked.insert(&session_of(user_id), until);
    }
}

fn session_of(user_id: &str) -> String {
    format!("session-{user_id}")
}

//! Issues tokens as another service with the server's secret would.

use std::time::{Duration, SystemTime};

use auth_core::{Keyring, Scope, Secret, Subject, TokenIssuer};

use crate::App;

/// Issues tokens with the server's secret, as another service would. A test changes a field to get tokens that the
/// server rejects.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "tests change its fields")]
pub struct Issuer {
    /// The secret that signs the tokens.
    pub secret: String,
    /// The `iss` claim.
    pub issuer: String,
    /// The `aud` claim.
    pub audience: String,
    /// The time of issue, which becomes the `iat` claim.
    pub now: SystemTime,
    /// The time from `iat` to `exp`.
    pub lifetime: Duration,
    /// The `scope` claim, if the tokens are to have one.
    pub scope: Option<Scope>,
}

impl Issuer {
    /// Creates an issuer whose tokens this server accepts, if the server has the default issuer and audience.
    #[must_use]
    pub fn of(app: &App) -> Self {
        Self {
            secret: app.secret().to_owned(),
            issuer: "api-server".to_owned(),
            audience: "api".to_owned(),
            now: app.clock.now(),
            lifetime: Duration::from_secs(900),
            scope: None,
        }
    }

    /// Issues a token for a user with this id and email address.
    #[must_use]
    pub fn issue(&self, user_id: &str, email: &str) -> String {
        let keyring = Keyring::new(Secret::new(self.secret.as_str()).unwrap());
        let (issuer, audience) = (self.issuer.as_str(), self.audience.as_str());
        let token_issuer = TokenIssuer::new(keyring, issuer, audience, self.lifetime).unwrap();
        let session_id = "a session elsewhere";
        let subject = Subject {
            id: user_id,
            email,
            email_verified: None,
            session_id,
        };
        let mut builder = token_issuer.token_for(&subject);
        if let Some(scope) = &self.scope {
            builder = builder.with_scope(scope);
        }
        builder.issue(self.now).unwrap().token
    }
}

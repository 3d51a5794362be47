//! Verifies the token of a request in this process.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use crate::credentials::Credentials;
use crate::{Authenticate, Authority, Caller, Refusal, TokenVerifier, Verification};

/// A [`TokenVerifier`] with a clock. Reads the token from the request and verifies it without a request to a server.
#[derive(Clone)]
pub struct LocalVerifier {
    verifier: TokenVerifier,
    clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    cookie_name: Option<&'static str>,
}

impl LocalVerifier {
    /// Creates a verifier that uses the system's clock and reads only the `Authorization` header.
    #[must_use]
    pub fn new(verifier: TokenVerifier) -> Self {
        Self {
            verifier,
            clock: Arc::new(SystemTime::now),
            cookie_name: None,
        }
    }

    /// Sets the clock. Defaults to the system's clock.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the cookie that carries the token if there is no `Authorization` header. Defaults to no cookie.
    ///
    /// A browser may send cookies even if another site starts the request. A service that accepts cookies must itself
    /// reject state-changing requests of other origins (CSRF).
    #[must_use]
    pub const fn with_cookie(mut self, name: &'static str) -> Self {
        self.cookie_name = Some(name);
        self
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Result<Caller, Refusal> {
        let (token, _) = credentials.token(self.cookie_name)?;
        Ok(self.verifier.verify(token, (self.clock)())?.into())
    }
}

impl fmt::Debug for LocalVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalVerifier")
            .field("verifier", &self.verifier)
            .field("cookie", &self.cookie_name)
            .finish_non_exhaustive()
    }
}

impl Authenticate for LocalVerifier {
    fn authenticate(&self, credentials: &Credentials<'_>) -> Verification {
        Verification::Ready(self.verify(credentials))
    }
}

impl From<LocalVerifier> for Authority {
    fn from(verifier: LocalVerifier) -> Self {
        Self::new(verifier)
    }
}

/// Uses the system's clock and accepts no cookie, as [`LocalVerifier::new`] does.
impl From<TokenVerifier> for Authority {
    fn from(verifier: TokenVerifier) -> Self {
        LocalVerifier::new(verifier).into()
    }
}

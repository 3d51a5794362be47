//! Verifies the token of a request in this process.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

#[cfg(all(feature = "public-key", feature = "remote"))]
use crate::Error;
use crate::credentials::Credentials;
use crate::{Authenticate, Authority, Issuers, TokenVerifier, Verification};

/// A [`TokenVerifier`], or [several](Issuers), with a clock. Reads the token from the request and verifies it in this
/// process.
///
/// If the keys are a [`RemoteKeySet`](crate::remote::RemoteKeySet) that does not have the key of the token, or has no
/// keys or too old ones, the set requests its keys again, unless it did so less than 10 seconds ago. Meanwhile up to
/// 1024 requests of callers wait, each for at most 2 seconds. A tonic interceptor cannot wait and refuses the request;
/// a layer waits.
#[derive(Clone)]
pub struct LocalVerifier {
    verifier: Issuers,
    clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    cookie_name: Option<&'static str>,
}

impl LocalVerifier {
    /// Creates a verifier that uses the system's clock and reads only the `Authorization` header.
    #[must_use]
    pub fn new(verifier: impl Into<Issuers>) -> Self {
        Self {
            verifier: verifier.into(),
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

    fn verify(&self, token: &str) -> Verification {
        let verifier = match self.verifier.verifier_of(token) {
            Ok(verifier) => verifier,
            Err(error) => return Verification::Ready(Err(error.into())),
        };
        match verifier.verify(token, (self.clock)()) {
            Ok(claims) => Verification::Ready(Ok(claims.into())),
            #[cfg(all(feature = "public-key", feature = "remote"))]
            Err(error @ (Error::UnknownKey | Error::KeysUnavailable)) => {
                self.verify_after_refresh(verifier, token, error)
            }
            Err(error) => Verification::Ready(Err(error.into())),
        }
    }

    /// Verifies a token again after the pending request for keys, or at once if the token cannot wait for one. `error`
    /// is the error of the first verification, for code that cannot await the result.
    #[cfg(all(feature = "public-key", feature = "remote"))]
    fn verify_after_refresh(
        &self,
        verifier: &TokenVerifier,
        token: &str,
        error: Error,
    ) -> Verification {
        let Some(refreshed) = verifier.pending_refresh() else {
            // There is no pending request for keys, or too many other tokens wait. The keys may have arrived since the
            // first verification.
            let result = verifier.verify(token, (self.clock)());
            return Verification::Ready(result.map(Into::into).map_err(Into::into));
        };
        let (verifier, token, clock) =
            (verifier.clone(), token.to_owned(), Arc::clone(&self.clock));
        let pending = Box::pin(async move {
            refreshed.await;
            Ok(verifier.verify(&token, clock())?.into())
        });
        Verification::PendingRefresh(pending, error.into())
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
        match credentials.token(self.cookie_name) {
            Ok((token, _)) => self.verify(token),
            Err(error) => Verification::Ready(Err(error.into())),
        }
    }
}

impl From<LocalVerifier> for Authority {
    fn from(verifier: LocalVerifier) -> Self {
        Self::new(verifier)
    }
}

/// Uses the system's clock and accepts no cookie, as [`LocalVerifier::new`] does.
impl From<Issuers> for Authority {
    fn from(verifiers: Issuers) -> Self {
        LocalVerifier::new(verifiers).into()
    }
}

/// Uses the system's clock and accepts no cookie, as [`LocalVerifier::new`] does.
impl From<TokenVerifier> for Authority {
    fn from(verifier: TokenVerifier) -> Self {
        LocalVerifier::new(verifier).into()
    }
}

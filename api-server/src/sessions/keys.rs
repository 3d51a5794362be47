//! The issuers and verifiers of tokens. When the secrets change, all are replaced at once while requests continue.

use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use auth_core::refresh::RefreshTokens;
use auth_core::revocation::FeedTokens;
use auth_core::session_handle::SessionHandles;
use auth_core::session_token::SessionTokens;
use auth_core::{Error, Keyring, RevokedSessions, TokenIssuer, TokenVerifier};
use tokio::signal::unix::Signal;

/// The settings of tokens, which stay the same when the secrets change.
pub(crate) struct TokenSettings {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    /// The audiences of other services for which tokens are issued.
    pub(crate) services: Vec<String>,
    pub(crate) access_token_ttl: Duration,
    pub(crate) revoked: RevokedSessions,
}

/// The current keys, which can be replaced.
pub(crate) struct Keys {
    active: ArcSwap<ActiveKeys>,
    settings: TokenSettings,
}

/// Issuers and verifiers under the same secrets.
pub(crate) struct ActiveKeys {
    pub(crate) issuer: TokenIssuer,
    pub(crate) verifier: TokenVerifier,
    pub(crate) refresh_tokens: RefreshTokens,
    pub(crate) session_tokens: SessionTokens,
    pub(crate) session_handles: SessionHandles,
    /// The tokens with which services read the feed of revocations.
    pub(crate) feed_tokens: FeedTokens,
    /// The issuers for the audiences of other services.
    services: HashMap<String, TokenIssuer>,
}

impl Keys {
    pub(crate) fn new(keyring: &Keyring, settings: TokenSettings) -> Result<Self, Error> {
        Ok(Self {
            active: ArcSwap::from_pointee(ActiveKeys::new(keyring, &settings)?),
            settings,
        })
    }

    /// Returns the current keys, without a lock. A later call may return different keys.
    pub(crate) fn current(&self) -> Guard<Arc<ActiveKeys>> {
        self.active.load()
    }

    /// Replaces the keys on each signal, or logs why it cannot. Never returns.
    pub(crate) async fn reload_on(
        &self,
        mut sighup: Signal,
        reload: impl Fn() -> Result<Keyring, String>,
    ) {
        while sighup.recv().await.is_some() {
            match reload().and_then(|keyring| self.replace(keyring)) {
                Ok(keyring) => log::info!(
                    "SIGHUP: read the secrets again, and nothing else; key ids, the signing one \
                     first: {keyring:?}"
                ),
                Err(cause) => log::error!("SIGHUP: the secrets stay as they were: {cause}"),
            }
        }
        pending::<()>().await;
    }

    /// Replaces the keys from the next request on; a request in flight keeps the keys that it has loaded.
    fn replace(&self, keyring: Keyring) -> Result<Keyring, String> {
        let keys = ActiveKeys::new(&keyring, &self.settings).map_err(|error| error.to_string())?;
        self.active.store(Arc::new(keys));
        Ok(keyring)
    }
}

impl ActiveKeys {
    fn new(keyring: &Keyring, settings: &TokenSettings) -> Result<Self, Error> {
        let iss = settings.issuer.as_str();
        let aud = settings.audience.as_str();
        let lifetime = settings.access_token_ttl;
        let verifier = TokenVerifier::new(keyring.clone(), iss, aud)?;
        let services = settings.services.iter().map(|service| {
            let keyring = keyring.for_audience(service)?;
            let issuer = TokenIssuer::new(keyring, iss, service, lifetime)?;
            Ok((service.clone(), issuer))
        });
        Ok(Self {
            issuer: TokenIssuer::new(keyring.clone(), iss, aud, lifetime)?,
            verifier: verifier.with_revoked(settings.revoked.clone()),
            refresh_tokens: RefreshTokens::new(keyring),
            session_tokens: SessionTokens::new(keyring),
            session_handles: SessionHandles::new(keyring),
            feed_tokens: FeedTokens::new(keyring.clone(), iss)?
                .with_services(&settings.services)?,
            services: services.collect::<Result<_, Error>>()?,
        })
    }

    /// Returns the issuer for an audience in `TOKEN_AUDIENCES`, with a key of its own; `None` for any other audience.
    pub(crate) fn issuer_for(&self, audience: &str) -> Option<&TokenIssuer> {
        self.services.get(audience)
    }
}

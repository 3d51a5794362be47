//! What is made of the secrets; replaced as a whole, while requests go on, when the secrets change.

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

/// What does not change with the secrets.
pub(crate) struct TokenSettings {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    /// The audiences of other services for which tokens are issued.
    pub(crate) services: Vec<String>,
    pub(crate) access_token_ttl: Duration,
    pub(crate) revoked: RevokedSessions,
}

/// Issues and verifies under the current secrets.
pub(crate) struct Keys {
    active: ArcSwap<ActiveKeys>,
    settings: TokenSettings,
}

/// Issuers and verifiers that agree with each other.
pub(crate) struct ActiveKeys {
    pub(crate) issuer: TokenIssuer,
    pub(crate) verifier: TokenVerifier,
    pub(crate) refresh_tokens: RefreshTokens,
    pub(crate) session_tokens: SessionTokens,
    pub(crate) session_handles: SessionHandles,
    /// Of services that ask which sessions have ended.
    pub(crate) feed_tokens: FeedTokens,
    services: HashMap<String, TokenIssuer>,
}

impl Keys {
    pub(crate) fn new(keyring: &Keyring, settings: TokenSettings) -> Result<Self, Error> {
        Ok(Self {
            active: ArcSwap::from_pointee(ActiveKeys::new(keyring, &settings)?),
            settings,
        })
    }

    /// The keys of this moment; a later call may return others. Takes no lock.
    pub(crate) fn current(&self) -> Guard<Arc<ActiveKeys>> {
        self.active.load()
    }

    /// Reloads the secrets at each signal, or logs why it cannot. Never returns.
    pub(crate) async fn reload_at(
        &self,
        mut hangup: Signal,
        reload: impl Fn() -> Result<Keyring, String>,
    ) {
        while hangup.recv().await.is_some() {
            match reload().and_then(|keyring| self.replace(keyring)) {
                Ok(keyring) => log::info!(
                    "SIGHUP: read the secrets again, and nothing else; key ids, the signing one \
                     first: {keyring:?}"
                ),
                Err(why) => log::error!("SIGHUP: the secrets stay as they were: {why}"),
            }
        }
        pending::<()>().await;
    }

    /// Applies from the next request on; requests in flight end with the keys they began with.
    fn replace(&self, keyring: Keyring) -> Result<Keyring, String> {
        let new = ActiveKeys::new(&keyring, &self.settings).map_err(|error| error.to_string())?;
        self.active.store(Arc::new(new));
        Ok(keyring)
    }
}

impl ActiveKeys {
    fn new(keyring: &Keyring, settings: &TokenSettings) -> Result<Self, Error> {
        let (iss, aud) = (settings.issuer.as_str(), settings.audience.as_str());
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

    /// Issues for an audience of `TOKEN_AUDIENCES`, under its own key.
    pub(crate) fn service(&self, audience: &str) -> Option<&TokenIssuer> {
        self.services.get(audience)
    }
}

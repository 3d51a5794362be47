//! Contains the issuers and verifiers of tokens. New secrets replace all issuers and verifiers at once.

use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use auth_core::mail_token::MailTokens;
use auth_core::refresh::RefreshTokens;
use auth_core::revocation::FeedTokens;
use auth_core::session_handle::SessionHandles;
use auth_core::session_token::SessionTokens;
use auth_core::{Error, Keyring, Revocations, TokenIssuer, TokenVerifier};
use tokio::signal::unix::Signal;

/// The settings of the tokens. They stay the same when the secrets change.
pub(crate) struct TokenSettings {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    /// The setting `TOKEN_AUDIENCES`: the audiences of other services for which this server issues tokens.
    pub(crate) service_audiences: Vec<String>,
    pub(crate) access_token_ttl: Duration,
    pub(crate) revoked: Revocations,
}

/// The current [`ActiveKeys`], which new secrets replace, and the settings, which stay the same.
pub(crate) struct Keys {
    active: ArcSwap<ActiveKeys>,
    settings: TokenSettings,
}

/// The issuers and verifiers that were made from one keyring.
pub(crate) struct ActiveKeys {
    pub(crate) issuer: TokenIssuer,
    pub(crate) verifier: TokenVerifier,
    pub(crate) refresh_tokens: RefreshTokens,
    pub(crate) session_tokens: SessionTokens,
    pub(crate) session_handles: SessionHandles,
    /// Computes and verifies the tokens and codes in mails.
    pub(crate) mail_tokens: MailTokens,
    /// Verifies the tokens with which services read the feed of revocations.
    pub(crate) feed_tokens: FeedTokens,
    /// The issuers of tokens for other services, by audience.
    service_issuers: HashMap<String, TokenIssuer>,
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

    /// On each signal, reads the secrets again and replaces the keys. After an error, the keys stay as they were. Logs
    /// the result of each signal. Never returns.
    pub(crate) async fn reload_on_signal(
        &self,
        mut sighup: Signal,
        read_keyring: impl Fn() -> Result<Keyring, String>,
    ) {
        while sighup.recv().await.is_some() {
            match read_keyring().and_then(|keyring| self.replace(keyring)) {
                Ok(keyring) => log::info!(
                    "SIGHUP: read the secrets again; key ids, the signing one first: {keyring:?}"
                ),
                Err(cause) => log::error!("SIGHUP: the secrets stay as they were: {cause}"),
            }
        }
        pending::<()>().await;
    }

    /// Replaces the keys for later calls of [`current`](Self::current), and returns `keyring` for the log. A request
    /// that has already called `current` continues with the previous keys.
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
        let service_issuers = settings.service_audiences.iter().map(|audience| {
            let service_keyring = keyring.for_audience(audience)?;
            let issuer = TokenIssuer::new(service_keyring, iss, audience, lifetime)?;
            Ok((audience.clone(), issuer))
        });
        Ok(Self {
            issuer: TokenIssuer::new(keyring.clone(), iss, aud, lifetime)?,
            verifier: verifier
                .with_revocations(settings.revoked.clone())
                .with_custom_claims(),
            refresh_tokens: RefreshTokens::new(keyring),
            session_tokens: SessionTokens::new(keyring),
            session_handles: SessionHandles::new(keyring),
            mail_tokens: MailTokens::new(keyring),
            feed_tokens: FeedTokens::new(keyring.clone(), iss)?
                .with_services(&settings.service_audiences)?,
            service_issuers: service_issuers.collect::<Result<_, Error>>()?,
        })
    }

    /// Returns the issuer of tokens for another service; `None` if `audience` is not in `TOKEN_AUDIENCES`.
    pub(crate) fn issuer_for(&self, audience: &str) -> Option<&TokenIssuer> {
        self.service_issuers.get(audience)
    }
}

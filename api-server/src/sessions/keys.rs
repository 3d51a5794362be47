//! Contains the issuers and verifiers of tokens. New secrets and keys replace all issuers and verifiers at once.

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
use auth_core::{Error, Revocations, TokenIssuer, TokenVerifier};
use tokio::signal::unix::Signal;
use tokio::task::spawn_blocking;

use super::jwks;
use super::token_keys::TokenKeys;

/// The values for issuing and verifying tokens that stay the same when the secrets and keys change.
pub(crate) struct TokenSettings {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    /// The setting `TOKEN_AUDIENCES`: the audiences of other services for which this server issues tokens.
    pub(crate) service_audiences: Vec<String>,
    pub(crate) access_token_ttl: Duration,
    pub(crate) revoked: Revocations,
}

/// The current [`ActiveKeys`], which new secrets and keys replace, and the settings, which stay the same.
pub(crate) struct Keys {
    active: ArcSwap<ActiveKeys>,
    settings: TokenSettings,
}

/// The issuers and verifiers that were made from the same secrets and keys.
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
    /// The document with the public keys of access tokens (JWK Set, RFC 7517 § 5); `None` if only secrets sign and
    /// verify.
    pub(crate) jwks: Option<String>,
    /// The issuers of tokens for other services, by audience.
    service_issuers: HashMap<String, TokenIssuer>,
}

impl Keys {
    pub(crate) fn new(token_keys: &TokenKeys, settings: TokenSettings) -> Result<Self, Error> {
        let active = ActiveKeys::new(token_keys, &settings)?;
        if active.jwks.is_some() {
            log::info!("key ids, the signing one first: {token_keys}");
        }
        Ok(Self {
            active: ArcSwap::from_pointee(active),
            settings,
        })
    }

    /// Returns the current keys, without a lock. A later call may return different keys.
    pub(crate) fn current(&self) -> Guard<Arc<ActiveKeys>> {
        self.active.load()
    }

    /// On each signal, reads the secrets and keys again, on a thread that may block, and replaces the active ones.
    /// After an error, the keys stay as they were. Logs the result of each signal. Never returns.
    pub(crate) async fn reload_on_signal(
        &self,
        mut sighup: Signal,
        read_keys: impl Fn() -> Result<TokenKeys, String> + Clone + Send + 'static,
    ) {
        while sighup.recv().await.is_some() {
            // Runs on a blocking thread, because there may be 64 key files on a slow disk.
            let result = spawn_blocking(read_keys.clone()).await;
            let result = result.unwrap_or_else(|stopped| Err(stopped.to_string()));
            match result.and_then(|token_keys| self.replace(token_keys)) {
                Ok(token_keys) => log::info!(
                    "SIGHUP: read the secrets and keys again; key ids, the signing \
                     one first: {token_keys}"
                ),
                Err(cause) => {
                    log::error!("SIGHUP: the secrets and keys stay as they were: {cause}");
                }
            }
        }
        pending::<()>().await;
    }

    /// Replaces the keys for later calls of [`current`](Self::current), and returns `token_keys` for the log. A request
    /// that has already called `current` continues with the previous keys.
    fn replace(&self, token_keys: TokenKeys) -> Result<TokenKeys, String> {
        let result = ActiveKeys::new(&token_keys, &self.settings);
        self.active
            .store(Arc::new(result.map_err(|error| error.to_string())?));
        Ok(token_keys)
    }
}

impl ActiveKeys {
    fn new(token_keys: &TokenKeys, settings: &TokenSettings) -> Result<Self, Error> {
        let iss = settings.issuer.as_str();
        let aud = settings.audience.as_str();
        let lifetime = settings.access_token_ttl;
        let keyring = &token_keys.keyring;
        let key_set = token_keys.key_set()?;
        let jwks = key_set.as_ref().map(jwks::document).transpose()?;
        let verifier = TokenVerifier::new(token_keys.verification_keys(key_set), iss, aud)?;
        let service_issuers = settings.service_audiences.iter().map(|audience| {
            let signer = token_keys.service_signer(audience)?;
            let issuer = TokenIssuer::new(signer, iss, audience, lifetime)?;
            Ok((audience.clone(), issuer))
        });
        Ok(Self {
            issuer: TokenIssuer::new(token_keys.signer(), iss, aud, lifetime)?,
            verifier: verifier
                .with_revocations(settings.revoked.clone())
                .with_custom_claims(),
            refresh_tokens: RefreshTokens::new(keyring),
            session_tokens: SessionTokens::new(keyring),
            session_handles: SessionHandles::new(keyring),
            mail_tokens: MailTokens::new(keyring),
            feed_tokens: FeedTokens::new(keyring.clone(), iss)?
                .with_services(&settings.service_audiences)?,
            jwks,
            service_issuers: service_issuers.collect::<Result<_, Error>>()?,
        })
    }

    /// Returns the issuer of tokens for another service; `None` if `audience` is not in `TOKEN_AUDIENCES`.
    pub(crate) fn issuer_for(&self, audience: &str) -> Option<&TokenIssuer> {
        self.service_issuers.get(audience)
    }
}

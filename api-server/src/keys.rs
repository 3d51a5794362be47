//! What the secrets make: replaced as one, while requests go on, when the secrets change.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::pending;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use auth_core::refresh::RefreshTokens;
use auth_core::revocation::FeedTokens;
use auth_core::session_handle::SessionHandles;
use auth_core::session_token::SessionTokens;
use auth_core::{Error, Keyring, RevokedSessions, TokenIssuer, TokenVerifier};
use tokio::signal::unix::Signal;

use crate::server::Reread;

/// What does not change with the secrets.
pub(crate) struct Names {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    /// The audiences for which there are tokens besides our own.
    pub(crate) services: Vec<String>,
    pub(crate) access_token_ttl: Duration,
    pub(crate) revoked: RevokedSessions,
}

/// Issues and verifies, under whatever secrets are in force at the moment.
pub(crate) struct Keys {
    in_force: Mutex<Arc<InForce>>,
    /// Names what `in_force` holds; stored while it is locked.
    number: AtomicU64,
    names: Names,
}

/// Counted by its thread alone: a count that all threads share would be waited for at every request.
pub(crate) type Local = Rc<Arc<InForce>>;

thread_local! {
    /// What this thread used last, and its number.
    static SEEN: RefCell<Option<(u64, Local)>> = const { RefCell::new(None) };
}

/// No two values in a process have the same, whatever [`Keys`] they are of.
fn next_number() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed)
}

/// Issuers and verifiers that agree with each other.
pub(crate) struct InForce {
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
    pub(crate) fn new(keyring: &Keyring, names: Names) -> Result<Self, Error> {
        Ok(Self {
            in_force: Mutex::new(Arc::new(InForce::new(keyring, &names)?)),
            number: AtomicU64::new(next_number()),
            names,
        })
    }

    /// For the next few lines; whoever comes later may get others. Waits only for a change of the secrets.
    pub(crate) fn in_force(&self) -> Local {
        let number = self.number.load(Ordering::Acquire);
        SEEN.with_borrow_mut(|seen| match seen {
            Some((known, keys)) if *known == number => Rc::clone(keys),
            _ => Rc::clone(&seen.insert(self.look()).1),
        })
    }

    fn look(&self) -> (u64, Local) {
        // Nothing panics while it holds the lock, so a poisoned one still guards good keys.
        let in_force = self.in_force.lock();
        let in_force = in_force.unwrap_or_else(PoisonError::into_inner);
        let number = self.number.load(Ordering::Relaxed);
        (number, Rc::new(Arc::clone(&in_force)))
    }

    /// Changes the secrets at each signal, or says why not. Never ends.
    pub(crate) async fn replace_at(&self, mut hangup: Signal, reread: Reread) {
        while hangup.recv().await.is_some() {
            match self.replace(&reread) {
                Ok(keyring) => log::info!(
                    "SIGHUP: read the secrets again, and nothing else; key ids, the signing one \
                     first: {keyring:?}"
                ),
                Err(why) => log::error!("SIGHUP: the secrets stay as they were: {why}"),
            }
        }
        pending::<()>().await;
    }

    /// From the next request on; those in flight end as they began.
    fn replace(&self, reread: &Reread) -> Result<Keyring, String> {
        let keyring = reread().map_err(|problems| problems.in_one_line())?;
        let new = InForce::new(&keyring, &self.names).map_err(|error| error.to_string())?;
        let in_force = self.in_force.lock();
        let mut in_force = in_force.unwrap_or_else(PoisonError::into_inner);
        *in_force = Arc::new(new);
        self.number.store(next_number(), Ordering::Release);
        Ok(keyring)
    }
}

impl InForce {
    fn new(keyring: &Keyring, names: &Names) -> Result<Self, Error> {
        let (iss, aud) = (names.issuer.as_str(), names.audience.as_str());
        let lifetime = names.access_token_ttl;
        let verifier = TokenVerifier::new(keyring.clone(), iss, aud)?;
        let services = names.services.iter().map(|service| {
            let keyring = keyring.for_audience(service)?;
            let issuer = TokenIssuer::new(keyring, iss, service, lifetime)?;
            Ok((service.clone(), issuer))
        });
        Ok(Self {
            issuer: TokenIssuer::new(keyring.clone(), iss, aud, lifetime)?,
            verifier: verifier.with_revoked(names.revoked.clone()),
            refresh_tokens: RefreshTokens::new(keyring),
            session_tokens: SessionTokens::new(keyring),
            session_handles: SessionHandles::new(keyring),
            feed_tokens: FeedTokens::new(keyring.clone(), iss)?.with_services(&names.services)?,
            services: services.collect::<Result<_, Error>>()?,
        })
    }

    /// Issues for an audience of `TOKEN_AUDIENCES`, under its own key.
    pub(crate) fn service(&self, audience: &str) -> Option<&TokenIssuer> {
        self.services.get(audience)
    }
}

//! Requests the public keys of an issuer, for a service that verifies tokens without a secret.

mod cache_control;
mod discovery;
mod fetch;
mod refresh;
mod state;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::StalePolicy;
use crate::Error;
use crate::public_key::{KeySet, PublicKey, SkippedKey};
use discovery::{AcceptedUrls, Discovery};
use fetch::{Fetch, HttpFetch, Source};
use refresh::keep_fresh;
use state::State;

/// The public keys of an issuer, requested in the background from the URL of its JWK Set document (RFC 7517 § 5).
///
/// The document is requested again after the `max-age` of its `Cache-Control` header, but not sooner than after 1
/// minute and not later than after 60 minutes; without a `max-age`, after 5 minutes, and with `no-store` or `no-cache`,
/// after 1 minute. An `ETag` is sent back, so that an unchanged document is not sent again. A token with a `kid` that
/// the set does not have makes the task request the document at once, unless the previous request, successful or not,
/// started less than 10 seconds ago. Such a token waits for the response for at most 2 seconds in
/// [`TokenVerifier::verify_after_refresh`](crate::TokenVerifier::verify_after_refresh) and in the extractors and guards
/// of this crate, except interceptors of tonic. At most one request runs at a time, however many tokens arrive.
///
/// After a failure the task retries after 1, 2, 4 and at most 60 seconds, each multiplied by a random factor of 0.5 to
/// 1.5, and the last good set stays in use: without a time limit, unless [`with_stale_policy`](Self::with_stale_policy)
/// sets one. Before the first success, every otherwise acceptable token is rejected with [`Error::KeysUnavailable`], a
/// 503. A response replaces the whole set, so a key that the issuer withdraws is no longer accepted. A response that is
/// not a JWK Set, has no usable key, is longer than 1 MiB or has more than 64 keys is a failure; so is every status but
/// 200 and, if an `ETag` was sent back, 304. Redirects are not followed. The `Content-Type` is ignored. Unusable keys
/// of an otherwise good document are [skipped](Self::skipped).
///
/// Clones share the set. The task stops when the last clone and the last verifier with this set are dropped.
///
/// ```no_run
/// use auth_core::remote::RemoteKeySet;
/// use auth_core::{Error, TokenVerifier};
///
/// # async fn service() -> Result<(), Error> {
/// let keys = RemoteKeySet::start("https://auth.example.com/.well-known/jwks.json")?;
/// let verifier = TokenVerifier::new(keys, "https://auth.example.com", "api")?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RemoteKeySet {
    task: Arc<BackgroundTask>,
    /// The age above which the keys are not used.
    max_age: Option<Duration>,
}

/// The background task and its state. The task is aborted on drop.
struct BackgroundTask {
    state: Arc<State>,
    handle: JoinHandle<()>,
}

impl Drop for BackgroundTask {
    fn drop(&mut self) {
        self.handle.abort();
    }
}

impl RemoteKeySet {
    /// Starts to request the JWK Set document at this URL, which must be `https://…`, or `http://…` on this machine
    /// (`localhost`, 127.0.0.0/8 or `[::1]`). Returns at once; [`wait_until_loaded`](Self::wait_until_loaded) waits for
    /// the first keys.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for another URL, without a tokio runtime, and if the system's certificates cannot be
    /// read.
    pub fn start(url: &str) -> Result<Self, Error> {
        let url = AcceptedUrls::HttpsOrLoopback.parse(url)?;
        Self::spawn(HttpFetch::new(Source::Url(url))?)
    }

    /// Does the same as [`start`](Self::start), but also accepts `http://…` to other machines, for a network that is
    /// trusted entirely: an attacker who can change the response on its way can forge tokens.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] if the URL is not `http://…` or `https://…`, without a tokio runtime, and if the
    /// system's certificates cannot be read.
    pub fn start_without_tls(url: &str) -> Result<Self, Error> {
        let url = AcceptedUrls::HttpOrHttps.parse(url)?;
        Self::spawn(HttpFetch::new(Source::Url(url))?)
    }

    /// Starts to request the keys of the issuer with this URL, which is the `iss` of its tokens. The `jwks_uri` in the
    /// issuer's metadata is the URL of the document. The metadata are requested from
    /// `ISSUER/.well-known/openid-configuration` (OpenID Connect Discovery 1.0 § 4) and, after a 404, from
    /// `/.well-known/oauth-authorization-server`, followed by the path of the issuer (RFC 8414 § 3).
    ///
    /// The `issuer` in the metadata must equal the argument, character for character (RFC 8414 § 3.3). The rule of
    /// [`start`](Self::start) for URLs also applies to `jwks_uri`, which must be `https://…` if the issuer is. The
    /// metadata are requested again after each failure.
    ///
    /// # Errors
    ///
    /// The errors of [`start`](Self::start), and [`Error::InvalidSetting`] for a URL with a query or a fragment.
    pub fn discover(issuer: &str) -> Result<Self, Error> {
        let discovery = Discovery::new(issuer)?;
        Self::spawn(HttpFetch::new(Source::Issuer(discovery))?)
    }

    fn spawn(fetch: impl Fetch) -> Result<Self, Error> {
        let runtime = tokio::runtime::Handle::try_current().map_err(|_none| {
            Error::InvalidSetting("a remote key set must be started within a tokio runtime")
        })?;
        let state = Arc::new(State::new());
        let handle = runtime.spawn(keep_fresh(fetch, Arc::clone(&state)));
        Ok(Self {
            task: Arc::new(BackgroundTask { state, handle }),
            max_age: None,
        })
    }

    /// Sets what happens while the keys cannot be requested: with [`StalePolicy::FailClosedAfter`], tokens are rejected
    /// with [`Error::KeysUnavailable`] (503) if the last good response is older than the duration. Choose a duration
    /// that is longer than the time between two requests, which is at most an hour. Defaults to
    /// [`StalePolicy::FailOpen`]: the last good keys stay in use.
    ///
    /// Applies to the returned value and the clones that are made of it, not to other clones of the set.
    #[must_use]
    pub fn with_stale_policy(mut self, policy: StalePolicy) -> Self {
        self.max_age = match policy {
            StalePolicy::FailOpen => None,
            StalePolicy::FailClosedAfter(max_age) => Some(max_age),
        };
        self
    }

    /// Waits, without a time limit, until keys have been received once. Await this before listening, so that no request
    /// is rejected with a 503 right after the start.
    pub async fn wait_until_loaded(&self) {
        self.task.state.wait_until_loaded().await;
    }

    /// Returns the time since the last good response, measured from its request; `None` before the first.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.task.state.age()
    }

    /// Returns why the latest completed request failed, as text for the log; `None` if it succeeded or none completed.
    #[must_use]
    pub fn last_error(&self) -> Option<String> {
        self.task.state.last_error()
    }

    /// Returns the keys in use; `None` before the first good response.
    #[must_use]
    pub fn keys(&self) -> Option<KeySet> {
        self.task.state.keys()
    }

    /// Returns the keys of the last good document that were skipped, with the reason for each, for the log.
    #[must_use]
    pub fn skipped(&self) -> Vec<SkippedKey> {
        self.task.state.skipped()
    }

    /// Returns the key with this id. On failure, makes the task request the document, unless a request runs or started
    /// less than 10 seconds ago.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownKey`], or [`Error::KeysUnavailable`] if the keys are too old or were never received.
    pub(crate) fn find(&self, key_id: &str) -> Result<PublicKey, Error> {
        let result = self.task.state.find(key_id, self.max_age);
        if result.is_err() {
            self.task.state.request_refresh();
        }
        result
    }

    /// Returns a future that ends when the request that runs or is about to run has completed, or after 2 seconds;
    /// `None` if there is no such request, or too many tokens wait already.
    pub(crate) fn pending_refresh(&self) -> Option<impl Future<Output = ()> + Send + use<>> {
        self.task.state.pending_refresh()
    }
}

impl fmt::Debug for RemoteKeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteKeySet")
            .field("keys", &self.keys())
            .field("age", &self.age())
            .finish_non_exhaustive()
    }
}

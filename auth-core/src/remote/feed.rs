//! Polls the server's list of revoked sessions, for a service that verifies tokens itself.

mod poll;
mod state;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::task::JoinHandle;

use super::client;
use crate::revocation::{FeedSigner, FeedTokens, Freshness, RevocationSource, StalePolicy};
use crate::{Error, Revocations, TokenVerifier};
use poll::{FeedClient, poll};
use state::FeedState;

/// A function that returns the current time.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Polls `GET /api/auth/revocations` of a server in the background, about twice a second on one connection. While the
/// requests succeed, a verifier in another process rejects the tokens of a revoked session within about a second.
///
/// After a failure the feed retries after 1, 2, 4 and at most 8 seconds, each multiplied by a random factor of 0.5 to
/// 1.5. The next successful responses contain every revocation that was missed. The feed is up to date when it has
/// received the final page of the list; [`age`](Self::age) returns how long ago that was. Clones share the feed, which
/// stops when the last clone and the last verifier of the feed are dropped.
///
/// ```no_run
/// use std::time::Duration;
/// use auth_core::remote::{RevocationFeed, StalePolicy};
/// use auth_core::{Error, Keyring, Secret, TokenVerifier};
///
/// # async fn service() -> Result<(), Error> {
/// let keyring = Keyring::new(Secret::new(std::env::var("AUTH_SECRET").unwrap_or_default())?);
/// let feed = RevocationFeed::start("http://127.0.0.1:8080", keyring.clone(), "api-server")?;
/// let verifier = TokenVerifier::new(keyring, "api-server", "api")?
///     .with_feed(&feed, StalePolicy::FailClosedAfter(Duration::from_secs(30)));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RevocationFeed(Arc<BackgroundPoll>);

/// The background task and its state. The task is aborted on drop.
struct BackgroundPoll {
    state: Arc<FeedState>,
    task: JoinHandle<()>,
}

impl Drop for BackgroundPoll {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl RevocationFeed {
    /// Starts to poll the server at this URL (`https://auth.example.com`), which issues access tokens as `issuer`.
    ///
    /// Returns at once; [`wait_until_caught_up`](Self::wait_until_caught_up) waits until the feed is up to date for the
    /// first time. The current secret of a [`Keyring`](crate::Keyring), or a
    /// [`FeedCredential`](crate::revocation::FeedCredential), signs the [`FeedTokens`] of the requests.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] if the URL is not `http://…` or `https://…`, `issuer` is empty, no tokio runtime runs,
    /// or the system's certificates cannot be read.
    pub fn start(
        url: &str,
        signer: impl Into<FeedSigner>,
        issuer: impl Into<String>,
    ) -> Result<Self, Error> {
        Self::start_with_clock(url, signer, issuer, Arc::new(SystemTime::now))
    }

    /// Does the same as [`start`](Self::start), with the given clock instead of the system's clock.
    ///
    /// # Errors
    ///
    /// The errors of [`start`](Self::start).
    pub fn start_with_clock(
        url: &str,
        signer: impl Into<FeedSigner>,
        issuer: impl Into<String>,
        clock: Clock,
    ) -> Result<Self, Error> {
        let runtime = tokio::runtime::Handle::try_current().map_err(|_none| {
            Error::InvalidSetting("a revocation feed must be started within a tokio runtime")
        })?;
        let client = FeedClient {
            client: client::build_client(1)?,
            url: client::endpoint_url(url, "/api/auth/revocations")?,
            tokens: FeedTokens::new(signer, issuer)?,
            clock,
        };
        let state = Arc::new(FeedState::new());
        let task = runtime.spawn(poll(client, Arc::clone(&state)));
        Ok(Self(Arc::new(BackgroundPoll { state, task })))
    }

    /// Waits, without a time limit, until the feed has been up to date once. The set then contains the sessions that
    /// were revoked before [`start`](Self::start) and whose access tokens have not expired. Await this before listening
    /// if the service must not accept a token of a revoked session right after its start.
    pub async fn wait_until_caught_up(&self) {
        self.0.state.wait_until_caught_up().await;
    }

    /// Returns the time since the feed was last up to date, measured from the request for the final page of the list;
    /// `None` if the feed has never been up to date.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.0.state.age()
    }

    /// Returns why the latest completed request failed, as text for the log; `None` if it succeeded or none completed.
    #[must_use]
    pub fn last_error(&self) -> Option<String> {
        self.0.state.last_error()
    }

    /// Returns the set of revoked sessions that the feed updates.
    #[must_use]
    pub fn revocations(&self) -> Revocations {
        self.0.state.revocations.clone()
    }
}

impl fmt::Debug for RevocationFeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevocationFeed")
            .field("revocations", &self.0.state.revocations)
            .field("age", &self.age())
            .finish_non_exhaustive()
    }
}

impl RevocationSource for RevocationFeed {
    fn age(&self) -> Option<Duration> {
        Self::age(self)
    }
}

impl TokenVerifier {
    /// Rejects tokens that are revoked or stale according to the feed. `policy` applies while the feed is not up to
    /// date. Defaults to no feed. Replaces the set of [`with_revocations`](Self::with_revocations).
    #[must_use]
    pub fn with_feed(self, feed: &RevocationFeed, policy: StalePolicy) -> Self {
        let freshness = Freshness::new(Arc::new(feed.clone()), policy);
        self.with_fresh_revocations(feed.revocations(), freshness)
    }

    /// Follows the feed of the server at this URL (`https://auth.example.com`): starts a [`RevocationFeed`] with the
    /// secrets and the issuer of this verifier, and waits, without a time limit, until the feed has been up to date
    /// once. The feed stops when the last clone of the verifier is dropped. To read the state of the feed, start the
    /// feed yourself and pass it to [`with_feed`](Self::with_feed).
    ///
    /// ```no_run
    /// use auth_core::remote::StalePolicy;
    /// use auth_core::{Error, Secret, TokenVerifier};
    ///
    /// # async fn service() -> Result<(), Error> {
    /// let secret = Secret::new(std::env::var("AUTH_SECRET").unwrap_or_default())?;
    /// let verifier = TokenVerifier::new(secret, "api-server", "api")?;
    /// let verifier = verifier.follow("http://127.0.0.1:8080", StalePolicy::FailOpen).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`RevocationFeed::start`], and [`Error::InvalidSetting`] if the verifier has only public keys,
    /// because a secret signs the requests.
    pub async fn follow(self, url: &str, policy: StalePolicy) -> Result<Self, Error> {
        let (keyring, issuer) = self.feed_identity().ok_or(Error::InvalidSetting(
            "following a feed needs a verifier with a secret",
        ))?;
        let feed = RevocationFeed::start(url, keyring.clone(), issuer)?;
        feed.wait_until_caught_up().await;
        Ok(self.with_feed(&feed, policy))
    }
}

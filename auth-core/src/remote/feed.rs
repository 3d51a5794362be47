//! The sessions that ended at the server, in the memory of a service that verifies tokens itself.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use reqwest::{Client, Url};
use serde::Deserialize;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::client::{self, Fault};
use super::schedule::pause;
use crate::revocation::FeedTokens;
use crate::{Error, Keyring, RevokedSessions};

/// Where the time comes from.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// A silent server is given up after this long.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How often what needs no memory any more is forgotten.
const PURGE_EVERY: Duration = Duration::from_secs(60);

/// What a verifier does when its [`RevocationFeed`] has not heard from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WhenSilent {
    /// Goes on with what it knows: a token of a session that ended meanwhile is good until its `exp`.
    #[default]
    CarryOn,
    /// Refuses every token with [`Error::RevocationsOutdated`] (503) once the feed is older than this, and before it has
    /// answered for the first time.
    RefuseAfter(Duration),
}

/// Follows `GET /api/auth/revocations` of a server in the background, twice a second over one connection, so that a
/// verifier in another process refuses the tokens of an ended session within about a second.
///
/// When the server is away it is asked again after one second, then two, four and at most eight, each up to a half more
/// or less, and everything that ended meanwhile is learnt from the first answer. [`age`](Self::age) says how old the
/// knowledge is. Clones share the feed; it ends with the last of them and of the verifiers that use it.
///
/// ```no_run
/// use std::time::Duration;
/// use auth_core::remote::{RevocationFeed, WhenSilent};
/// use auth_core::{Error, Keyring, Secret, TokenVerifier};
///
/// # async fn service() -> Result<(), Error> {
/// let keyring = Keyring::new(Secret::new(std::env::var("AUTH_SECRET").unwrap_or_default())?);
/// let feed = RevocationFeed::start("http://127.0.0.1:8080", keyring.clone(), "api-server")?;
/// let verifier = TokenVerifier::new(keyring, "api-server", "api")?
///     .with_feed(&feed, WhenSilent::RefuseAfter(Duration::from_secs(30)));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RevocationFeed(Arc<Following>);

struct Following {
    news: Arc<News>,
    task: JoinHandle<()>,
}

impl Drop for Following {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What the background has learnt.
struct News {
    revoked: RevokedSessions,
    started: Instant,
    /// When the newest complete answer was asked for: milliseconds after `started`, plus one; 0 is never.
    current_at: AtomicU64,
    is_current: watch::Sender<bool>,
    fault: Mutex<Option<String>>,
}

/// An answer of the server.
#[derive(Deserialize)]
struct Page {
    revocations: Vec<Ended>,
    next: i64,
    more: bool,
}

#[derive(Deserialize)]
struct Ended {
    sid: String,
    /// Seconds since 1970.
    exp: u64,
}

struct Source {
    client: Client,
    address: Url,
    tokens: FeedTokens,
    clock: Clock,
}

impl RevocationFeed {
    /// Starts to follow the server at this address (`https://auth.example.com`), which issues tokens as `issuer`.
    /// Returns at once; see [`caught_up`](Self::caught_up). The keyring proves that the service may know.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] if the address is not `http://…` or `https://…`, if `issuer` is empty, or if there is
    /// no tokio runtime.
    pub fn start(server: &str, keyring: Keyring, issuer: impl Into<String>) -> Result<Self, Error> {
        Self::start_with_clock(server, keyring, issuer, Arc::new(SystemTime::now))
    }

    /// As [`start`](Self::start), for a time that is not the system's.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn start_with_clock(
        server: &str,
        keyring: Keyring,
        issuer: impl Into<String>,
        clock: Clock,
    ) -> Result<Self, Error> {
        let runtime = tokio::runtime::Handle::try_current().map_err(|_none| {
            Error::InvalidSetting("a revocation feed must be started within a tokio runtime")
        })?;
        let source = Source {
            client: client::client(1)?,
            address: client::address(server, "/api/auth/revocations")?,
            tokens: FeedTokens::new(keyring, issuer)?,
            clock,
        };
        let news = Arc::new(News {
            revoked: RevokedSessions::default(),
            started: Instant::now(),
            current_at: AtomicU64::new(0),
            is_current: watch::Sender::new(false),
            fault: Mutex::new(None),
        });
        let task = runtime.spawn(follow(source, Arc::clone(&news)));
        Ok(Self(Arc::new(Following { news, task })))
    }

    /// Waits until everything was learnt that ended before the call to [`start`](Self::start). A service that must not
    /// accept an ended session even in its first second awaits it before it listens.
    pub async fn caught_up(&self) {
        let mut is_current = self.0.news.is_current.subscribe();
        // The sender lives as long as this feed, so there is always an answer to come.
        let _sender_gone = is_current.wait_for(|is_current| *is_current).await;
    }

    /// How old the knowledge is; `None` before the first answer.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.0.news.age()
    }

    /// Why the server gave no answer the last time it was asked; `None` if it did. One line for a log.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        self.0.news.lock_fault().clone()
    }

    /// The set that the feed keeps current.
    #[must_use]
    pub fn revoked(&self) -> RevokedSessions {
        self.0.news.revoked.clone()
    }
}

impl fmt::Debug for RevocationFeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevocationFeed")
            .field("revoked", &self.0.news.revoked)
            .field("age", &self.age())
            .finish_non_exhaustive()
    }
}

impl News {
    fn age(&self) -> Option<Duration> {
        let current_at = self.current_at.load(Ordering::Acquire).checked_sub(1)?;
        let since_start = self.started.elapsed();
        Some(since_start.saturating_sub(Duration::from_millis(current_at)))
    }

    fn take(&self, page: &Page) {
        for ended in &page.revocations {
            let until = UNIX_EPOCH.checked_add(Duration::from_secs(ended.exp));
            self.revoked.insert(&ended.sid, until.unwrap_or(UNIX_EPOCH));
        }
    }

    fn is_current_as_of(&self, asked_at: Instant) {
        let after_start = asked_at.saturating_duration_since(self.started).as_millis();
        let after_start = u64::try_from(after_start).unwrap_or(u64::MAX - 1);
        self.current_at.store(after_start + 1, Ordering::Release);
        self.is_current.send_replace(true);
    }

    fn lock_fault(&self) -> MutexGuard<'_, Option<String>> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn follow(source: Source, news: Arc<News>) {
    let (mut after, mut failures) = (0, 0_u32);
    let mut purged_at = Instant::now();
    loop {
        let asked_at = Instant::now();
        let answer = source.ask(after).await;
        *news.lock_fault() = answer.as_ref().err().map(|Fault(why)| why.clone());
        match answer {
            Ok(page) => {
                failures = 0;
                news.take(&page);
                let got_on = page.next > after;
                after = page.next;
                match (page.more, got_on) {
                    (true, true) => continue,
                    // It starts over; at leisure, should it do so again and again.
                    (true, false) => {}
                    (false, _) => news.is_current_as_of(asked_at),
                }
            }
            Err(_fault) => failures = failures.saturating_add(1),
        }
        if purged_at.elapsed() > PURGE_EVERY {
            news.revoked.purge((source.clock)());
            purged_at = Instant::now();
        }
        sleep(pause(failures, getrandom::u32().unwrap_or_default())).await;
    }
}

impl Source {
    async fn ask(&self, after: i64) -> Result<Page, Fault> {
        let token = self.tokens.issue((self.clock)());
        let token = token.map_err(|error| Fault(error.to_string()))?;
        let mut address = self.address.clone();
        address.set_query(Some(&format!("after={after}")));
        let request = self.client.get(address).timeout(TIMEOUT).bearer_auth(token);
        let body = client::good(request.send().await?).await?;
        serde_json::from_slice(&body)
            .map_err(|error| Fault(format!("the answer is not a page of revocations: {error}")))
    }
}

/// A feed, and how old it may be.
#[derive(Debug, Clone)]
pub(crate) struct Freshness {
    feed: RevocationFeed,
    limit: Option<Duration>,
}

impl Freshness {
    pub(crate) fn new(feed: &RevocationFeed, when_silent: WhenSilent) -> Self {
        Self {
            feed: feed.clone(),
            limit: match when_silent {
                WhenSilent::CarryOn => None,
                WhenSilent::RefuseAfter(limit) => Some(limit),
            },
        }
    }

    pub(crate) fn require(&self) -> Result<(), Error> {
        let is_fresh = self
            .limit
            .is_none_or(|limit| self.feed.age().is_some_and(|age| age <= limit));
        is_fresh.then_some(()).ok_or(Error::RevocationsOutdated)
    }
}

//! Delegated verification: the server says who is calling.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use reqwest::header::HeaderMap;
use reqwest::{Client, StatusCode, Url};
use serde::Deserialize;
use tokio::time::timeout;

use super::client::{self, Fault};
use super::forward;
use super::lines::Lines;
use crate::credentials::Credentials;
use crate::{Authenticate, Authority, Caller, Error, Refusal, Verification};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(2);
const MAX_TIMEOUT: Duration = Duration::from_secs(30);
const DEFAULT_CONNECTIONS: usize = 32;
const MAX_CONNECTIONS: usize = 1024;

/// Asks `GET /api/auth/session` of a server who sent a request: for a service that must not hold the secret. Anywhere
/// an [`Authority`] goes, in place of a local verifier.
///
/// It forwards the caller's `Authorization` header or, if there is none, its cookies, and nothing else. The server's 200
/// makes a [`Caller`], its 401 a [`Refusal`] in the same words. Anything else, and no answer within the time limit,
/// is 503 `AUTHORITY_UNAVAILABLE`: nobody passes whom the server did not name. A session that has ended is refused from
/// that moment on, since nothing is remembered.
///
/// A request without credentials, or with what cannot be a token, is refused without asking. No question is asked
/// twice. At most 32 are under way at once, each over a connection of its own, that is kept; at most 1024 wait for their
/// turn, and the time they wait counts. For half a second after the server refused a connection nobody is asked at all.
///
/// A browser sends cookies whoever makes it send the request: a service that lets state change by them must itself
/// refuse such requests of other origins, or set [`with_bearer_only`](Self::with_bearer_only).
///
/// ```
/// use auth_core::Authority;
/// use auth_core::remote::RemoteVerifier;
///
/// let authority = Authority::from(RemoteVerifier::new("https://auth.example.com")?);
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct RemoteVerifier {
    source: Arc<Source>,
    timeout: Duration,
    takes_cookies: bool,
}

struct Source {
    client: Client,
    address: Url,
    lines: Lines,
}

/// What the server says of a caller.
#[derive(Deserialize)]
struct Answer {
    user: User,
    session: Session,
}

#[derive(Deserialize)]
struct User {
    id: String,
    email: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    id: String,
    expires_at: String,
}

/// What the server says to one it does not know.
#[derive(Deserialize)]
struct Problem {
    code: String,
    detail: String,
}

impl RemoteVerifier {
    /// Asks the server at this address: `https://auth.example.com`, or with a path before `/api`. The time limit is 2
    /// seconds, the number of connections 32.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] if the address is not `http://…` or `https://…`, or if the system's certificates
    /// cannot be read.
    pub fn new(server: &str) -> Result<Self, Error> {
        let source = Source {
            client: client::client(DEFAULT_CONNECTIONS)?,
            address: client::address(server, "/api/auth/session")?,
            lines: Lines::new(DEFAULT_CONNECTIONS),
        };
        Ok(Self {
            source: Arc::new(source),
            timeout: DEFAULT_TIMEOUT,
            takes_cookies: true,
        })
    }

    /// How long a caller may wait for the server's answer, its turn included. Defaults to 2 seconds.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for zero and above 30 seconds.
    pub fn with_timeout(mut self, limit: Duration) -> Result<Self, Error> {
        if limit.is_zero() || limit > MAX_TIMEOUT {
            return Err(Error::InvalidSetting(
                "the time limit must be above 0 and at most 30 seconds",
            ));
        }
        self.timeout = limit;
        Ok(self)
    }

    /// How many questions may be under way at once, and how many connections are kept. Defaults to 32.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for 0 and above 1024.
    pub fn with_connections(mut self, connections: usize) -> Result<Self, Error> {
        if !(1..=MAX_CONNECTIONS).contains(&connections) {
            return Err(Error::InvalidSetting(
                "the number of connections must be from 1 to 1024",
            ));
        }
        self.source = Arc::new(Source {
            client: client::client(connections)?,
            address: self.source.address.clone(),
            lines: Lines::new(connections),
        });
        Ok(self)
    }

    /// Takes no cookies, only `Authorization` headers. Defaults to both.
    #[must_use]
    pub const fn with_bearer_only(mut self) -> Self {
        self.takes_cookies = false;
        self
    }
}

impl Source {
    async fn ask(&self, headers: HeaderMap) -> Result<Caller, Refusal> {
        let _line = self.lines.take().await?;
        let request = self.client.get(self.address.clone()).headers(headers);
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                if error.is_connect() {
                    self.lines.pause();
                }
                return Err(unavailable(error.into()));
            }
        };
        match response.status() {
            StatusCode::OK => {
                let body = client::body(response).await.map_err(unavailable)?;
                caller(&body).ok_or_else(|| unavailable(Fault("a 200 names no caller".to_owned())))
            }
            StatusCode::UNAUTHORIZED => {
                let body = client::body(response).await.map_err(unavailable)?;
                // Whoever says 401 in other words, say a proxy, is not the server.
                let told = serde_json::from_slice::<Problem>(&body)
                    .map_err(|_json| unavailable(Fault("a 401 is not the server's".to_owned())))?;
                Err(Refusal::unauthorized(&told.code, told.detail))
            }
            status => Err(unavailable(Fault(format!("the server answered {status}")))),
        }
    }
}

fn unavailable(Fault(why): Fault) -> Refusal {
    Refusal::authority_unavailable(why)
}

fn caller(body: &[u8]) -> Option<Caller> {
    let Answer { user, session } = serde_json::from_slice(body).ok()?;
    let expires = humantime::parse_rfc3339(&session.expires_at).ok()?;
    let expires = expires.duration_since(UNIX_EPOCH).ok()?.as_secs();
    let is_named = !user.id.is_empty() && user.id.trim() == user.id;
    let expires = i64::try_from(expires).ok()?;
    is_named.then(|| Caller::new(user.id, user.email, session.id, expires))
}

impl Authenticate for RemoteVerifier {
    fn authenticate(&self, credentials: &Credentials<'_>) -> Verification {
        let headers = match forward::header(credentials, self.takes_cookies) {
            Ok(headers) => headers,
            Err(error) => return Verification::Ready(Err(error.into())),
        };
        let (source, limit) = (Arc::clone(&self.source), self.timeout);
        Verification::Pending(Box::pin(async move {
            let answer = timeout(limit, source.ask(headers)).await;
            answer.unwrap_or_else(|_elapsed| {
                Err(unavailable(Fault(format!("no answer within {limit:?}"))))
            })
        }))
    }
}

impl From<RemoteVerifier> for Authority {
    fn from(verifier: RemoteVerifier) -> Self {
        Self::new(verifier)
    }
}

impl fmt::Debug for RemoteVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteVerifier")
            .field("timeout", &self.timeout)
            .field("takes_cookies", &self.takes_cookies)
            .finish_non_exhaustive()
    }
}

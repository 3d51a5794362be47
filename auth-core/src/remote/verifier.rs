//! Identifies the caller of each request with a request to the authorisation server.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Response, StatusCode, Url};
use tokio::time::timeout;

use super::client::{self, RequestError};
use super::concurrency_limit::ConcurrencyLimit;
use super::forward::forwarded_headers;
use super::session_response::{parse_caller, parse_unauthorized};
use crate::credentials::Credentials;
use crate::{Authenticate, Authority, Caller, Error, Refusal, Verification};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(2);
const MAX_TIMEOUT: Duration = Duration::from_secs(30);
const DEFAULT_CONNECTIONS: usize = 32;
const MAX_CONNECTIONS: usize = 1024;

/// Identifies callers by `GET /api/auth/session` of a server, for a service that must not know the secret. A
/// `RemoteVerifier` can replace a local verifier as the [`Authority`] of a service.
///
/// The verifier forwards only the `Authorization` header or, without such a header, the cookies. A 200 whose body names
/// a valid user becomes a [`Caller`]. The code and the detail of a 401 become a [`Refusal::unauthorized`]. Any other
/// response, or no response within the time limit, becomes a 503 `AUTHORITY_UNAVAILABLE`, so no failure lets a request
/// through. Nothing is cached: the verifier rejects a token as soon as the server does.
///
/// A request without credentials, or with malformed or too long credentials, is rejected without a request to the
/// server. A request to the server that failed is not repeated. By default, at most 32 requests to the server run at
/// once, on connections that are kept open, and at most 1024 more wait, within the time limit. For half a second after
/// an attempt to connect failed, no new request is started.
///
/// A browser may send cookies even if another site starts the request. A service whose state such a request can change
/// must itself reject requests of other origins (CSRF), or use [`with_bearer_only`](Self::with_bearer_only).
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
    endpoint: Arc<SessionEndpoint>,
    timeout: Duration,
    accepts_cookies: bool,
}

/// A client for `GET /api/auth/session` of the server.
struct SessionEndpoint {
    client: Client,
    url: Url,
    limit: ConcurrencyLimit,
}

impl RemoteVerifier {
    /// Creates a verifier that sends its requests to the server at this base URL, such as `https://auth.example.com`,
    /// or `https://example.com/auth` if the paths of the server have a prefix. The path `/api/auth/session` is
    /// appended. By default, a request may take 2 seconds, and at most 32 requests run at once.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] if the URL is not `http://…` or `https://…`, or the system has no readable
    /// certificates.
    pub fn new(server_url: &str) -> Result<Self, Error> {
        let url = client::endpoint_url(server_url, "/api/auth/session")?;
        Ok(Self {
            endpoint: Arc::new(SessionEndpoint::new(url, DEFAULT_CONNECTIONS)?),
            timeout: DEFAULT_TIMEOUT,
            accepts_cookies: true,
        })
    }

    /// Sets how long a request to the server may take, including its wait in the queue. Defaults to 2 seconds.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for zero and for more than 30 seconds.
    pub fn with_timeout(mut self, time_limit: Duration) -> Result<Self, Error> {
        if time_limit.is_zero() || time_limit > MAX_TIMEOUT {
            return Err(Error::InvalidSetting(
                "the time limit must be above 0 and at most 30 seconds",
            ));
        }
        self.timeout = time_limit;
        Ok(self)
    }

    /// Sets how many requests to the server run at once, and how many idle connections are kept. Defaults to 32.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for 0 and for more than 1024.
    pub fn with_connections(mut self, connection_count: usize) -> Result<Self, Error> {
        if !(1..=MAX_CONNECTIONS).contains(&connection_count) {
            return Err(Error::InvalidSetting(
                "the number of connections must be from 1 to 1024",
            ));
        }
        let url = self.endpoint.url.clone();
        self.endpoint = Arc::new(SessionEndpoint::new(url, connection_count)?);
        Ok(self)
    }

    /// Accepts `Authorization` headers only. By default, cookies are accepted as well.
    #[must_use]
    pub const fn with_bearer_only(mut self) -> Self {
        self.accepts_cookies = false;
        self
    }
}

impl SessionEndpoint {
    fn new(url: Url, connection_count: usize) -> Result<Self, Error> {
        Ok(Self {
            client: client::build_client(connection_count)?,
            url,
            limit: ConcurrencyLimit::new(connection_count),
        })
    }

    /// Requests the session of the credentials in `headers` and returns the user of the session.
    async fn request_caller(&self, headers: HeaderMap) -> Result<Caller, Refusal> {
        let _permit = self.limit.acquire().await?;
        let request = self.client.get(self.url.clone()).headers(headers);
        match request.send().await {
            Ok(response) => read_response(response).await,
            Err(error) => {
                if error.is_connect() {
                    self.limit.pause();
                }
                Err(unavailable(error.into()))
            }
        }
    }
}

async fn read_response(response: Response) -> Result<Caller, Refusal> {
    match response.status() {
        StatusCode::OK => {
            let body = client::read_body(response).await.map_err(unavailable)?;
            parse_caller(&body)
                .ok_or_else(|| unavailable(RequestError("the 200 names no valid caller".into())))
        }
        StatusCode::UNAUTHORIZED => {
            let body = client::read_body(response).await.map_err(unavailable)?;
            Err(parse_unauthorized(&body).unwrap_or_else(|| {
                unavailable(RequestError(
                    "the 401 is not a response of the server".into(),
                ))
            }))
        }
        status => Err(unavailable(RequestError(format!(
            "the server responded {status}"
        )))),
    }
}

fn unavailable(RequestError(cause): RequestError) -> Refusal {
    Refusal::authority_unavailable(cause)
}

impl Authenticate for RemoteVerifier {
    fn authenticate(&self, credentials: &Credentials<'_>) -> Verification {
        let headers = match forwarded_headers(credentials, self.accepts_cookies) {
            Ok(headers) => headers,
            Err(error) => return Verification::Ready(Err(error.into())),
        };
        let (endpoint, time_limit) = (Arc::clone(&self.endpoint), self.timeout);
        Verification::Pending(Box::pin(async move {
            let result = timeout(time_limit, endpoint.request_caller(headers)).await;
            result.unwrap_or_else(|_elapsed| {
                Err(unavailable(RequestError(format!(
                    "no response within {time_limit:?}"
                ))))
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
            .field("accepts_cookies", &self.accepts_cookies)
            .finish_non_exhaustive()
    }
}

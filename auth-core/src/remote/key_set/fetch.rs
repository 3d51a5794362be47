//! Requests the JWK Set document over HTTP.

use std::time::Duration;

use reqwest::header::{CACHE_CONTROL, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use reqwest::{Client, Response, StatusCode, Url};

use super::cache_control::refresh_interval;
use super::discovery::Discovery;
use crate::Error;
use crate::public_key::{JwkSet, KeySet, SkippedKey};
use crate::remote::client::{self, RequestError};

/// The time limit for one request. Longer than a token waits, so that a slow issuer is usable after the first request.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Requests keys. Tests replace the requests.
pub(super) trait Fetch: Send + 'static {
    /// Requests the keys once, after up to two requests for their URL.
    fn fetch(&mut self) -> impl Future<Output = Result<Fetched, RequestError>> + Send;
}

/// A good response.
pub(super) struct Fetched {
    /// The keys; `None` if they are the same as in the previous good response.
    pub(super) keys: Option<(KeySet, Vec<SkippedKey>)>,
    /// The time until the next regular request.
    pub(super) refresh_interval: Duration,
}

/// The URL of the keys, or the issuer whose metadata name it.
pub(super) enum Source {
    Url(Url),
    Issuer(Discovery),
}

/// Requests keys over HTTP.
pub(super) struct HttpFetch {
    client: Client,
    source: Source,
    /// The URL of the keys, for an issuer from its metadata; `None` before the first good response and after a failure.
    discovered_url: Option<Url>,
    /// The `ETag` of the latest good document, if it had one.
    etag: Option<HeaderValue>,
}

impl HttpFetch {
    /// Creates a client that requests the keys of `source`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] if the system's certificates cannot be read.
    pub(super) fn new(source: Source) -> Result<Self, Error> {
        Ok(Self {
            client: client::build_client(1)?,
            source,
            discovered_url: None,
            etag: None,
        })
    }

    /// Returns the URL of the keys, from the metadata of the issuer if it is not known.
    async fn url(&self) -> Result<Url, RequestError> {
        match (&self.source, &self.discovered_url) {
            (Source::Url(url), _) | (_, Some(url)) => Ok(url.clone()),
            (Source::Issuer(discovery), None) => self.discover(discovery).await,
        }
    }

    async fn discover(&self, discovery: &Discovery) -> Result<Url, RequestError> {
        let [openid_url, oauth_url] = &discovery.metadata_urls;
        let mut response = self.get(openid_url, HeaderMap::new()).await?;
        if response.status() == StatusCode::NOT_FOUND {
            response = self.get(oauth_url, HeaderMap::new()).await?;
        }
        discovery.read_metadata(&client::read_ok_body(response).await?)
    }

    async fn get(&self, url: &Url, headers: HeaderMap) -> Result<Response, RequestError> {
        let request = self.client.get(url.clone()).headers(headers);
        Ok(request.timeout(TIMEOUT).send().await?)
    }

    async fn fetch_keys(&mut self, url: &Url) -> Result<Fetched, RequestError> {
        let etag = self.etag.iter().cloned();
        let headers = etag.map(|etag| (IF_NONE_MATCH, etag)).collect();
        let response = self.get(url, headers).await?;
        let is_unchanged = response.status() == StatusCode::NOT_MODIFIED && self.etag.is_some();
        let etag = response.headers().get(ETAG).cloned();
        let cache_control = response.headers().get_all(CACHE_CONTROL);
        let refresh_interval = refresh_interval(cache_control.iter().map(HeaderValue::as_bytes));
        let keys = if is_unchanged {
            None
        } else {
            let keys = parse(&client::read_ok_body(response).await?)?;
            self.etag = etag;
            Some(keys)
        };
        Ok(Fetched {
            keys,
            refresh_interval,
        })
    }
}

impl Fetch for HttpFetch {
    async fn fetch(&mut self) -> Result<Fetched, RequestError> {
        let url = self.url().await?;
        let result = self.fetch_keys(&url).await;
        // After a failure the metadata are requested again: the issuer may have moved its keys.
        self.discovered_url = result.is_ok().then_some(url);
        result
    }
}

/// Parses the document. A document without a usable key is an error, so that the last good keys stay in use.
pub(super) fn parse(document: &[u8]) -> Result<(KeySet, Vec<SkippedKey>), RequestError> {
    let set = JwkSet::parse(document).map_err(|error| RequestError(error.to_string()))?;
    let keys = KeySet::new(set.keys().iter().cloned()).map_err(|error| {
        let skipped = set.skipped().iter().map(ToString::to_string);
        let reasons: Vec<String> = std::iter::once(error.to_string()).chain(skipped).collect();
        RequestError(reasons.join("; "))
    })?;
    Ok((keys, set.skipped().to_vec()))
}

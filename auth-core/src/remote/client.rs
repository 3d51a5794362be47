//! Builds the HTTP client for one server and reads responses. Limits connect time, idle connections and response size.

use std::time::Duration;

use reqwest::{Client, Response, StatusCode, Url, redirect};

use crate::Error;

/// The time limit for establishing a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The longest response body, in bytes. For comparison: a page of 1000 revoked sessions has about 64 kB.
const MAX_BODY_BYTES: usize = 1 << 20;

/// The reason why a request returned no usable response, as text for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RequestError(pub(super) String);

impl From<reqwest::Error> for RequestError {
    fn from(error: reqwest::Error) -> Self {
        // The URL may contain credentials, which must not be logged.
        let error = error.without_url();
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        Self(cause.unwrap_or_else(|| error.to_string()))
    }
}

/// Builds a client that keeps up to `max_idle` idle connections, follows no redirect and uses no proxy. The client does
/// not limit the time of a whole request.
///
/// # Errors
///
/// [`Error::InvalidSetting`] if the system's certificates cannot be read.
pub(super) fn build_client(max_idle: usize) -> Result<Client, Error> {
    Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_max_idle_per_host(max_idle)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .build()
        .map_err(|_tls| Error::InvalidSetting("no TLS certificates of the system could be read"))
}

/// Appends `path` to the path of the server's URL. Drops query and fragment.
///
/// # Errors
///
/// [`Error::InvalidSetting`] unless `server_url` is an `http://…` or `https://…` URL.
pub(super) fn endpoint_url(server_url: &str, path: &str) -> Result<Url, Error> {
    const NOT_HTTP: Error =
        Error::InvalidSetting("the server's address must be http://… or https://…");
    let parsed_url = Url::parse(server_url).ok();
    let mut url = parsed_url
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or(NOT_HTTP)?;
    let full_path = format!("{}{path}", url.path().trim_end_matches('/'));
    url.set_path(&full_path);
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

/// Reads the body of a response with status 200; any other status is an error.
pub(super) async fn read_ok_body(response: Response) -> Result<Vec<u8>, RequestError> {
    match response.status() {
        StatusCode::OK => read_body(response).await,
        status => Err(RequestError(format!("the server responded {status}"))),
    }
}

/// Reads a body of at most [`MAX_BODY_BYTES`]; a longer body is an error. Does not check the status.
pub(super) async fn read_body(mut response: Response) -> Result<Vec<u8>, RequestError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MAX_BODY_BYTES {
            return Err(RequestError(format!(
                "the response is longer than {MAX_BODY_BYTES} bytes"
            )));
        }
    }
    Ok(bytes)
}

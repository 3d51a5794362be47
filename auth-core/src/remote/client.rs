//! HTTP to one server: bounded in time, in connections and in bytes.

use std::time::Duration;

use reqwest::{Client, Response, StatusCode, Url, redirect};

use crate::Error;

/// A connection that is not made within this time never will be.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// A page of a thousand ended sessions has some 100 kB.
const MAX_BYTES: usize = 1 << 20;

/// Why the server gave no answer that is of use; for logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault(pub(super) String);

impl From<reqwest::Error> for Fault {
    fn from(error: reqwest::Error) -> Self {
        // The address may hold credentials.
        let error = error.without_url();
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        Self(cause.unwrap_or_else(|| error.to_string()))
    }
}

/// Who asks sets the time limit of the whole.
pub(super) fn client(connections: usize) -> Result<Client, Error> {
    Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_max_idle_per_host(connections)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .build()
        .map_err(|_tls| Error::InvalidSetting("no TLS certificates of the system could be read"))
}

/// `path` under the server's address, which may itself have a path.
pub(super) fn address(server: &str, path: &str) -> Result<Url, Error> {
    const ADDRESS: Error =
        Error::InvalidSetting("the server's address must be http://… or https://…");
    let url = Url::parse(server).ok();
    let mut url = url
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or(ADDRESS)?;
    let path = format!("{}{path}", url.path().trim_end_matches('/'));
    url.set_path(&path);
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

/// The body of a 200.
pub(super) async fn good(response: Response) -> Result<Vec<u8>, Fault> {
    match response.status() {
        StatusCode::OK => body(response).await,
        status => Err(Fault(format!("the server answered {status}"))),
    }
}

pub(super) async fn body(mut response: Response) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MAX_BYTES {
            return Err(Fault(format!(
                "the answer is longer than {MAX_BYTES} bytes"
            )));
        }
    }
    Ok(bytes)
}

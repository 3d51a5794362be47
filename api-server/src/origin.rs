//! Origins of pages.

use std::net::SocketAddr;

use url::Url;

/// Scheme, host and port, as a browser writes them in `Origin` (RFC 6454 § 6.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// Parses what an operator writes: scheme, host and port only.
    ///
    /// # Errors
    ///
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const EXAMPLE: &str = "use scheme, host and port only, such as https://app.example.com";
        let url = Url::parse(text).map_err(|_not_a_url| EXAMPLE)?;
        let origin = url.origin().ascii_serialization();
        let web = matches!(url.scheme(), "http" | "https");
        // What follows the origin may only be the empty path that the parser adds.
        let wild = origin.contains('*');
        if !web || wild || !matches!(text.strip_prefix(origin.as_str()), Some("" | "/")) {
            return Err(EXAMPLE);
        }
        Ok(Self(origin))
    }

    /// The origin of a server that speaks plain HTTP at this address.
    #[must_use]
    pub fn of_address(address: SocketAddr) -> Self {
        Self(format!("http://{address}"))
    }

    /// Whether browsers come over TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

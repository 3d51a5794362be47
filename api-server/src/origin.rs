//! Defines the origin of a web page or of a server.

use std::net::SocketAddr;

use url::Url;

/// A scheme, host and port, in the form of the `Origin` header (RFC 6454 § 6.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// Parses an http or https origin in the form in which browsers send it: in lower case, in ASCII and without the
    /// default port. One final slash is allowed.
    ///
    /// # Errors
    ///
    /// If the text has another form or contains `*`. The error says what to write instead.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const REMEDY: &str = "use scheme, host and port only, such as https://app.example.com";
        let url = Url::parse(text).map_err(|_not_a_url| REMEDY)?;
        let origin = url.origin().ascii_serialization();
        let has_http_scheme = matches!(url.scheme(), "http" | "https");
        let has_wildcard = origin.contains('*');
        // Browsers show a final slash after an origin, so a copied origin may end in a slash.
        let has_only_origin = matches!(text.strip_prefix(origin.as_str()), Some("" | "/"));
        if !has_http_scheme || has_wildcard || !has_only_origin {
            return Err(REMEDY);
        }
        Ok(Self(origin))
    }

    /// Returns the origin of a server that serves plain HTTP at this socket address.
    #[must_use]
    pub fn of_socket_address(address: SocketAddr) -> Self {
        Self(format!("http://{address}"))
    }

    /// Returns true if the scheme is `https`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// Returns the origin as text, such as `https://app.example.com`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

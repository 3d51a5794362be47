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

    /// Returns the origin of a server that listens on this address, in the form that browsers send: without the port if
    /// it is the default of the scheme.
    #[must_use]
    pub fn of_socket_address(address: SocketAddr, is_https: bool) -> Self {
        let scheme = if is_https { "https" } else { "http" };
        let text = format!("{scheme}://{address}");
        let origin = Url::parse(&text).map(|url| url.origin().ascii_serialization());
        Self(origin.unwrap_or(text))
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

#[cfg(test)]
mod tests {
    use super::Origin;

    #[test]
    fn the_origin_of_a_socket_address_is_the_one_that_browsers_send() {
        for (address, is_https, origin) in [
            ("127.0.0.1:8080", false, "http://127.0.0.1:8080"),
            ("127.0.0.1:80", false, "http://127.0.0.1"),
            ("[::1]:80", false, "http://[::1]"),
            ("[2001:db8::1]:443", false, "http://[2001:db8::1]:443"),
            ("127.0.0.1:80", true, "https://127.0.0.1:80"),
            ("[2001:db8::1]:443", true, "https://[2001:db8::1]"),
        ] {
            let address = address.parse().unwrap();
            let origin_of_address = Origin::of_socket_address(address, is_https);
            assert_eq!(origin_of_address.as_str(), origin);
        }
    }
}

//! Finds the URL of the JWK Set document of an issuer, and checks which URLs are acceptable.

use reqwest::Url;
use serde::Deserialize;
use url_host::is_loopback;

use crate::Error;
use crate::remote::client::RequestError;

/// The URLs from which keys may be requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AcceptedUrls {
    /// `https`, and `http` on this machine.
    HttpsOrLoopback,
    /// `https` only.
    Https,
    /// `https` and `http`.
    HttpOrHttps,
}

impl AcceptedUrls {
    /// Parses a URL.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for a URL that is not acceptable.
    pub(super) fn parse(self, text: &str) -> Result<Url, Error> {
        let url = Url::parse(text).ok();
        let url = url.filter(|url| self.accepts(url));
        url.ok_or(Error::InvalidSetting(match self {
            Self::HttpsOrLoopback => {
                "the URL of the keys must be https://…, or http://… with a loopback address"
            }
            Self::Https => "the URL of the keys must be https://…, because the issuer is",
            Self::HttpOrHttps => "the URL of the keys must be https://… or http://…",
        }))
    }

    fn accepts(self, url: &Url) -> bool {
        match url.scheme() {
            "https" => url.has_host(),
            "http" => match self {
                Self::HttpsOrLoopback => is_loopback(url),
                Self::Https => false,
                Self::HttpOrHttps => url.has_host(),
            },
            _ => false,
        }
    }
}

mod url_host {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use reqwest::Url;

    /// Returns whether the host of the URL is this machine: `localhost`, 127.0.0.0/8 or `[::1]`.
    pub(super) fn is_loopback(url: &Url) -> bool {
        // `Url` writes an IPv4 address in its usual form, and an IPv6 address in brackets.
        let host = url.host_str().unwrap_or_default();
        if let Ok(address) = host.parse::<Ipv4Addr>() {
            return address.is_loopback();
        }
        let address = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        match address.map(str::parse::<Ipv6Addr>) {
            Some(address) => address.is_ok_and(|address| address.is_loopback()),
            None => host == "localhost",
        }
    }
}

/// An issuer whose metadata name the URL of its keys.
pub(super) struct Discovery {
    issuer: String,
    /// The URLs of the metadata, in the order in which they are tried.
    pub(super) metadata_urls: [Url; 2],
    /// The URLs that are acceptable as `jwks_uri`.
    transport: AcceptedUrls,
}

/// The members of the metadata that are read.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

impl Discovery {
    /// Prepares the discovery of this issuer's keys.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for an issuer that is not an acceptable URL, or has a query or a fragment (RFC 8414
    /// § 2).
    pub(super) fn new(issuer: &str) -> Result<Self, Error> {
        let url = AcceptedUrls::HttpsOrLoopback.parse(issuer)?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(Error::InvalidSetting(
                "the URL of the issuer must not have a query or a fragment",
            ));
        }
        let path = url.path().trim_end_matches('/').to_owned();
        let at = |path: String| {
            let mut url = url.clone();
            url.set_path(&path);
            url
        };
        Ok(Self {
            issuer: issuer.to_owned(),
            metadata_urls: [
                at(format!("{path}/.well-known/openid-configuration")),
                at(format!("/.well-known/oauth-authorization-server{path}")),
            ],
            transport: if url.scheme() == "https" {
                AcceptedUrls::Https
            } else {
                AcceptedUrls::HttpsOrLoopback
            },
        })
    }

    /// Returns the URL of the keys from these metadata. Rejects malformed metadata, metadata of another issuer, and a
    /// URL that is not acceptable.
    pub(super) fn read_metadata(&self, metadata: &[u8]) -> Result<Url, RequestError> {
        let metadata: Metadata = serde_json::from_slice(metadata)
            .map_err(|error| RequestError(format!("the response is not metadata: {error}")))?;
        if metadata.issuer != self.issuer {
            return Err(RequestError(format!(
                "the metadata are those of the issuer {:?}",
                metadata.issuer
            )));
        }
        let url = self.transport.parse(&metadata.jwks_uri);
        url.map_err(|error| RequestError(format!("jwks_uri {:?}: {error}", metadata.jwks_uri)))
    }
}

#[cfg(test)]
mod tests {
    use super::{AcceptedUrls, Discovery};

    #[test]
    fn without_tls_only_this_machine_is_accepted() {
        for (url, is_secure, is_any) in [
            ("https://auth.example.com/jwks.json", true, true),
            ("HTTPS://auth.example.com", true, true),
            ("http://127.0.0.1:8080/jwks", true, true),
            ("http://127.255.0.1/jwks", true, true),
            ("http://2130706433/jwks", true, true),
            ("http://[::1]:8080/jwks", true, true),
            ("http://localhost:8080/jwks", true, true),
            ("http://LOCALHOST/jwks", true, true),
            ("http://126.255.255.255/jwks", false, true),
            ("http://128.0.0.1/jwks", false, true),
            ("http://[::2]/jwks", false, true),
            ("http://[::ffff:10.0.0.1]/jwks", false, true),
            ("http://169.254.169.254/jwks", false, true),
            ("http://localhost.example.com/jwks", false, true),
            ("http://127.0.0.1.example.com/jwks", false, true),
            ("http://127.0.0.1@example.com/jwks", false, true),
            ("http://auth.example.com/jwks", false, true),
            ("file:///etc/passwd", false, false),
            ("data:application/json,{}", false, false),
            ("ftp://127.0.0.1/jwks", false, false),
            ("https://", false, false),
            ("http://", false, false),
            ("/jwks", false, false),
            ("", false, false),
        ] {
            assert_eq!(
                AcceptedUrls::HttpsOrLoopback.parse(url).is_ok(),
                is_secure,
                "{url}"
            );
            assert_eq!(
                AcceptedUrls::HttpOrHttps.parse(url).is_ok(),
                is_any,
                "{url}"
            );
            let is_https = url.to_lowercase().starts_with("https://auth");
            assert_eq!(AcceptedUrls::Https.parse(url).is_ok(), is_https, "{url}");
        }
    }

    #[test]
    fn metadata_are_at_the_addresses_of_openid_connect_and_rfc_8414() {
        for (issuer, openid, oauth) in [
            (
                "https://a.example",
                "https://a.example/.well-known/openid-configuration",
                "https://a.example/.well-known/oauth-authorization-server",
            ),
            (
                "https://a.example/",
                "https://a.example/.well-known/openid-configuration",
                "https://a.example/.well-known/oauth-authorization-server",
            ),
            (
                "https://a.example/realms/x",
                "https://a.example/realms/x/.well-known/openid-configuration",
                "https://a.example/.well-known/oauth-authorization-server/realms/x",
            ),
        ] {
            let discovery = Discovery::new(issuer).unwrap();
            let urls = discovery.metadata_urls.each_ref().map(reqwest::Url::as_str);
            assert_eq!(urls, [openid, oauth]);
        }
        for issuer in [
            "http://a.example",
            "https://a.example/?a=b",
            "https://a.example/#a",
            "a",
        ] {
            assert!(Discovery::new(issuer).is_err(), "{issuer}");
        }
    }

    #[test]
    fn metadata_of_another_issuer_or_with_another_transport_are_rejected() {
        let read = |issuer: &str, metadata: &str| {
            let result = Discovery::new(issuer)
                .unwrap()
                .read_metadata(metadata.as_bytes());
            result.map(|url| url.to_string()).map_err(|error| error.0)
        };
        let metadata = |issuer: &str, jwks_uri: &str| {
            format!(r#"{{"issuer":"{issuer}","jwks_uri":"{jwks_uri}","scopes_supported":[]}}"#)
        };
        let issuer = "https://a.example";
        let keys = "https://keys.example/jwks";
        assert_eq!(read(issuer, &metadata(issuer, keys)), Ok(keys.to_owned()));
        for (issuer_in_metadata, jwks_uri, expected) in [
            (
                "https://a.example/",
                keys,
                "the issuer \"https://a.example/\"",
            ),
            (
                "https://b.example",
                keys,
                "the issuer \"https://b.example\"",
            ),
            (issuer, "http://keys.example/jwks", "because the issuer is"),
            (issuer, "http://127.0.0.1/jwks", "because the issuer is"),
            (issuer, "file:///jwks", "because the issuer is"),
        ] {
            let error = read(issuer, &metadata(issuer_in_metadata, jwks_uri)).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        for text in [
            "",
            "[]",
            "{}",
            r#"{"issuer":"https://a.example"}"#,
            "<html>",
        ] {
            assert!(read(issuer, text).unwrap_err().contains("not metadata"));
        }
        let local = "http://127.0.0.1:8080";
        let local_keys = "http://127.0.0.1:8080/jwks";
        assert!(read(local, &metadata(local, local_keys)).is_ok());
        assert!(read(local, &metadata(local, keys)).is_ok());
        assert!(read(local, &metadata(local, "http://keys.example/jwks")).is_err());
    }
}

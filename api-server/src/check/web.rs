//! Checks the public URL of the server and the networks of its trusted proxies.

use url::{Host, Url};

use super::Finding;
use crate::config::WebConfig;
use crate::network::is_loopback_host;

pub(super) fn check(web: &WebConfig) -> Vec<Finding> {
    vec![check_url(web), check_proxies(web)]
}

fn check_url(web: &WebConfig) -> Finding {
    const CHECKED_PART: &str = "PUBLIC_URL";
    let url = web.public_url.as_str();
    let parsed_url = Url::parse(url).ok();
    let host = parsed_url.as_ref().and_then(Url::host);
    let is_unspecified = match host {
        Some(Host::Ipv4(address)) => address.is_unspecified(),
        Some(Host::Ipv6(address)) => address.is_unspecified(),
        Some(Host::Domain(_)) | None => false,
    };
    let is_local = host.is_some_and(|host| is_loopback_host(&host));
    if is_unspecified {
        return Finding::wrong(
            CHECKED_PART,
            format!(
                "{url} is no address that browsers can open; set PUBLIC_URL to the one that users open"
            ),
        );
    }
    if !web.public_url.is_https() && !is_local {
        return Finding::wrong(
            CHECKED_PART,
            format!(
                "passwords travel unencrypted to {url}; set TLS_CERT and TLS_KEY, or put a proxy with TLS in front, and \
                 set the https URL"
            ),
        );
    }
    Finding::ok(
        CHECKED_PART,
        format!("{url} is the address of links in mails, and the origin of the pages"),
    )
}

fn check_proxies(web: &WebConfig) -> Finding {
    const CHECKED_PART: &str = "TRUSTED_PROXIES";
    let networks: Vec<_> = web
        .trusted_proxies
        .iter()
        .map(ToString::to_string)
        .collect();
    if web
        .trusted_proxies
        .iter()
        .any(|network| network.prefix_len() == 0)
    {
        return Finding::wrong(
            CHECKED_PART,
            "it contains every address, so each client can choose its own; list only the proxies",
        );
    }
    match networks.as_slice() {
        [] if web.public_url.is_https() && web.tls.is_none() => Finding::wrong(
            CHECKED_PART,
            "PUBLIC_URL is https, so a proxy is in front; without its address here, all clients seem to be the proxy \
             and share the limits of one network",
        ),
        [] => Finding::ok(CHECKED_PART, "no proxy is in front"),
        networks => Finding::ok(
            CHECKED_PART,
            format!(
                "X-Forwarded-For is trusted only from {}",
                networks.join(", ")
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::config::WebConfig;
    use crate::origin::Origin;

    /// Returns whether the check accepts `PUBLIC_URL`, and whether it accepts `TRUSTED_PROXIES`.
    fn are_right(public_url: &str, trusted_proxies: &[&str]) -> [bool; 2] {
        let web = WebConfig {
            public_url: Origin::parse(public_url).unwrap(),
            has_default_public_url: false,
            allowed_origins: Vec::new(),
            trusted_proxies: trusted_proxies
                .iter()
                .map(|text| text.parse().unwrap())
                .collect(),
            better_auth_delete_user: false,
            pages: true,
            tls: None,
            shutdown_delay: std::time::Duration::ZERO,
            #[cfg(feature = "otlp")]
            otlp: None,
        };
        let findings = check(&web);
        [findings[0].outcome.is_ok(), findings[1].outcome.is_ok()]
    }

    #[test]
    fn https_needs_a_trusted_proxy_that_is_not_every_address() {
        let url = "https://api.example";
        assert_eq!(are_right(url, &["10.0.0.0/8", "::1/128"]), [true, true]);
        assert_eq!(are_right(url, &[]), [true, false]);
        assert_eq!(are_right(url, &["0.0.0.0/0"]), [true, false]);
        assert_eq!(are_right(url, &["10.0.0.0/8", "::/0"]), [true, false]);
    }

    #[test]
    fn http_is_for_this_machine_only() {
        for url in [
            "http://127.0.0.1:8080",
            "http://localhost:3000",
            "http://[::1]:8080",
        ] {
            assert_eq!(are_right(url, &[]), [true, true], "{url}");
        }
        for url in [
            "http://api.example",
            "http://localhost.example",
            "http://127.example.com",
            "http://10.0.0.1:8080",
            "http://0.0.0.0:8080",
            "http://[::]:8080",
        ] {
            assert_eq!(are_right(url, &[]), [false, true], "{url}");
        }
    }
}

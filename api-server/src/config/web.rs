//! The settings of the HTTP interface and of TLS.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use ipnet::IpNet;

use super::parse::{self, ProblemCollector};
use super::{SettingProblems, Settings};
use crate::connections::{FileProblem, Tls};
#[cfg(feature = "otlp")]
use crate::logging::otlp::OtlpSettings;
use crate::origin::Origin;

/// Settings of the HTTP interface.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WebConfig {
    /// Origin at which browsers reach this server.
    pub public_url: Origin,
    /// Whether `public_url` is the default, the origin of `bind_addr`.
    pub(crate) has_default_public_url: bool,
    /// Origins other than `public_url` whose pages may call the API.
    pub allowed_origins: Vec<Origin>,
    /// Networks of the proxies whose `X-Forwarded-For` header is trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether users may delete their own account through Better Auth's API.
    pub better_auth_delete_user: bool,
    /// Whether the server serves the web pages, such as `/sign-in`, in addition to the API.
    pub pages: bool,
    /// The certificate and the key with which the server encrypts connections; `None` for plain HTTP.
    pub(crate) tls: Option<Tls>,
    /// Time after the signal to stop for which the server still accepts requests, but reports that it is not ready.
    pub(crate) shutdown_delay: Duration,
    /// The collector that gets the spans of requests; `None` if they are not exported.
    #[cfg(feature = "otlp")]
    pub(crate) otlp: Option<OtlpSettings>,
}

impl WebConfig {
    /// If `PUBLIC_URL` is not set, derives `public_url` from the address at which the server listens. This is another
    /// address than `BIND_ADDR` if `BIND_ADDR` has port 0.
    pub(crate) fn adopt_bound_address(&mut self, bound_address: SocketAddr) {
        if self.has_default_public_url {
            self.public_url = Origin::of_socket_address(bound_address, self.tls.is_some());
        }
    }
}

impl Settings {
    pub(super) fn check_web(
        &self,
        bind_addr: Option<SocketAddr>,
        problems: &mut ProblemCollector,
    ) -> Option<WebConfig> {
        let tls = self.check_tls(problems);
        let public_url = problems.ok_or_record("PUBLIC_URL", self.parse_public_url(bind_addr));
        let origins_result = parse::origins(self.allowed_origins.as_deref());
        let allowed_origins = problems.ok_or_record("ALLOWED_ORIGINS", origins_result);
        let proxies_result = parse::networks(self.trusted_proxies.as_deref());
        let trusted_proxies = problems.ok_or_record("TRUSTED_PROXIES", proxies_result);
        let delete_user_result = parse::boolean(&self.better_auth_delete_user);
        let delete_user = problems.ok_or_record("BETTER_AUTH_DELETE_USER", delete_user_result);
        let delay_result = parse::shutdown_delay(&self.shutdown_delay);
        let shutdown_delay = problems.ok_or_record("SHUTDOWN_DELAY", delay_result);
        let pages = problems.ok_or_record("PAGES", parse::boolean(&self.pages));
        #[cfg(feature = "otlp")]
        let otlp = self.check_otlp(problems);
        Some(WebConfig {
            public_url: public_url??,
            has_default_public_url: self.public_url.is_none(),
            allowed_origins: allowed_origins?,
            trusted_proxies: trusted_proxies?,
            better_auth_delete_user: delete_user?,
            pages: pages?,
            tls: tls?,
            shutdown_delay: shutdown_delay?,
            #[cfg(feature = "otlp")]
            otlp: otlp?,
        })
    }

    /// Parses `PUBLIC_URL`. The default is the origin of `bind_addr`. Returns `Ok(None)` if the default is needed, but
    /// `BIND_ADDR` is invalid.
    pub(super) fn parse_public_url(
        &self,
        bind_addr: Option<SocketAddr>,
    ) -> Result<Option<Origin>, String> {
        match &self.public_url {
            None => Ok(bind_addr.map(|addr| Origin::of_socket_address(addr, self.has_tls()))),
            Some(text) => Ok(Some(Origin::parse(text)?)),
        }
    }

    /// Reads the certificate and the key. Returns `None` if there is a problem, and `Some(None)` if no file is set.
    #[expect(
        clippy::option_option,
        reason = "the outer `None` means a problem, the inner one that the setting is absent"
    )]
    fn check_tls(&self, problems: &mut ProblemCollector) -> Option<Option<Tls>> {
        let [certificate, key] =
            [&self.tls_cert, &self.tls_key].map(|file| parse::file_path(file.as_deref()));
        let loaded = match (certificate, key) {
            (None, None) => return Some(None),
            (Some(certificate), Some(key)) => Tls::load(Path::new(certificate), Path::new(key)),
            (Some(_), None) => Err(vec![FileProblem {
                variable: "TLS_KEY",
                remedy: "name the file with the private key of the certificate in TLS_CERT"
                    .to_owned(),
            }]),
            (None, Some(_)) => Err(vec![FileProblem {
                variable: "TLS_CERT",
                remedy: "name the file with the certificate of the key in TLS_KEY".to_owned(),
            }]),
        };
        let record = |file_problems: Vec<FileProblem>| {
            for FileProblem { variable, remedy } in file_problems {
                problems.record_error(variable, Err(remedy));
            }
        };
        loaded.map_err(record).ok().map(Some)
    }

    /// Checks only `BIND_ADDR` and the log settings, for `health`.
    pub(crate) fn check_bind_addr(&self) -> Result<SocketAddr, SettingProblems> {
        let mut problems = ProblemCollector::default();
        let addr_result =
            parse::socket_address(&self.bind_addr).and_then(|addr| match addr.port() {
                0 => Err("port 0 does not tell where the server listens; set its port".to_owned()),
                _ => Ok(addr),
            });
        let bind_addr = problems.ok_or_record("BIND_ADDR", addr_result);
        self.check_logging(&mut problems);
        problems.finish(|| bind_addr)
    }

    /// Returns whether the server encrypts connections. Reads no file, so that `health` works without access to the
    /// key.
    pub(crate) fn has_tls(&self) -> bool {
        parse::file_path(self.tls_cert.as_deref()).is_some()
    }
}

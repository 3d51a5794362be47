//! Checks that the certificate of the server is valid and does not expire soon.

use std::time::SystemTime;

use super::Finding;
use crate::config::WebConfig;
use crate::connections::CertificateState;

/// Returns no finding if the server has no certificate.
pub(super) fn check(web: &WebConfig, now: SystemTime) -> Vec<Finding> {
    const CHECKED_PART: &str = "TLS_CERT";
    let finding = web.tls.as_ref().map(|tls| match tls.state(now) {
        CertificateState::Valid(text) => Finding::ok(CHECKED_PART, text),
        CertificateState::ExpiresSoon(text) => Finding::warning(CHECKED_PART, text),
        CertificateState::Invalid(text) => Finding::wrong(CHECKED_PART, text),
    });
    finding.into_iter().collect()
}

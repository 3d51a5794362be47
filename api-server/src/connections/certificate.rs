//! Determines whether the certificate of the server is valid at a given time, and whether it expires soon.

use std::path::Path;
use std::time::Duration;

use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::error::ErrorStack;
use openssl::x509::X509;

use crate::db::Timestamp;

/// How long before the expiry of a certificate the warning begins, unless a third of the certificate's lifetime is
/// shorter.
const WARNING_PERIOD: Duration = Duration::from_secs(14 * 24 * 60 * 60);
const RENEWAL_ADVICE: &str = "renew it, and send the server SIGHUP";

/// The first and the last second in which a certificate is valid (RFC 5280 § 4.1.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    start: Timestamp,
    end: Timestamp,
}

/// The state of a certificate at some time, with a text for the operator.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CertificateState {
    Valid(String),
    ExpiresSoon(String),
    /// The certificate has expired, or is not valid yet.
    Invalid(String),
}

impl Validity {
    /// Reads the validity of a certificate in DER format.
    pub(super) fn of(certificate: &[u8]) -> Result<Self, ErrorStack> {
        let certificate = X509::from_der(certificate)?;
        Ok(Self {
            start: timestamp(certificate.not_before())?,
            end: timestamp(certificate.not_after())?,
        })
    }

    /// Returns how long before the expiry the warning begins: for a short lifetime, a third of it, because ACME clients
    /// renew a certificate of only a few days when a third of its lifetime remains.
    fn warning_period(self) -> Duration {
        let lifetime = self.end.since(self.start);
        WARNING_PERIOD.min(lifetime / 3)
    }

    pub(super) fn state(self, file: &Path, now: Timestamp) -> CertificateState {
        let (file, start, end) = (
            file.display(),
            format_time(self.start),
            format_time(self.end),
        );
        if now < self.start {
            return CertificateState::Invalid(format!(
                "the certificate in {file} is not valid before {start}; correct the clock of this machine, or name a \
                 certificate that is valid now"
            ));
        }
        // The certificate is valid until the end of its last second.
        if self.end.plus(Duration::from_secs(1)) <= now {
            let text = format!("the certificate in {file} expired at {end}; {RENEWAL_ADVICE}");
            return CertificateState::Invalid(text);
        }
        if self.end.since(now) <= self.warning_period() {
            let text = format!("the certificate in {file} expires at {end}; {RENEWAL_ADVICE}");
            return CertificateState::ExpiresSoon(text);
        }
        CertificateState::Valid(format!("the certificate in {file} is valid until {end}"))
    }
}

fn timestamp(time: &Asn1TimeRef) -> Result<Timestamp, ErrorStack> {
    let since_epoch = Asn1Time::from_unix(0)?.diff(time)?;
    let seconds = i64::from(since_epoch.days) * 24 * 60 * 60 + i64::from(since_epoch.secs);
    Ok(Timestamp::from_unix_micros(seconds * 1_000_000))
}

/// Formats the time in RFC 3339 format, without the microseconds, which are zero in a certificate.
fn format_time(time: Timestamp) -> String {
    let text = time.to_rfc3339_micros();
    text.replace(".000000Z", "Z")
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::{Duration, UNIX_EPOCH};

    use harness::CertificateFiles;
    use openssl::x509::X509;

    use super::{CertificateState, Validity};
    use crate::db::Timestamp;

    const DAY: i64 = 24 * 60 * 60;
    /// The start and the end of the validity in the tests, in seconds since 1970.
    const START: i64 = 1_795_000_000;
    const END: i64 = START + 90 * DAY;

    fn at_micros(micros: i64) -> CertificateState {
        let validity = Validity {
            start: Timestamp::from_unix_micros(START * 1_000_000),
            end: Timestamp::from_unix_micros(END * 1_000_000),
        };
        validity.state(Path::new("cert.pem"), Timestamp::from_unix_micros(micros))
    }

    #[test]
    fn a_certificate_is_valid_from_its_first_to_its_last_second() {
        let (start, end) = (START * 1_000_000, END * 1_000_000);
        assert_eq!(
            at_micros(start - 1),
            CertificateState::Invalid(
                "the certificate in cert.pem is not valid before 2026-11-18T11:06:40Z; correct the clock of this \
                 machine, or name a certificate that is valid now"
                    .to_owned()
            )
        );
        for micros in [start, start + 1] {
            let text = "the certificate in cert.pem is valid until 2027-02-16T11:06:40Z";
            assert_eq!(at_micros(micros), CertificateState::Valid(text.to_owned()));
        }
        let text = "the certificate in cert.pem expires at 2027-02-16T11:06:40Z; renew it, and send the server SIGHUP";
        let expected = CertificateState::ExpiresSoon(text.to_owned());
        for micros in [end, end + 1, end + 999_999] {
            assert_eq!(at_micros(micros), expected);
        }
        let text = "the certificate in cert.pem expired at 2027-02-16T11:06:40Z; renew it, and send the server SIGHUP";
        let expected = CertificateState::Invalid(text.to_owned());
        for micros in [end + 1_000_000, end + 1_000_001] {
            assert_eq!(at_micros(micros), expected);
        }
    }

    #[test]
    fn the_warning_begins_14_days_before_the_end() {
        let warning_start = (END - 14 * DAY) * 1_000_000;
        let is_soon = |micros| matches!(at_micros(micros), CertificateState::ExpiresSoon(_));
        assert!(!is_soon(warning_start - 1));
        assert!(is_soon(warning_start));
        assert!(is_soon(warning_start + 1));
    }

    #[test]
    fn the_warning_for_a_certificate_of_a_few_days_begins_in_its_last_third() {
        let at = |seconds| Timestamp::from_unix_micros(seconds * 1_000_000);
        let validity = Validity {
            start: at(START),
            end: at(START + 6 * DAY),
        };
        let is_soon = |seconds| {
            let state = validity.state(Path::new("cert.pem"), at(seconds));
            matches!(state, CertificateState::ExpiresSoon(_))
        };
        assert!(!is_soon(START + 4 * DAY - 1));
        assert!(is_soon(START + 4 * DAY));
        assert!(is_soon(START + 4 * DAY + 1));
    }

    #[test]
    fn the_validity_of_a_certificate_is_read_to_the_second() {
        for (start, end) in [(START, END), (0, 1), (1_009_843_199, 253_402_300_799)] {
            let time = |seconds: i64| UNIX_EPOCH + Duration::from_secs(seconds.cast_unsigned());
            let files = CertificateFiles::valid(time(start), time(end));
            let certificate = X509::from_pem(files.certificate.as_bytes()).unwrap();
            let validity = Validity::of(&certificate.to_der().unwrap()).unwrap();
            let expected = Validity {
                start: Timestamp::from_unix_micros(start * 1_000_000),
                end: Timestamp::from_unix_micros(end * 1_000_000),
            };
            assert_eq!(validity, expected);
        }
        Validity::of(b"no certificate").unwrap_err();
    }
}

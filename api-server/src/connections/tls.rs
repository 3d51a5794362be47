//! Reads the certificate and the private key of the server, at the start and again on SIGHUP.

use std::fmt;
use std::fs::File;
use std::future::pending;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use openssl::error::ErrorStack;
use tokio::signal::unix::Signal;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{Error, InconsistentKeys, ServerConfig};

use super::certificate::{CertificateState, Validity};

/// The name of HTTP/2 in the negotiation of the protocol (ALPN).
pub(super) const ALPN_HTTP_2: &[u8] = b"h2";
const ALPN_HTTP_1_1: &[u8] = b"http/1.1";
/// The largest file with a certificate or a key, in bytes. A certificate has a few thousand.
const MAX_FILE_BYTES: u64 = 1024 * 1024;
const CERTIFICATE_VARIABLE: &str = "TLS_CERT";
const KEY_VARIABLE: &str = "TLS_KEY";

/// A problem with the file of the certificate or of the key, or with the setting that names the file.
#[derive(Debug)]
pub(crate) struct FileProblem {
    /// The setting that names the file.
    pub(crate) variable: &'static str,
    pub(crate) remedy: String,
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.variable, self.remedy)
    }
}

/// The certificate and the private key of the server. When one clone reads them again, all clones use them.
#[derive(Debug, Clone)]
pub(crate) struct Tls {
    files: TlsFiles,
    current: Arc<ArcSwap<LoadedTls>>,
}

/// The certificate and the key that were last read from the files, ready for use, and the validity of the certificate.
#[derive(Debug)]
struct LoadedTls {
    config: Arc<ServerConfig>,
    validity: Validity,
}

#[derive(Debug, Clone)]
struct TlsFiles {
    certificate: PathBuf,
    key: PathBuf,
}

impl Tls {
    /// Reads the files. An error names each file with a problem.
    pub(crate) fn load(certificate: &Path, key: &Path) -> Result<Self, Vec<FileProblem>> {
        let files = TlsFiles {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
        };
        let current = Arc::new(ArcSwap::from_pointee(files.load()?));
        Ok(Self { files, current })
    }

    /// Reads the certificate and the private key again, for later connections. If that fails, later connections still
    /// use the certificate and the key that were read before.
    fn reload(&self) -> Result<(), Vec<FileProblem>> {
        self.current.store(Arc::new(self.files.load()?));
        Ok(())
    }

    /// Reads the files again on each signal, and logs the result. Never returns.
    pub(crate) async fn reload_on_signal(
        self,
        mut sighup: Signal,
        read_time: impl Fn() -> SystemTime,
    ) {
        while sighup.recv().await.is_some() {
            let tls = self.clone();
            match tokio::task::spawn_blocking(move || tls.reload()).await {
                Ok(Ok(())) => {
                    log::info!(
                        "SIGHUP: read the certificate in {} again",
                        self.files.certificate.display()
                    );
                    self.log_problem(read_time());
                }
                Ok(Err(problems)) => {
                    let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
                    let cause = problems.join("; ");
                    log::error!("SIGHUP: the certificate stays as it was: {cause}");
                }
                Err(error) => log::error!("SIGHUP: the certificate stays as it was: {error}"),
            }
        }
        pending::<()>().await;
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        Arc::clone(&self.current.load().config).into()
    }

    /// Returns the state that the certificate in use has at the time `now`.
    pub(crate) fn state(&self, now: SystemTime) -> CertificateState {
        let validity = self.current.load().validity;
        validity.state(&self.files.certificate, now.into())
    }

    /// Logs a line if the certificate in use is not valid at this time, or expires soon.
    pub(crate) fn log_problem(&self, now: SystemTime) {
        match self.state(now) {
            CertificateState::Valid(_) => {}
            CertificateState::ExpiresSoon(text) => log::warn!("{CERTIFICATE_VARIABLE}: {text}"),
            CertificateState::Invalid(text) => log::error!("{CERTIFICATE_VARIABLE}: {text}"),
        }
    }
}

impl TlsFiles {
    fn load(&self) -> Result<LoadedTls, Vec<FileProblem>> {
        let (chain, key) = match (self.chain(), self.private_key()) {
            (Ok(chain), Ok(key)) => (chain, key),
            (chain, key) => return Err([chain.err(), key.err()].into_iter().flatten().collect()),
        };
        let validity = self.validity(&chain).map_err(|problem| vec![problem])?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|error| vec![self.explain(&error)])?;
        config.alpn_protocols = vec![ALPN_HTTP_2.to_vec(), ALPN_HTTP_1_1.to_vec()];
        let config = Arc::new(config);
        Ok(LoadedTls { config, validity })
    }

    /// Reads the validity of the first certificate, which is that of the server.
    fn validity(&self, chain: &[CertificateDer]) -> Result<Validity, FileProblem> {
        let certificate = chain.first().map(AsRef::as_ref).unwrap_or_default();
        let problem = |error: ErrorStack| self.certificate_problem(&error.to_string());
        Validity::of(certificate).map_err(problem)
    }

    fn chain(&self) -> Result<Vec<CertificateDer<'static>>, FileProblem> {
        let problem = |text: String| self.certificate_problem(&text);
        let bytes = read(&self.certificate).map_err(|error| problem(error.to_string()))?;
        let certificates: Result<Vec<_>, pem::Error> =
            CertificateDer::pem_slice_iter(&bytes).collect();
        match certificates {
            Ok(chain) if chain.is_empty() => Err(problem("it has no certificate".to_owned())),
            Ok(chain) => Ok(chain),
            Err(error) => Err(problem(error.to_string())),
        }
    }

    fn private_key(&self) -> Result<PrivateKeyDer<'static>, FileProblem> {
        let problem = |text: String| self.key_problem(&text);
        let bytes = read(&self.key).map_err(|error| problem(error.to_string()))?;
        PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| match error {
            pem::Error::NoItemsFound => problem("it has no unencrypted private key".to_owned()),
            error => problem(error.to_string()),
        })
    }

    /// Explains why the certificate and the key cannot be used, although both files are in PEM format.
    fn explain(&self, error: &Error) -> FileProblem {
        match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => FileProblem {
                variable: KEY_VARIABLE,
                remedy: format!(
                    "{} is not the key of the first certificate in {}; name the two files that belong together",
                    self.key.display(),
                    self.certificate.display()
                ),
            },
            Error::InvalidCertificate(_) => self.certificate_problem(&error.to_string()),
            error => self.key_problem(&error.to_string()),
        }
    }

    fn certificate_problem(&self, text: &str) -> FileProblem {
        FileProblem {
            variable: CERTIFICATE_VARIABLE,
            remedy: format!(
                "{}: {text}; name a PEM file with the certificate of the server, followed by the certificates between \
                 it and the authority",
                self.certificate.display()
            ),
        }
    }

    fn key_problem(&self, text: &str) -> FileProblem {
        FileProblem {
            variable: KEY_VARIABLE,
            remedy: format!(
                "{}: {text}; name a PEM file with the private key of the certificate, which the user of the server \
                 may read",
                self.key.display()
            ),
        }
    }
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_FILE_BYTES) {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    Ok(bytes)
}

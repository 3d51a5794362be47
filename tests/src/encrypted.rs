//! Connects to a server with TLS, as a client that trusts the certificate of the tests.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::Options;

const CERTIFICATE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/harness/tls/first.certificate.pem"
);
const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/harness/tls/first.key.pem");

impl Options {
    /// Makes the server encrypt its connections.
    #[must_use]
    pub fn encrypted(self) -> Self {
        self.set("tls-cert", CERTIFICATE).set("tls-key", KEY)
    }
}

/// Opens a TLS connection, and offers these ALPN protocols, such as `h2`; an empty list offers none.
///
/// # Errors
///
/// If the connection or the TLS handshake fails, for example because the server has another certificate.
pub async fn connect_encrypted(
    addr: SocketAddr,
    protocols: &[&str],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(CERTIFICATE).unwrap();
    roots.add(certificate).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let protocols = protocols.iter().map(|name| name.as_bytes().to_vec());
    config.alpn_protocols = protocols.collect();
    let stream = TcpStream::connect(addr).await?;
    // Sends each frame without delay, as clients with HTTP/2 do.
    stream.set_nodelay(true)?;
    let server_name = ServerName::try_from("localhost").unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    connector.connect(server_name, stream).await
}

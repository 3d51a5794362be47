//! Creates a certificate of a server, with its key.

use std::time::{SystemTime, UNIX_EPOCH};

use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::x509::X509Builder;
use openssl::x509::extension::SubjectAlternativeName;

/// A certificate and its key, in PEM format. The certificate is for `localhost`, and signed with its own key.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "tests read its fields")]
pub struct CertificateFiles {
    /// The content of the file for `TLS_CERT`.
    pub certificate: String,
    /// The content of the file for `TLS_KEY`.
    pub key: String,
}

impl CertificateFiles {
    /// Creates a certificate that is valid from `start` to `end`. Both are rounded down to whole seconds.
    pub fn valid(start: SystemTime, end: SystemTime) -> Self {
        create(&time(start), &time(end)).unwrap()
    }
}

fn create(start: &Asn1TimeRef, end: &Asn1TimeRef) -> Result<CertificateFiles, ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let key = PKey::from_ec_key(EcKey::generate(&group)?)?;
    let mut builder = X509Builder::new()?;
    builder.set_version(2)?;
    builder.set_not_before(start)?;
    builder.set_not_after(end)?;
    builder.set_pubkey(&key)?;
    let context = builder.x509v3_context(None, None);
    let name = SubjectAlternativeName::new()
        .dns("localhost")
        .build(&context)?;
    builder.append_extension(name)?;
    builder.sign(&key, MessageDigest::sha256())?;
    let text = |pem: Vec<u8>| String::from_utf8(pem).expect("PEM is text");
    Ok(CertificateFiles {
        certificate: text(builder.build().to_pem()?),
        key: text(key.private_key_to_pem_pkcs8()?),
    })
}

fn time(time: SystemTime) -> Asn1Time {
    let since_epoch = time.duration_since(UNIX_EPOCH).unwrap();
    Asn1Time::from_unix(since_epoch.as_secs().try_into().unwrap()).unwrap()
}

//! Adds parameters to the URL of a PostgreSQL server.

use std::path::Path;

/// Parameters of libpq, added unless the URL sets them. With the first three, libpq notices an unreachable server
/// sooner than by default.
const POSTGRES_DEFAULTS: &[(&str, &str)] = &[
    ("connect_timeout", "2"),
    ("tcp_user_timeout", "5000"),
    ("keepalives_idle", "10"),
    ("application_name", "api-server"),
];

/// Adds the missing [`POSTGRES_DEFAULTS`] to the URL and, if it needs this, the file of the system's certificates.
pub(super) fn with_defaults(url: &str) -> String {
    let mut url = url.to_owned();
    for (name, value) in POSTGRES_DEFAULTS {
        if parameter(&url, name).is_none() {
            push_parameter(&mut url, name, value);
        }
    }
    if needs_system_certificates(&url)
        && let Some(file) = openssl_probe::probe().cert_file
    {
        push_parameter(&mut url, "sslrootcert", &percent_encode(&file));
    }
    url
}

/// Whether `sslrootcert` must be set to the certificates of the system. The built-in OpenSSL does not find these
/// certificates, because it searches only the folder that was configured at compile time.
fn needs_system_certificates(url: &str) -> bool {
    let verifies_server = matches!(parameter(url, "sslmode"), Some("verify-ca" | "verify-full"));
    let has_certificate_file = parameter(url, "sslrootcert").is_some_and(|file| file != "system");
    verifies_server && !has_certificate_file
}

fn parameter<'u>(url: &'u str, name: &str) -> Option<&'u str> {
    let (_, query) = url.split_once('?')?;
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

fn push_parameter(url: &mut String, name: &str, value: &str) {
    let separator = if url.contains('?') { '&' } else { '?' };
    url.extend([separator.encode_utf8(&mut [0; 4]), name, "=", value]);
}

/// Encodes the path for a URL: escapes all characters except ASCII letters, digits and `/._-`.
pub(super) fn percent_encode(path: &Path) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in path.to_string_lossy().bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _infallible = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{parameter, with_defaults};

    #[test]
    fn parameters_in_the_url_override_the_defaults() {
        let url = with_defaults("postgres://h/d?connect_timeout=9");
        assert_eq!(parameter(&url, "connect_timeout"), Some("9"));
        assert_eq!(parameter(&url, "tcp_user_timeout"), Some("5000"));
    }

    #[test]
    fn verify_full_uses_the_systems_certificates_unless_the_url_has_its_own() {
        let url = with_defaults("postgres://h/d?sslmode=verify-full");
        let system_file = openssl_probe::probe().cert_file;
        assert_eq!(
            parameter(&url, "sslrootcert").map(ToOwned::to_owned),
            system_file.map(|file| file.display().to_string())
        );
        let url_with_file = with_defaults("postgres://h/d?sslmode=verify-full&sslrootcert=/ca.pem");
        assert_eq!(url_with_file.matches("sslrootcert").count(), 1);
        assert!(!with_defaults("postgres://h/d?sslmode=require").contains("sslrootcert"));
    }
}

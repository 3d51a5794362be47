//! Reads the parameters in the URL of a PostgreSQL server, and changes them to those that libpq needs.

use std::path::Path;

/// Parameters of libpq, added unless the URL sets them. With the first three, libpq notices an unreachable server
/// sooner than by default.
const POSTGRES_DEFAULTS: &[(&str, &str)] = &[
    ("connect_timeout", "2"),
    ("tcp_user_timeout", "5000"),
    ("keepalives_idle", "10"),
    ("application_name", "api-server"),
];

/// Parameters that libpq rejects, but that the URLs of hosted databases may contain. `api-server` reads only
/// `pgbouncer`, and has the setting `DATABASE_POOL_SIZE` instead of `connection_limit`.
const REJECTED_BY_LIBPQ: &[&str] = &[
    "pgbouncer",
    "connection_limit",
    "pool_timeout",
    "supa",
    "workaround",
];

/// What the URL says about a pooler between this program and PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PoolerHint {
    Pooler,
    NoPooler,
    Unknown,
}

/// Reads `pgbouncer=true` or `pgbouncer=false`, as Prisma names the parameter. Without it, `options` that do not start
/// with `-`, such as `endpoint=` of Neon or `reference=` of Supabase, also mean a pooler, because PostgreSQL itself
/// would reject them.
pub(super) fn pooler_hint(url: &str) -> Result<PoolerHint, &'static str> {
    let has_foreign_options = parameter(url, "options")
        .is_some_and(|options| !options.is_empty() && !options.starts_with('-'));
    match parameter(url, "pgbouncer") {
        Some("true") => Ok(PoolerHint::Pooler),
        Some("false") => Ok(PoolerHint::NoPooler),
        Some(_) => Err("write pgbouncer=true or pgbouncer=false, or leave it out"),
        None if has_foreign_options => Ok(PoolerHint::Pooler),
        None => Ok(PoolerHint::Unknown),
    }
}

/// Returns the URL without the parameters [`REJECTED_BY_LIBPQ`], with the missing [`POSTGRES_DEFAULTS`] and, if needed,
/// with the file of the system's certificates.
pub(super) fn url_for_libpq(url: &str) -> String {
    let mut url = without_parameters(url, REJECTED_BY_LIBPQ);
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

/// Appends options of the session to those of the URL. Of options that are given twice, PostgreSQL uses the last.
pub(super) fn with_options(url: &str, options: &str) -> String {
    let all_options = match parameter(url, "options") {
        Some(escaped) => format!("{escaped}%20{}", escape(options)),
        None => escape(options),
    };
    let mut url = without_parameters(url, &["options"]);
    push_parameter(&mut url, "options", &all_options);
    url
}

fn without_parameters(url: &str, names: &[&str]) -> String {
    let Some((location, query)) = url.split_once('?') else {
        return url.to_owned();
    };
    let is_kept =
        |pair: &&str| !names.contains(&pair.split_once('=').map_or(*pair, |(name, _)| name));
    let pairs: Vec<_> = query.split('&').filter(is_kept).collect();
    if pairs.is_empty() {
        return location.to_owned();
    }
    format!("{location}?{}", pairs.join("&"))
}

/// Returns whether `sslrootcert` must be set to the certificates of the system. The built-in OpenSSL does not find
/// these certificates, because it searches only the folder that was configured at compile time.
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
    escape(&path.to_string_lossy())
}

fn escape(value: &str) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in value.bytes() {
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
    use super::{PoolerHint, parameter, pooler_hint, url_for_libpq, with_options};

    #[test]
    fn parameters_in_the_url_override_the_defaults() {
        let url = url_for_libpq("postgres://h/d?connect_timeout=9");
        assert_eq!(parameter(&url, "connect_timeout"), Some("9"));
        assert_eq!(parameter(&url, "tcp_user_timeout"), Some("5000"));
    }

    #[test]
    fn verify_full_uses_the_systems_certificates_unless_the_url_has_its_own() {
        let url = url_for_libpq("postgres://h/d?sslmode=verify-full");
        let system_file = openssl_probe::probe().cert_file;
        assert_eq!(
            parameter(&url, "sslrootcert").map(ToOwned::to_owned),
            system_file.map(|file| file.display().to_string())
        );
        let url_with_file = url_for_libpq("postgres://h/d?sslmode=verify-full&sslrootcert=/ca.pem");
        assert_eq!(url_with_file.matches("sslrootcert").count(), 1);
        assert!(!url_for_libpq("postgres://h/d?sslmode=require").contains("sslrootcert"));
    }

    #[test]
    fn urls_of_hosted_poolers_are_read() {
        for (url, expected, for_libpq_without_defaults) in [
            (
                "postgresql://ada:pw@ep-cool-leaf-123456-pooler.us-east-2.aws.neon.tech/auth?sslmode=require&channel_binding=require",
                PoolerHint::Unknown,
                "?sslmode=require&channel_binding=require",
            ),
            (
                "postgres://ada:pw@ep-x-pooler.us-east-2.aws.neon.tech/auth?sslmode=require&pgbouncer=true&pool_timeout=10",
                PoolerHint::Pooler,
                "?sslmode=require",
            ),
            (
                "postgres://ada:pw@ep-x.us-east-2.aws.neon.tech/auth?options=endpoint%3Dep-x&sslmode=require",
                PoolerHint::Pooler,
                "?options=endpoint%3Dep-x&sslmode=require",
            ),
            (
                "postgres://postgres.ref:pw@aws-0-eu-central-1.pooler.supabase.com:6543/postgres?pgbouncer=true&connection_limit=1",
                PoolerHint::Pooler,
                "",
            ),
            (
                "postgres://postgres:pw@aws-0-eu-central-1.pooler.supabase.com:6543/postgres?options=reference%3Dabc",
                PoolerHint::Pooler,
                "?options=reference%3Dabc",
            ),
            (
                "postgres://postgres.ref:pw@aws-0-eu-central-1.pooler.supabase.com:6543/postgres?sslmode=require&supa=base-pooler.x",
                PoolerHint::Unknown,
                "?sslmode=require",
            ),
        ] {
            assert_eq!(pooler_hint(url), Ok(expected), "{url}");
            let location = url.split('?').next().unwrap();
            let expected_start = format!("{location}{for_libpq_without_defaults}");
            assert!(
                url_for_libpq(url).starts_with(&expected_start),
                "{}",
                url_for_libpq(url)
            );
            assert!(
                !url_for_libpq(url).contains("pgbouncer="),
                "{}",
                url_for_libpq(url)
            );
        }
    }

    #[test]
    fn options_of_the_url_are_kept_before_those_that_are_added() {
        let added = with_options("postgres://h/d", "-c a=1");
        assert_eq!(added, "postgres://h/d?options=-c%20a%3D1");
        let appended = with_options(
            "postgres://h/d?options=-c%20b%3D2&sslmode=require",
            "-c a=1",
        );
        assert_eq!(
            appended,
            "postgres://h/d?sslmode=require&options=-c%20b%3D2%20-c%20a%3D1"
        );
        assert_eq!(
            pooler_hint("postgres://h/d?options=-c%20b%3D2"),
            Ok(PoolerHint::Unknown)
        );
    }
}

//! Rejects a PostgreSQL URL with an unescaped special character or another syntax error. libpq could otherwise take a
//! part of the password for the host name and send it to a DNS server, or quote the URL in an error.

const REMEDY: &str = "use postgres://USER:PASSWORD@HOST:PORT/DATABASE?NAME=VALUE, and inside its parts write \
    @ as %40, / as %2F, ? as %3F, # as %23, % as %25, a space as %20";

/// Checks a PostgreSQL URL. The error text contains no part of the URL.
pub(super) fn check(url: &str) -> Result<(), &'static str> {
    let url_without_scheme = url.split_once("://").map_or("", |(_, rest)| rest);
    let (location, parameters) = match url_without_scheme.split_once('?') {
        Some((location, parameters)) => (location, Some(parameters)),
        None => (url_without_scheme, None),
    };
    let (credentials_and_hosts, database) = location.split_once('/').unwrap_or((location, ""));
    let (_credentials, hosts) = credentials_and_hosts
        .split_once('@')
        .unwrap_or(("", credentials_and_hosts));
    let is_unambiguous = hosts.split(',').all(is_host)
        && !database.contains('@')
        && parameters.is_none_or(|parameters| parameters.split('&').all(is_parameter))
        && !url.contains(|character: char| character.is_whitespace() || character == '#')
        && url.split('%').skip(1).all(is_escape);
    if is_unambiguous { Ok(()) } else { Err(REMEDY) }
}

/// Returns whether the text can be a host (name, IP address or escaped socket path), with or without a port, or is
/// empty.
fn is_host(host: &str) -> bool {
    let port_suffix = match host.strip_prefix('[') {
        Some(bracketed_host) => bracketed_host.split_once(']').map(|(_, rest)| rest),
        None => host.find(':').map_or(Some(""), |colon| host.get(colon..)),
    };
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    !host.contains('@')
        && port_suffix
            .is_some_and(|rest| rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))
}

/// Returns whether the text is `NAME=VALUE`, without `@`.
fn is_parameter(pair: &str) -> bool {
    pair.split('=').count() == 2 && !pair.contains('@')
}

/// Returns whether the text starts with two hexadecimal digits other than `00`: libpq rejects an escaped zero byte.
fn is_escape(after_percent: &str) -> bool {
    let digits = after_percent.as_bytes().get(..2);
    digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit) && digits != b"00")
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn urls_that_libpq_reads_correctly_are_accepted() {
        for url in [
            "postgres://",
            "postgres:///auth",
            "postgres://db.example",
            "postgres://ada@db.example/auth",
            "postgresql://ada:p%40ss%2Fw%3Ford@db.example:5432/auth?sslmode=verify-full",
            "postgres://ada:!$&'()*+,;=-._~:@db.example/auth",
            "postgres://ada@[::1]:5432,[2001:db8::2],db.example:/auth?target_session_attrs=any",
            "postgres://%2Frun%2Fpostgresql/auth?user=ada&application_name=a%40b",
            "postgres:///auth?host=/run/postgresql",
        ] {
            assert_eq!(check(url), Ok(()), "{url}");
        }
    }

    #[test]
    fn ambiguous_and_invalid_urls_are_rejected() {
        for url in [
            "postgres://ada:a@b@h/db",
            "postgres://ada:a/b@h/db",
            "postgres://ada:1/b@h/db",
            "postgres://ada:a?b@h/db",
            "postgres://ada:1?b@h/db",
            "postgres://ada:a b@h/db",
            "postgres://ada:a#b@h/db",
            "postgres://ada:a%@h/db",
            "postgres://ada:a%0@h/db",
            "postgres://ada:a%00@h/db",
            "postgres://h:port/db",
            "postgres://[::1/db",
            "postgres://[::1]x/db",
            "postgres://[::1]5432/db",
            "postgres://ada:1?b=c@h/db",
            "postgres://h/db?",
            "postgres://h/db?a",
            "postgres://h/db?a=b=c",
        ] {
            assert!(check(url).is_err(), "{url}");
        }
    }
}

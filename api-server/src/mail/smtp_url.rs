//! Parses `SMTP_URL`. An error never contains a part of the URL, which may contain a password.

use std::fmt;

use percent_encoding::percent_decode_str;
use url::{Host, Url};

use crate::network::is_loopback_host;

const REMEDY: &str = "use smtps://USER:PASSWORD@HOST:PORT or smtp://USER:PASSWORD@HOST:PORT?tls=required, and inside \
    user and password write @ as %40, : as %3A, / as %2F, ? as %3F, # as %23, % as %25, a space as %20";
const UNENCRYPTED: &str = "without TLS anyone on the way could read the mails and their links; \
    use ?tls=required, or tls=none only for a server on this machine";
const EXPOSED_PASSWORD: &str =
    "a password needs TLS; use smtps:// or ?tls=required, or leave out user and password";

/// The point at which a connection to the server becomes encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// From the first byte.
    Implicit,
    /// After the command STARTTLS. If the server lacks this command, no mail is sent.
    Required,
    /// After the command STARTTLS, if the server has this command.
    Opportunistic,
    /// Never.
    None,
}

/// The server to which mails are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SmtpServer {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) encryption: Encryption,
    pub(super) credentials: Option<SmtpCredentials>,
}

/// The user name and the password for the login to the server. They are not printed.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct SmtpCredentials {
    pub(super) user: String,
    pub(super) password: String,
}

impl fmt::Debug for SmtpCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SmtpCredentials")
    }
}

/// Prints only host and port.
impl fmt::Display for SmtpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl SmtpServer {
    /// Parses `smtps://…`, or `smtp://…` with the parameter `tls=required`, `tls=opportunistic` or `tls=none`. Without
    /// the parameter, TLS is required, except for a server on this machine.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if !is_unambiguous(text) {
            return Err(REMEDY);
        }
        let url = Url::parse(text).map_err(|_not_a_url| REMEDY)?;
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(REMEDY);
        }
        let (host, is_local) = parse_host(url.host_str().ok_or(REMEDY)?)?;
        let encryption = parse_encryption(&url, is_local)?;
        let credentials = parse_credentials(&url)?;
        let is_always_encrypted = matches!(encryption, Encryption::Implicit | Encryption::Required);
        if credentials.is_some() && !is_always_encrypted && !is_local {
            return Err(EXPOSED_PASSWORD);
        }
        let port = match (url.port(), encryption) {
            (Some(0), _) => return Err("port 0 is not a port of a server"),
            (Some(port), _) => port,
            (None, Encryption::Implicit) => 465,
            (None, Encryption::Required) => 587,
            (None, Encryption::Opportunistic | Encryption::None) => 25,
        };
        Ok(Self {
            host,
            port,
            encryption,
            credentials,
        })
    }
}

/// Returns whether all parsers read the text in the same way: it has at most one `@`, every `%` starts an escape, and
/// all characters are visible ASCII other than `\`.
fn is_unambiguous(text: &str) -> bool {
    let is_escape = |after_percent: &str| {
        let digits = after_percent.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    text.bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        && text.matches('@').count() <= 1
        && text.split('%').skip(1).all(is_escape)
}

/// Returns the host without brackets, and whether it is this machine.
fn parse_host(text: &str) -> Result<(String, bool), &'static str> {
    if text.contains('%') {
        return Err(REMEDY);
    }
    let host = Host::parse(text).map_err(|_not_a_host| REMEDY)?;
    let is_local = is_loopback_host(&host);
    let name = match host {
        Host::Domain(name) => name,
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    };
    Ok((name, is_local))
}

fn parse_encryption(url: &Url, is_local: bool) -> Result<Encryption, &'static str> {
    let default = if is_local { "tls=none" } else { "tls=required" };
    match (url.scheme(), url.query()) {
        ("smtps", None) => Ok(Encryption::Implicit),
        ("smtps", Some(_)) => {
            Err("smtps:// always uses TLS; leave out the ? and the text after it")
        }
        ("smtp", parameter) => match parameter.unwrap_or(default) {
            "tls=required" => Ok(Encryption::Required),
            "tls=opportunistic" => Ok(Encryption::Opportunistic),
            "tls=none" if is_local => Ok(Encryption::None),
            "tls=none" => Err(UNENCRYPTED),
            _ => Err("after the ? use tls=required, tls=opportunistic or tls=none"),
        },
        _ => Err(REMEDY),
    }
}

/// Decodes user and password. Rejects one without the other, and control characters: among them is NUL, which separates
/// user and password in `AUTH PLAIN`.
fn parse_credentials(url: &Url) -> Result<Option<SmtpCredentials>, &'static str> {
    let decode = |text| {
        let decoded = percent_decode_str(text).decode_utf8().ok();
        decoded.filter(|text| !text.is_empty() && !text.chars().any(char::is_control))
    };
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        (user, password) => {
            let user = decode(user).ok_or("give a user name before the password")?;
            let password = decode(password.unwrap_or_default())
                .ok_or("give a password after the user name")?;
            Ok(Some(SmtpCredentials {
                user: user.into_owned(),
                password: password.into_owned(),
            }))
        }
    }
}

#[cfg(test)]
mod tests;

//! The two cookies of a browser (RFC 6265bis), written and read.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::COOKIE;
use auth_core::Error;
use auth_core::credentials::Credentials;

const REFRESH_PATH: &str = "/api/auth";
/// The refresh cookie under https before it got the prefix `__Host-`: cleared, never read, as another host of the site can
/// set one.
const FORMER_REFRESH_NAME: &str = "__Secure-refresh_token";

/// Names and attributes; whether the public address is https decides them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cookies {
    secure: bool,
}

/// What a request brought under a name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Cookie<'a> {
    Absent,
    One(&'a str),
    /// Two of one name. Another host of the site may have set one, and the request does not tell which.
    Ambiguous,
}

impl Cookies {
    pub(crate) const fn new(secure: bool) -> Self {
        Self { secure }
    }

    pub(crate) const fn are_secure(self) -> bool {
        self.secure
    }

    /// `__Host-` keeps other hosts of the site and plain http from setting one.
    pub(crate) const fn access_name(self) -> &'static str {
        if self.secure {
            "__Host-access_token"
        } else {
            "access_token"
        }
    }

    const fn refresh_name(self) -> &'static str {
        if self.secure {
            "__Host-refresh_token"
        } else {
            "refresh_token"
        }
    }

    /// A `__Host-` cookie has no other path than `/`.
    const fn refresh_path(self) -> &'static str {
        if self.secure { "/" } else { REFRESH_PATH }
    }

    pub(crate) fn refresh(self, request: &HttpRequest) -> Cookie<'_> {
        find(request, self.refresh_name())
    }

    /// Every access cookie: more than one if another host of the site set one too.
    pub(crate) fn all_access(self, request: &HttpRequest) -> impl Iterator<Item = &str> {
        values(request, self.access_name())
    }

    /// Every refresh cookie.
    pub(crate) fn all_refresh(self, request: &HttpRequest) -> impl Iterator<Item = &str> {
        values(request, self.refresh_name())
    }

    /// Both cookies, for the lifetime of the session: an expired access token still says which session to log out.
    pub(crate) fn set(self, access: &str, refresh: &str, lifetime: Duration) -> [String; 2] {
        let seconds = lifetime.as_secs();
        [
            self.write(self.access_name(), access, "/", seconds),
            self.write(self.refresh_name(), refresh, self.refresh_path(), seconds),
        ]
    }

    /// Both cookies empty, and under https the refresh cookie of earlier versions.
    pub(crate) fn clear(self) -> Vec<String> {
        let mut cleared = self.set("", "", Duration::ZERO).to_vec();
        if self.secure {
            cleared.push(self.write(FORMER_REFRESH_NAME, "", REFRESH_PATH, 0));
        }
        cleared
    }

    fn write(self, name: &str, value: &str, path: &str, seconds: u64) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
    }
}

fn find<'r>(request: &'r HttpRequest, name: &str) -> Cookie<'r> {
    match Credentials::new(request.headers()).cookie(name) {
        Ok(value) => Cookie::One(value),
        Err(Error::MissingCredentials) => Cookie::Absent,
        Err(_twice) => Cookie::Ambiguous,
    }
}

/// The values of all cookies of the name; empty for one that is not UTF-8, which is no token of ours either.
pub(crate) fn values<'r>(request: &'r HttpRequest, name: &'r str) -> impl Iterator<Item = &'r str> {
    let fields = request.headers().get_all(COOKIE);
    let pairs = fields.flat_map(|field| field.as_bytes().split(|byte| *byte == b';'));
    let values = pairs.filter_map(|pair| {
        let rest = pair.trim_ascii().strip_prefix(name.as_bytes())?;
        rest.strip_prefix(b"=")
    });
    values.map(|value| std::str::from_utf8(value).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{Cookie, Cookies};
    use actix_web::test::TestRequest;
    use std::time::Duration;

    #[test]
    fn https_brings_the_prefixes_and_secure() {
        let [access, refresh] = Cookies::new(true).set("a", "r", Duration::from_secs(60));
        assert_eq!(
            access,
            "__Host-access_token=a; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(
            refresh,
            "__Host-refresh_token=r; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"
        );
    }

    #[test]
    fn https_clears_the_refresh_cookie_of_earlier_versions_too() {
        let attributes = "Max-Age=0; HttpOnly; SameSite=Lax; Secure";
        let expected = [
            format!("__Host-access_token=; Path=/; {attributes}"),
            format!("__Host-refresh_token=; Path=/; {attributes}"),
            format!("__Secure-refresh_token=; Path=/api/auth; {attributes}"),
        ];
        assert_eq!(Cookies::new(true).clear(), expected);
        assert_eq!(Cookies::new(false).clear().len(), 2);
    }

    #[test]
    fn one_is_found_and_two_are_ambiguous_even_in_two_headers() {
        let cookies = Cookies::new(false);
        let read = |headers: &[&str]| {
            let mut request = TestRequest::default();
            for header in headers {
                request = request.append_header(("cookie", *header));
            }
            format!("{:?}", cookies.refresh(&request.to_http_request()))
        };
        assert_eq!(read(&["x=1"]), format!("{:?}", Cookie::Absent));
        assert_eq!(
            read(&["x=1; refresh_token=t; y=2"]),
            format!("{:?}", Cookie::One("t"))
        );
        assert_eq!(read(&["refresh_token=t; refresh_token=u"]), "Ambiguous");
        assert_eq!(read(&["refresh_token=t", "refresh_token=t"]), "Ambiguous");
    }
}

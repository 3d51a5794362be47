//! Writes and reads the cookies for the access token and the refresh token (RFC 6265bis).

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::COOKIE;
use auth_core::Error;
use auth_core::credentials::Credentials;

/// The path of the refresh cookie over http. Over https the prefix `__Host-` requires `/`.
const REFRESH_PATH: &str = "/api/auth";
/// The name that earlier versions gave the refresh cookie over https. It is cleared and never read: another host of the
/// site could have set it.
const FORMER_REFRESH_NAME: &str = "__Secure-refresh_token";

/// The names and attributes of both cookies. They depend on whether the public URL is https.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cookies {
    secure: bool,
}

/// The result of looking for a cookie by its name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Cookie<'a> {
    Absent,
    One(&'a str),
    /// Two cookies have the name. Another host of the site may have set one, and the request does not show which.
    Ambiguous,
}

impl Cookies {
    pub(crate) const fn new(secure: bool) -> Self {
        Self { secure }
    }

    pub(crate) const fn are_secure(self) -> bool {
        self.secure
    }

    /// The name of the access cookie. Browsers let neither another host of the site nor plain http set a `__Host-`
    /// cookie.
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

    /// The path of the refresh cookie. Browsers reject a `__Host-` cookie with any path but `/`.
    const fn refresh_path(self) -> &'static str {
        if self.secure { "/" } else { REFRESH_PATH }
    }

    /// Reads the refresh cookie.
    pub(crate) fn find_refresh(self, request: &HttpRequest) -> Cookie<'_> {
        find_one(request, self.refresh_name())
    }

    /// Returns the value of every access cookie: more than one if another host of the site has set one too.
    pub(crate) fn access_values(self, request: &HttpRequest) -> impl Iterator<Item = &str> {
        values(request, self.access_name())
    }

    /// Returns the value of every refresh cookie.
    pub(crate) fn refresh_values(self, request: &HttpRequest) -> impl Iterator<Item = &str> {
        values(request, self.refresh_name())
    }

    /// Returns a `Set-Cookie` value for each token. Both cookies last as long as the session, because an expired access
    /// token still names the session to log out.
    pub(crate) fn set(self, access: &str, refresh: &str, lifetime: Duration) -> [String; 2] {
        let seconds = lifetime.as_secs();
        [
            self.write(self.access_name(), access, "/", seconds),
            self.write(self.refresh_name(), refresh, self.refresh_path(), seconds),
        ]
    }

    /// Returns `Set-Cookie` values that delete both cookies, and over https the refresh cookie of earlier versions.
    pub(crate) fn clear(self) -> Vec<String> {
        let mut values = self.set("", "", Duration::ZERO).to_vec();
        if self.secure {
            values.push(self.write(FORMER_REFRESH_NAME, "", REFRESH_PATH, 0));
        }
        values
    }

    fn write(self, name: &str, value: &str, path: &str, seconds: u64) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
    }
}

fn find_one<'r>(request: &'r HttpRequest, name: &str) -> Cookie<'r> {
    match Credentials::new(request.headers()).cookie(name) {
        Ok(value) => Cookie::One(value),
        Err(Error::MissingCredentials) => Cookie::Absent,
        Err(_twice) => Cookie::Ambiguous,
    }
}

/// Returns the values of all cookies with the name. A value that is not UTF-8 becomes empty: it cannot be a token.
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
    fn over_https_both_cookies_have_the_host_prefix_and_the_secure_attribute() {
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
    fn over_https_the_refresh_cookie_of_earlier_versions_is_cleared_too() {
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
    fn one_cookie_is_found_and_two_of_the_name_are_ambiguous_even_in_two_headers() {
        let cookies = Cookies::new(false);
        let read = |headers: &[&str]| {
            let mut request = TestRequest::default();
            for header in headers {
                request = request.append_header(("cookie", *header));
            }
            format!("{:?}", cookies.find_refresh(&request.to_http_request()))
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

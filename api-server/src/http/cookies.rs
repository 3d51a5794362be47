//! Writes and reads the cookies for the access token and the refresh token (RFC 6265bis).

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::COOKIE;
use auth_core::Error;
use auth_core::credentials::Credentials;

/// The path of the refresh cookie over http, and of the former refresh cookie over https. The current one over https
/// has the path `/`, which its prefix `__Host-` requires.
const UNPREFIXED_REFRESH_COOKIE_PATH: &str = "/api/auth";
/// The name of the refresh cookie over https in earlier versions. The server deletes this cookie but never reads it,
/// because another subdomain could have set it.
const FORMER_REFRESH_NAME: &str = "__Secure-refresh_token";

/// The names and attributes of the access cookie and the refresh cookie. They depend on the scheme of the public URL.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CookieFormat {
    /// Whether the public URL is https.
    secure: bool,
}

/// The result of a search for a cookie by name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CookieLookup<'a> {
    Absent,
    Unique(&'a str),
    /// Several cookies have the name. Another subdomain may have set one, and the request does not show which one.
    Ambiguous,
}

impl CookieFormat {
    pub(crate) const fn new(secure: bool) -> Self {
        Self { secure }
    }

    pub(crate) const fn is_secure(self) -> bool {
        self.secure
    }

    /// Returns the name of the access cookie. A browser accepts a `__Host-` cookie only over https and only from this
    /// host, not from another subdomain.
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

    const fn refresh_path(self) -> &'static str {
        if self.secure {
            "/"
        } else {
            UNPREFIXED_REFRESH_COOKIE_PATH
        }
    }

    pub(crate) fn find_refresh(self, request: &HttpRequest) -> CookieLookup<'_> {
        find_by_name(request, self.refresh_name())
    }

    /// Returns the values of all access cookies. Over http, another subdomain may have set a second one.
    pub(crate) fn access_values(self, request: &HttpRequest) -> impl Iterator<Item = &str> {
        values(request, self.access_name())
    }

    pub(crate) fn refresh_values(self, request: &HttpRequest) -> impl Iterator<Item = &str> {
        values(request, self.refresh_name())
    }

    /// Returns a `Set-Cookie` value for each token. Both cookies have the same lifetime, because a logout reads the
    /// session id even from an expired access token.
    pub(crate) fn render(self, access: &str, refresh: &str, lifetime: Duration) -> [String; 2] {
        let max_age = lifetime.as_secs();
        [
            self.render_cookie(self.access_name(), access, "/", max_age),
            self.render_cookie(self.refresh_name(), refresh, self.refresh_path(), max_age),
        ]
    }

    /// Returns `Set-Cookie` values that delete the access and refresh cookies and, over https, [`FORMER_REFRESH_NAME`].
    pub(crate) fn render_cleared(self) -> Vec<String> {
        let mut values = self.render("", "", Duration::ZERO).to_vec();
        if self.secure {
            values.push(self.render_cookie(
                FORMER_REFRESH_NAME,
                "",
                UNPREFIXED_REFRESH_COOKIE_PATH,
                0,
            ));
        }
        values
    }

    fn render_cookie(self, name: &str, value: &str, path: &str, max_age: u64) -> String {
        let suffix = if self.secure { "; Secure" } else { "" };
        format!("{name}={value}; Path={path}; Max-Age={max_age}; HttpOnly; SameSite=Lax{suffix}")
    }
}

fn find_by_name<'r>(request: &'r HttpRequest, name: &str) -> CookieLookup<'r> {
    match Credentials::new(request.headers()).cookie(name) {
        Ok(value) => CookieLookup::Unique(value),
        Err(Error::MissingCredentials) => CookieLookup::Absent,
        Err(_found_twice) => CookieLookup::Ambiguous,
    }
}

/// Returns the values of all cookies with the name. A value that is not UTF-8 cannot be a token and becomes empty.
pub(crate) fn values<'r>(request: &'r HttpRequest, name: &'r str) -> impl Iterator<Item = &'r str> {
    let headers = request.headers().get_all(COOKIE);
    let pairs = headers.flat_map(|header| header.as_bytes().split(|byte| *byte == b';'));
    let values = pairs.filter_map(|pair| {
        let after_name = pair.trim_ascii().strip_prefix(name.as_bytes())?;
        after_name.strip_prefix(b"=")
    });
    values.map(|value| std::str::from_utf8(value).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{CookieFormat, CookieLookup};
    use actix_web::test::TestRequest;
    use std::time::Duration;

    #[test]
    fn over_https_both_cookies_have_the_host_prefix_and_the_secure_attribute() {
        let [access_cookie, refresh_cookie] =
            CookieFormat::new(true).render("a", "r", Duration::from_secs(60));
        assert_eq!(
            access_cookie,
            "__Host-access_token=a; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(
            refresh_cookie,
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
        assert_eq!(CookieFormat::new(true).render_cleared(), expected);
        assert_eq!(CookieFormat::new(false).render_cleared().len(), 2);
    }

    #[test]
    fn one_cookie_is_found_and_two_with_one_name_are_ambiguous_even_in_two_headers() {
        let cookie_format = CookieFormat::new(false);
        let find_refresh = |headers: &[&str]| {
            let mut request = TestRequest::default();
            for header in headers {
                request = request.append_header(("cookie", *header));
            }
            format!(
                "{:?}",
                cookie_format.find_refresh(&request.to_http_request())
            )
        };
        assert_eq!(
            find_refresh(&["x=1"]),
            format!("{:?}", CookieLookup::Absent)
        );
        assert_eq!(
            find_refresh(&["x=1; refresh_token=t; y=2"]),
            format!("{:?}", CookieLookup::Unique("t"))
        );
        assert_eq!(
            find_refresh(&["refresh_token=t; refresh_token=u"]),
            "Ambiguous"
        );
        assert_eq!(
            find_refresh(&["refresh_token=t", "refresh_token=t"]),
            "Ambiguous"
        );
    }
}

//! The two cookies of a browser (RFC 6265bis), written and read.

use std::time::Duration;

use actix_web::HttpRequest;
use auth_core::Error;
use auth_core::credentials::Credentials;

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
    /// Two of one name: somebody planted one, and which is which nobody can tell.
    Ambiguous,
}

impl Cookies {
    pub(crate) const fn new(secure: bool) -> Self {
        Self { secure }
    }

    pub(crate) const fn are_secure(self) -> bool {
        self.secure
    }

    /// `__Host-` and `__Secure-` keep other hosts and plain http from planting one.
    pub(crate) const fn access_name(self) -> &'static str {
        if self.secure {
            "__Host-access_token"
        } else {
            "access_token"
        }
    }

    const fn refresh_name(self) -> &'static str {
        if self.secure {
            "__Secure-refresh_token"
        } else {
            "refresh_token"
        }
    }

    pub(crate) fn refresh(self, request: &HttpRequest) -> Cookie<'_> {
        find(request, self.refresh_name())
    }

    /// Both cookies, for the lifetime of the session: an expired access token still says which session to log out.
    pub(crate) fn set(self, access: &str, refresh: &str, lifetime: Duration) -> [String; 2] {
        let seconds = lifetime.as_secs();
        [
            self.write(self.access_name(), access, "/", seconds),
            self.write(self.refresh_name(), refresh, "/api/auth", seconds),
        ]
    }

    pub(crate) fn clear(self) -> [String; 2] {
        self.set("", "", Duration::ZERO)
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
            "__Secure-refresh_token=r; Path=/api/auth; Max-Age=60; HttpOnly; SameSite=Lax; Secure"
        );
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

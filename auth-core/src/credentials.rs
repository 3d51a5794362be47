//! Reads the credentials of a request, for any web framework.

use crate::{Error, bearer};

/// A header field that this crate reads from a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Field {
    /// `Authorization` (RFC 9110 § 11.6.2).
    Authorization,
    /// `Cookie` (RFC 6265bis § 4.2).
    Cookie,
    /// `X-User-Id`. This field grants nothing: each value must be the id of the caller that the credentials identify.
    UserId,
}

/// The header fields of a request. The header map of each framework whose feature is enabled implements this trait.
pub trait Headers {
    /// Calls `visit` with every value of the field, in the order of the request.
    fn for_each_value<'a>(&'a self, field: Field, visit: &mut dyn FnMut(&'a [u8]));
}

/// The header fields of a request, from which the credentials are read.
#[derive(Clone, Copy)]
pub struct Credentials<'a>(&'a dyn Headers);

/// The part of a request that carried a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialSource {
    /// The `Authorization` header (RFC 6750 § 2.1).
    Header,
    /// The request body, for endpoints that read a token from the body. [`Credentials`] never reads a body.
    Body,
    /// A cookie. A browser may send cookies even if another site starts the request, so the service must itself reject
    /// state-changing requests of other origins (CSRF).
    Cookie,
}

impl<'a> Credentials<'a> {
    /// Wraps the header fields of a request.
    #[must_use]
    pub const fn new(headers: &'a dyn Headers) -> Self {
        Self(headers)
    }

    /// Returns every value of a field, for a service that forwards the field.
    #[must_use]
    pub fn values(&self, field: Field) -> Vec<&'a [u8]> {
        let mut values = Vec::new();
        self.0
            .for_each_value(field, &mut |value| values.push(value));
        values
    }

    /// Returns the token and its source: the `Authorization` header or, only without such a header, the cookie
    /// `cookie_name`. A valid cookie does not replace an invalid header. If `cookie_name` is `None`, no cookie is
    /// accepted.
    ///
    /// # Errors
    ///
    /// [`Error::MissingCredentials`] if the request has neither header nor accepted cookie.
    /// [`Error::MalformedCredentials`] if the header is not exactly one [`Bearer <token>`](bearer::token) or, without a
    /// header, if the cookie was sent more than once.
    pub fn token(&self, cookie_name: Option<&str>) -> Result<(&'a str, CredentialSource), Error> {
        match (self.bearer(), cookie_name) {
            (Err(Error::MissingCredentials), Some(name)) => {
                Ok((self.cookie(name)?, CredentialSource::Cookie))
            }
            (token, _) => Ok((token?, CredentialSource::Header)),
        }
    }

    /// Reads the `Authorization` header. Keeps at most two values, because a second value is an error in any case.
    fn bearer(&self) -> Result<&'a str, Error> {
        let (mut first_value, mut another_value) = (None, None);
        self.0.for_each_value(Field::Authorization, &mut |value| {
            if first_value.is_none() {
                first_value = Some(value);
            } else {
                another_value = Some(value);
            }
        });
        bearer::token(first_value.into_iter().chain(another_value))
    }

    /// Returns the value of the named cookie. A value that is not UTF-8 becomes an empty text, which is no token.
    ///
    /// The `Cookie` fields are split as bytes, because another application on the host may have set a cookie that is
    /// not UTF-8. A parser that requires UTF-8 would then reject the whole field.
    ///
    /// # Errors
    ///
    /// [`Error::MissingCredentials`] if there is no such cookie. [`Error::MalformedCredentials`] if there are several,
    /// in one field or in several fields: an attacker may have set one of them, and nothing shows which.
    pub fn cookie(&self, name: &str) -> Result<&'a str, Error> {
        let mut result = Err(Error::MissingCredentials);
        self.0.for_each_value(Field::Cookie, &mut |field| {
            for pair in field.split(|byte| *byte == b';') {
                let Some(value) = cookie_value(pair, name) else {
                    continue;
                };
                result = match result {
                    Err(Error::MissingCredentials) => {
                        Ok(std::str::from_utf8(value).unwrap_or_default())
                    }
                    _ => Err(Error::MalformedCredentials(
                        "The access token cookie was sent twice",
                    )),
                };
            }
        });
        result
    }
}

/// Returns the value of a `name=value` pair if the pair has that name (RFC 6265bis § 4.2.1).
fn cookie_value<'p>(pair: &'p [u8], name: &str) -> Option<&'p [u8]> {
    let after_name = pair.trim_ascii().strip_prefix(name.as_bytes())?;
    after_name.strip_prefix(b"=")
}

#[cfg(test)]
mod tests {
    use super::{CredentialSource, Credentials, Field, Headers};
    use crate::Error;

    /// A request with these header fields.
    struct Request(Vec<(Field, &'static str)>);

    impl Headers for Request {
        fn for_each_value<'a>(&'a self, field: Field, visit: &mut dyn FnMut(&'a [u8])) {
            let fields = self.0.iter().filter(|(name, _)| *name == field);
            fields.for_each(|(_, value)| visit(value.as_bytes()));
        }
    }

    fn token(fields: &[(Field, &'static str)]) -> Result<(String, CredentialSource), Error> {
        let request = Request(fields.to_vec());
        let result = Credentials::new(&request).token(Some("t"));
        result.map(|(token, source)| (token.to_owned(), source))
    }

    #[test]
    fn the_header_takes_precedence_and_a_cookie_does_not_replace_an_invalid_header() {
        let cookie = (Field::Cookie, "a=1; t=c; tt=2");
        let valid_header = (Field::Authorization, "Bearer h");
        assert_eq!(
            token(&[cookie]),
            Ok(("c".to_owned(), CredentialSource::Cookie))
        );
        assert_eq!(
            token(&[cookie, valid_header]),
            Ok(("h".to_owned(), CredentialSource::Header))
        );
        assert!(matches!(
            token(&[cookie, (Field::Authorization, "Basic x")]),
            Err(Error::MalformedCredentials(_))
        ));
        assert!(token(&[cookie, valid_header, valid_header]).is_err());
        assert_eq!(token(&[]), Err(Error::MissingCredentials));
    }

    #[test]
    fn two_cookies_of_one_name_are_rejected_even_in_two_fields() {
        let sent_twice = Err(Error::MalformedCredentials(
            "The access token cookie was sent twice",
        ));
        assert_eq!(token(&[(Field::Cookie, "t=c; t=c")]), sent_twice);
        assert_eq!(
            token(&[(Field::Cookie, "t=c"), (Field::Cookie, "t=d")]),
            sent_twice
        );
        assert_eq!(token(&[(Field::Cookie, "t=c; t=c; t=c")]), sent_twice);
    }
}

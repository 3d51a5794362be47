//! What a request brings to be known by, whatever framework holds its header.

use crate::{Error, bearer};

/// A header field that says who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Field {
    /// `Authorization` (RFC 9110 § 11.6.2).
    Authorization,
    /// `Cookie` (RFC 6265bis § 4.2).
    Cookie,
    /// `X-User-Id`: it grants nothing and must not contradict the token.
    UserId,
}

/// The header of a request. Implemented for the header maps of the frameworks whose features are on.
pub trait Headers {
    /// Calls `visit` with every value of the field, in order.
    fn each<'a>(&'a self, field: Field, visit: &mut dyn FnMut(&'a [u8]));
}

/// The credentials of a request.
#[derive(Clone, Copy)]
pub struct Credentials<'a>(&'a dyn Headers);

/// Where a token stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// The `Authorization` header.
    Header,
    /// The cookie.
    Cookie,
}

impl<'a> Credentials<'a> {
    /// The credentials in a request's header.
    #[must_use]
    pub const fn new(headers: &'a dyn Headers) -> Self {
        Self(headers)
    }

    /// Every value of a field, to forward them.
    #[must_use]
    pub fn values(&self, field: Field) -> Vec<&'a [u8]> {
        let mut values = Vec::new();
        self.0.each(field, &mut |value| values.push(value));
        values
    }

    /// The token, and where it stood: in the `Authorization` header or, if there is none, in the cookie of that name. A
    /// bad header is never rescued by a good cookie.
    ///
    /// # Errors
    ///
    /// [`Error::MissingCredentials`] without either; [`Error::MalformedCredentials`] for a header that is not one
    /// [`Bearer <token>`](bearer::token) and for two cookies of the name.
    pub fn token(&self, cookie: Option<&str>) -> Result<(&'a str, Place), Error> {
        match (self.bearer(), cookie) {
            (Err(Error::MissingCredentials), Some(name)) => Ok((self.cookie(name)?, Place::Cookie)),
            (token, _) => Ok((token?, Place::Header)),
        }
    }

    fn bearer(&self) -> Result<&'a str, Error> {
        let (mut first, mut another) = (None, None);
        self.0.each(Field::Authorization, &mut |value| {
            if first.is_none() {
                first = Some(value);
            } else {
                another = Some(value);
            }
        });
        bearer::token(first.into_iter().chain(another))
    }

    /// The value of the cookie of that name.
    ///
    /// # Errors
    ///
    /// [`Error::MissingCredentials`] without one; [`Error::MalformedCredentials`] for two, in one field or several.
    pub fn cookie(&self, name: &str) -> Result<&'a str, Error> {
        let mut found = Err(Error::MissingCredentials);
        // Byte by byte: another site on this host may have set cookies that are no text.
        self.0.each(Field::Cookie, &mut |value| {
            for pair in value.split(|byte| *byte == b';') {
                let named = pair.trim_ascii().strip_prefix(name.as_bytes());
                let Some(token) = named.and_then(|rest| rest.strip_prefix(b"=")) else {
                    continue;
                };
                found = match found {
                    // What is no text is no token either, which its reader will say.
                    Err(Error::MissingCredentials) => {
                        Ok(std::str::from_utf8(token).unwrap_or_default())
                    }
                    // Somebody planted one, and which is which nobody can tell.
                    _ => Err(Error::MalformedCredentials(
                        "The access token cookie was sent twice",
                    )),
                };
            }
        });
        found
    }
}

#[cfg(test)]
mod tests {
    use super::{Credentials, Field, Headers, Place};
    use crate::Error;

    struct Request(Vec<(Field, &'static str)>);

    impl Headers for Request {
        fn each<'a>(&'a self, field: Field, visit: &mut dyn FnMut(&'a [u8])) {
            let named = self.0.iter().filter(|(name, _)| *name == field);
            named.for_each(|(_, value)| visit(value.as_bytes()));
        }
    }

    fn token(fields: &[(Field, &'static str)]) -> Result<(String, Place), Error> {
        let request = Request(fields.to_vec());
        let found = Credentials::new(&request).token(Some("t"));
        found.map(|(token, place)| (token.to_owned(), place))
    }

    #[test]
    fn the_header_comes_before_the_cookie_and_is_not_rescued_by_it() {
        let cookie = (Field::Cookie, "a=1; t=c; tt=2");
        let good = (Field::Authorization, "Bearer h");
        assert_eq!(token(&[cookie]), Ok(("c".to_owned(), Place::Cookie)));
        assert_eq!(token(&[cookie, good]), Ok(("h".to_owned(), Place::Header)));
        assert!(matches!(
            token(&[cookie, (Field::Authorization, "Basic x")]),
            Err(Error::MalformedCredentials(_))
        ));
        assert!(token(&[cookie, good, good]).is_err());
        assert_eq!(token(&[]), Err(Error::MissingCredentials));
    }

    #[test]
    fn two_cookies_of_the_name_are_refused_even_in_two_headers() {
        let twice = Err(Error::MalformedCredentials(
            "The access token cookie was sent twice",
        ));
        assert_eq!(token(&[(Field::Cookie, "t=c; t=c")]), twice);
        assert_eq!(
            token(&[(Field::Cookie, "t=c"), (Field::Cookie, "t=d")]),
            twice
        );
        assert_eq!(token(&[(Field::Cookie, "t=c; t=c; t=c")]), twice);
    }
}

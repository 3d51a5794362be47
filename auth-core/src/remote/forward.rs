//! Selects the header fields that are forwarded to the server.

use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue};

use crate::credentials::{Credentials, Field};
use crate::{Error, MAX_TOKEN_BYTES};

/// The maximum length of the forwarded cookies, in bytes; longer ones are an error. The limit leaves room for the
/// cookies of other applications on the host, which a browser sends too.
const MAX_COOKIE_BYTES: usize = 16_384;

/// Returns the `Authorization` header or, without such a header, all cookies if cookies are accepted.
///
/// # Errors
///
/// An error of status 401 if the credentials are missing, malformed or too long.
pub(super) fn forwarded_headers(
    credentials: &Credentials<'_>,
    accepts_cookies: bool,
) -> Result<HeaderMap, Error> {
    match credentials.token(None) {
        Ok((token, _)) if token.len() > MAX_TOKEN_BYTES => Err(Error::TokenTooLong),
        Ok(_) => copy_values(&AUTHORIZATION, &credentials.values(Field::Authorization)),
        Err(Error::MissingCredentials) if accepts_cookies => forwarded_cookies(credentials),
        Err(error) => Err(error),
    }
}

fn forwarded_cookies(credentials: &Credentials<'_>) -> Result<HeaderMap, Error> {
    let values = credentials.values(Field::Cookie);
    if values.is_empty() {
        return Err(Error::MissingCredentials);
    }
    if values.iter().map(|value| value.len()).sum::<usize>() > MAX_COOKIE_BYTES {
        return Err(Error::MalformedCredentials(
            "The cookies are longer than 16384 bytes",
        ));
    }
    copy_values(&COOKIE, &values)
}

/// Copies field values and marks them as sensitive, so that `Debug` does not show them.
fn copy_values(name: &HeaderName, values: &[&[u8]]) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    for bytes in values {
        let mut value = HeaderValue::from_bytes(bytes).map_err(|_characters| {
            Error::MalformedCredentials("The credentials have characters that no header has")
        })?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

//! What a caller sent to be known by, on its way to the server.

use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue};

use crate::credentials::{Credentials, Field};
use crate::{Error, MAX_TOKEN_BYTES};

/// Browsers send what other pages of the host have set as well.
const MAX_COOKIE_BYTES: usize = 16_384;

/// The header to forward, or why nobody need be asked.
pub(super) fn header(
    credentials: &Credentials<'_>,
    takes_cookies: bool,
) -> Result<HeaderMap, Error> {
    match credentials.token(None) {
        Ok((token, _)) if token.len() > MAX_TOKEN_BYTES => Err(Error::TokenTooLong),
        Ok(_) => copy(&AUTHORIZATION, &credentials.values(Field::Authorization)),
        Err(Error::MissingCredentials) if takes_cookies => cookies(credentials),
        Err(error) => Err(error),
    }
}

fn cookies(credentials: &Credentials<'_>) -> Result<HeaderMap, Error> {
    let values = credentials.values(Field::Cookie);
    if values.is_empty() {
        return Err(Error::MissingCredentials);
    }
    if values.iter().map(|value| value.len()).sum::<usize>() > MAX_COOKIE_BYTES {
        return Err(Error::MalformedCredentials(
            "The cookies are longer than 16384 bytes",
        ));
    }
    copy(&COOKIE, &values)
}

fn copy(name: &HeaderName, values: &[&[u8]]) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    for value in values {
        let mut value = HeaderValue::from_bytes(value).map_err(|_characters| {
            Error::MalformedCredentials("The credentials have characters that no header has")
        })?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

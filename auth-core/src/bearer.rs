//! Parses the `Authorization` header (RFC 9110 § 11.6.2, RFC 6750 § 2.1), for any web framework.

use crate::Error;

/// The scheme, in lower case, and the one space after the scheme.
const SCHEME: &[u8] = b"bearer ";

/// Extracts the token from the values of all `Authorization` header fields of a request.
///
/// The scheme is case-insensitive. This function accepts a token of any length; a verifier rejects a token of more than
/// 8192 bytes.
///
/// ```
/// use auth_core::{Error, bearer};
///
/// let headers = ["Bearer abc.def.ghi".as_bytes()];
/// assert_eq!(bearer::token(headers), Ok("abc.def.ghi"));
/// assert_eq!(bearer::token([]), Err(Error::MissingCredentials));
/// ```
///
/// # Errors
///
/// [`Error::MissingCredentials`] if there is no value. [`Error::MalformedCredentials`] for more than one value, another
/// scheme, anything but exactly one space after the scheme, or a token that is not `token68` (RFC 9110 § 11.2).
pub fn token<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Result<&'a str, Error> {
    let mut values = values.into_iter();
    let value = values.next().ok_or(Error::MissingCredentials)?;
    if values.next().is_some() {
        return Err(Error::MalformedCredentials(
            "Send exactly one Authorization header",
        ));
    }
    parse(value)
}

fn parse(value: &[u8]) -> Result<&str, Error> {
    let (_scheme, token) = value
        .split_at_checked(SCHEME.len())
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(SCHEME))
        .ok_or(Error::MalformedCredentials(
            "The Authorization header must be Bearer, one space and a token",
        ))?;
    std::str::from_utf8(token)
        .ok()
        .filter(|token| is_token68(token.as_bytes()))
        .ok_or(Error::MalformedCredentials(
            "The bearer token has characters that no token has",
        ))
}

/// Returns whether `text` is `token68`: one or more allowed characters, then any number of `=` (RFC 9110 § 11.2).
fn is_token68(text: &[u8]) -> bool {
    let padding_count = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let characters = text.get(..text.len() - padding_count).unwrap_or_default();
    // `fold` with `&` checks every byte, even after an invalid one. Without an early exit, the compiler can vectorise
    // the loop.
    !characters.is_empty()
        && characters
            .iter()
            .fold(true, |valid, byte| valid & is_token68_character(*byte))
}

const fn is_token68_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() | matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
}

#[cfg(test)]
mod tests {
    use super::token;
    use crate::Error;

    fn parse(value: &str) -> Result<&str, Error> {
        token([value.as_bytes()])
    }

    #[test]
    fn the_scheme_is_case_insensitive() {
        for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
            assert_eq!(
                token([format!("{scheme} a.b.c").as_bytes()]),
                Ok("a.b.c"),
                "{scheme}"
            );
        }
    }

    #[test]
    fn a_value_that_is_not_scheme_space_and_token_is_malformed() {
        for value in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer  a.b.c",
            "Bearer\ta.b.c",
            " Bearer a.b.c",
            "Bearer a.b.c ",
            "Bearer a b",
            "Bearer a,b",
            "Bearer =",
            "Bearer a=b",
            "Bearera.b.c",
            "Basic YTpi",
            "Token a.b.c",
            "Bearer \"a.b.c\"",
            "Bearer a.b.é",
            "Bearer: a.b.c",
        ] {
            assert!(
                matches!(parse(value), Err(Error::MalformedCredentials(_))),
                "{value:?}"
            );
        }
    }

    #[test]
    fn two_headers_are_rejected_even_if_equal() {
        let header = "Bearer a.b.c".as_bytes();
        assert!(matches!(
            token([header, header]),
            Err(Error::MalformedCredentials(_))
        ));
    }

    #[test]
    fn bytes_that_are_not_utf8_are_rejected() {
        assert!(matches!(
            token([b"Bearer \xff\xfe".as_slice()]),
            Err(Error::MalformedCredentials(_))
        ));
    }
}

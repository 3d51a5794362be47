//! Defines the types of tokens that a verifier can accept.

use crate::jws::{JoseHeader, TYPE_NOT_ACCEPTED};
use crate::{ACCESS_TOKEN_TYPE, Error};

/// A `typ` header parameter that a [`TokenVerifier`](crate::TokenVerifier) can accept. It is compared without regard to
/// case (RFC 7515 § 4.1.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenType {
    /// `at+jwt`: an access token (RFC 9068 § 2.1).
    AccessToken,
    /// `JWT`: any JWT (RFC 7519 § 5.1), as Keycloak, Supabase and others write.
    Jwt,
    /// No `typ`, as in the tokens of Better Auth.
    Absent,
}

/// The set of the accepted types.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokenTypes {
    access_token: bool,
    jwt: bool,
    absent: bool,
}

impl Default for TokenTypes {
    fn default() -> Self {
        Self {
            access_token: true,
            jwt: false,
            absent: false,
        }
    }
}

impl TokenTypes {
    pub(crate) fn new(types: impl IntoIterator<Item = TokenType>) -> Result<Self, Error> {
        let types: Vec<TokenType> = types.into_iter().collect();
        if types.is_empty() {
            return Err(Error::InvalidSetting(
                "at least one token type must be accepted",
            ));
        }
        Ok(Self {
            access_token: types.contains(&TokenType::AccessToken),
            jwt: types.contains(&TokenType::Jwt),
            absent: types.contains(&TokenType::Absent),
        })
    }

    pub(crate) const fn accepts_access_tokens(self) -> bool {
        self.access_token
    }

    /// Checks the `typ` of a header.
    ///
    /// # Errors
    ///
    /// [`Error::UnacceptableHeader`] for a type that is not accepted.
    pub(crate) fn check(self, header: &JoseHeader<'_>) -> Result<(), Error> {
        if !(self.jwt || self.absent) {
            return header.require_type(ACCESS_TOKEN_TYPE);
        }
        let is_accepted = match header.token_type() {
            None => self.absent,
            Some(typ) => {
                (self.access_token && typ.eq_ignore_ascii_case(ACCESS_TOKEN_TYPE))
                    || (self.jwt && typ.eq_ignore_ascii_case("JWT"))
            }
        };
        is_accepted.then_some(()).ok_or(TYPE_NOT_ACCEPTED)
    }
}

//! Defines the types of tokens that a verifier can accept.

use crate::jws::{JoseHeader, TYPE_NOT_ACCEPTED};
use crate::{ACCESS_TOKEN_TYPE, Error};

const NO_ACCESS_TOKEN: Error = Error::UnacceptableHeader("The token type must be at+jwt");

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
        let is_accepted = (self.access_token && header.has_type(ACCESS_TOKEN_TYPE))
            || (self.jwt && header.has_type("JWT"))
            || (self.absent && header.has_no_type());
        if is_accepted {
            Ok(())
        } else if self.jwt || self.absent {
            Err(TYPE_NOT_ACCEPTED)
        } else {
            Err(NO_ACCESS_TOKEN)
        }
    }
}

//! A user, and what an address, a name and an image may be.

use auth_core::password::{Password, PasswordAttempt};
use serde::Serialize;
use utoipa::ToSchema;
use validator::{ValidateEmail as _, ValidationError};

use crate::db::Timestamp;
use crate::http::identity::UserId;
use crate::http::validate::{self, Fault, rule};

const MAX_EMAIL_BYTES: usize = 254;
pub(crate) const MAX_NAME_CHARS: usize = 200;
pub(crate) const MAX_IMAGE_CHARS: usize = 2048;

/// A user as the API shows it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct User {
    /// `UUIDv7` as text; opaque to clients.
    pub(crate) id: String,
    /// Lower-cased.
    #[schema(example = "ada@example.com")]
    pub(crate) email: String,
    #[schema(example = "Ada")]
    pub(crate) name: Option<String>,
    /// The address of a picture.
    pub(crate) image: Option<String>,
    pub(crate) email_verified: bool,
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T12:57:51.869Z")]
    pub(crate) created_at: Timestamp,
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T12:57:51.869Z")]
    pub(crate) updated_at: Timestamp,
}

impl User {
    /// A new account, just registered.
    pub(crate) fn new(id: &UserId, email: Email, name: Option<String>, now: Timestamp) -> Self {
        Self {
            id: id.as_str().to_owned(),
            email: email.0,
            name,
            image: None,
            email_verified: false,
            created_at: now,
            updated_at: now,
        }
    }
}

/// A valid address, lower-cased: two spellings of one address are one account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Email(String);

impl Email {
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        if text.is_empty() {
            return Err(Fault::new("required", "is required"));
        }
        if text.len() > MAX_EMAIL_BYTES {
            return Err(Fault::new("too_long", "must be at most 254 bytes"));
        }
        if !text.validate_email() {
            return Err(Fault::new("invalid_email", "must be an email address"));
        }
        Ok(Self(text.to_lowercase()))
    }

    /// As it came from the database.
    pub(super) fn stored(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

pub(crate) fn email_rule(text: &str) -> Result<(), ValidationError> {
    rule(Email::parse(text))
}

pub(crate) fn new_password(text: &str) -> Result<Password, Fault> {
    Password::new(text).map_err(|error| password_fault(text, error))
}

pub(crate) fn new_password_rule(text: &str) -> Result<(), ValidationError> {
    rule(new_password(text))
}

/// What somebody typed to log in; too short for a new password is merely wrong.
pub(crate) fn attempted_password(text: &str) -> Result<PasswordAttempt, Fault> {
    PasswordAttempt::new(text).map_err(|error| password_fault(text, error))
}

pub(crate) fn attempted_password_rule(text: &str) -> Result<(), ValidationError> {
    rule(attempted_password(text))
}

fn password_fault(text: &str, error: auth_core::Error) -> Fault {
    match error {
        _ if text.is_empty() => Fault::new("required", "is required"),
        auth_core::Error::UnacceptablePassword(message) => {
            Fault::new("unacceptable_password", message)
        }
        _ => Fault::new("unacceptable_password", "cannot be used"),
    }
}

pub(crate) fn name_rule(text: &str) -> Result<(), ValidationError> {
    validate::text(text, MAX_NAME_CHARS, "must be at most 200 characters")
}

pub(crate) fn image_rule(text: &str) -> Result<(), ValidationError> {
    validate::text(text, MAX_IMAGE_CHARS, "must be at most 2048 characters")
}

#[cfg(test)]
mod tests {
    use super::Email;

    #[test]
    fn an_address_is_compared_lower_cased() {
        assert_eq!(
            Email::parse("Ada@Example.COM"),
            Email::parse("ada@example.com")
        );
    }

    #[test]
    fn an_address_is_trimmed_of_nothing() {
        for text in [
            "",
            " a@b.example",
            "a@b.example ",
            "a b@c.example",
            "a@",
            "@b",
            "a",
            "a@b\n",
        ] {
            assert!(Email::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_address_has_at_most_254_bytes() {
        let domain = ["d".repeat(63), "d".repeat(63), "d".repeat(58)].join(".") + ".ee";
        for (local, ok) in [(64, true), (65, false)] {
            let address = format!("{}@{domain}", "l".repeat(local));
            assert_eq!(
                Email::parse(&address).is_ok(),
                ok && address.len() <= 254,
                "{}",
                address.len()
            );
        }
    }
}

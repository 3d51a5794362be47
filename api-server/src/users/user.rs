//! Defines a user, and validates passwords, names and the addresses of pictures.

use auth_core::password::{Password, PasswordAttempt};
use auth_core::{CustomClaimsJson, Roles};
use serde::Serialize;
use utoipa::ToSchema;
use validator::ValidationError;

use super::email::Email;
use super::id::UserId;
use super::password_policy;
use super::password_policy::{ChosenPassword, PasswordPolicy};
use crate::db::Timestamp;
use crate::problem::violation as validate;
use crate::problem::violation::{FieldViolation, validation_result};

pub(crate) const MAX_NAME_CHARS: usize = 200;
pub(crate) const MAX_IMAGE_CHARS: usize = 2048;

/// A user as the API shows it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct User {
    /// `UUIDv7` as text; opaque to clients.
    pub(crate) id: String,
    /// Lower-cased, the domain in ASCII.
    #[schema(example = "ada@example.com")]
    pub(crate) email: String,
    #[schema(example = "Ada")]
    pub(crate) name: Option<String>,
    /// The address of a picture.
    pub(crate) image: Option<String>,
    pub(crate) email_verified: bool,
    /// The language of the mails to the user, `en` or `de`; null if it is not known.
    #[schema(example = "en")]
    pub(crate) language: Option<String>,
    /// What the user may do, by names that an operator chose.
    #[schema(value_type = Vec<String>, example = json!(["admin"]))]
    pub(crate) roles: Roles,
    /// Only in tokens; the API does not show them.
    #[serde(skip)]
    pub(crate) custom_claims: CustomClaimsJson,
    /// The version of what the user's tokens say, such as the roles. Tokens with a lower version are stale. Not shown by
    /// the API either.
    #[serde(skip)]
    pub(crate) claims_version: u64,
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T12:57:51.869Z")]
    pub(crate) created_at: Timestamp,
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T12:57:51.869Z")]
    pub(crate) updated_at: Timestamp,
}

impl User {
    pub(crate) fn new(id: &UserId, email: Email, name: Option<String>, now: Timestamp) -> Self {
        Self {
            id: id.as_str().to_owned(),
            email: email.into_string(),
            name,
            image: None,
            email_verified: false,
            language: None,
            roles: Roles::default(),
            custom_claims: CustomClaimsJson::default(),
            claims_version: 0,
            created_at: now,
            updated_at: now,
        }
    }
}

/// Parses a new password, and rejects a password that is on a list of the policy.
pub(crate) fn choose_password(
    policy: &PasswordPolicy,
    text: &str,
) -> Result<ChosenPassword, FieldViolation> {
    policy.accept(parse_new_password(text)?)
}

/// Validates a new password for `#[validate]`. Does not search the operator's list.
pub(crate) fn validate_new_password(text: &str) -> Result<(), ValidationError> {
    validation_result(
        parse_new_password(text).and_then(|password| password_policy::reject_common(&password)),
    )
}

fn parse_new_password(text: &str) -> Result<Password, FieldViolation> {
    Password::new(text).map_err(|error| password_violation(text, error))
}

/// Parses a password entered to log in or to confirm a request. One character suffices here, unlike for a new password.
pub(crate) fn parse_attempt(text: &str) -> Result<PasswordAttempt, FieldViolation> {
    PasswordAttempt::new(text).map_err(|error| password_violation(text, error))
}

/// Does the same check as [`parse_attempt`], for `#[validate]`.
pub(crate) fn validate_attempted_password(text: &str) -> Result<(), ValidationError> {
    validation_result(parse_attempt(text))
}

fn password_violation(text: &str, error: auth_core::Error) -> FieldViolation {
    match error {
        _ if text.is_empty() => FieldViolation::new("required", "is required"),
        auth_core::Error::UnacceptablePassword(message) => {
            FieldViolation::new("unacceptable_password", message)
        }
        _ => FieldViolation::new("unacceptable_password", "cannot be used"),
    }
}

pub(crate) fn validate_name(text: &str) -> Result<(), ValidationError> {
    validate::text(text, MAX_NAME_CHARS, "must be at most 200 characters")
}

pub(crate) fn validate_image(text: &str) -> Result<(), ValidationError> {
    validate::text(text, MAX_IMAGE_CHARS, "must be at most 2048 characters")
}

//! Checks the users of an import against the rules of this server.

use std::fmt::Display;

use auth_core::password::PasswordHash;
use auth_core::{CustomClaimsJson, Roles};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::db::Timestamp;
use crate::mail::language::{Language, validate_language};
use crate::users::email::Email;
use crate::users::user;

/// The longest id that is accepted, in bytes; every common form of id is shorter.
pub(super) const MAX_ID_BYTES: usize = 255;

/// The reason why a user or a task is not imported.
pub(super) type RejectReason = String;

/// A user from a row or a line of the source, not yet checked. An export writes a user in the same form.
#[derive(Serialize, Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct UserRecord {
    pub(super) id: String,
    pub(super) email: String,
    pub(super) name: Option<String>,
    pub(super) image: Option<String>,
    pub(super) email_verified: bool,
    /// Absent in exports of earlier releases.
    pub(super) language: Option<String>,
    /// Absent in exports of earlier releases, like `claims`.
    pub(super) roles: Option<Vec<String>>,
    pub(super) claims: Option<Map<String, Value>>,
    pub(super) password_hash: Option<String>,
    pub(super) created_at: String,
    pub(super) updated_at: String,
}

/// A user that [`UserRecord::check`] accepted. Whether another user has the same id or email address is checked later.
pub(super) struct ImportedUser {
    pub(super) id: String,
    pub(super) email: Email,
    pub(super) name: Option<String>,
    pub(super) image: Option<String>,
    pub(super) email_verified: bool,
    pub(super) language: Option<Language>,
    pub(super) roles: Roles,
    pub(super) custom_claims: CustomClaimsJson,
    pub(super) password_hash: Option<PasswordHash>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    /// The reason not to import the user, if the user is banned in the source.
    pub(super) ban: Option<RejectReason>,
}

impl UserRecord {
    /// Checks every field; `parse_hash` parses the password hash.
    pub(super) fn check(
        self,
        parse_hash: fn(&str) -> Result<PasswordHash, auth_core::Error>,
    ) -> Result<ImportedUser, RejectReason> {
        check_id(&self.id).map_err(|error| format!("its id {error}"))?;
        let parsed_email = Email::parse(&self.email);
        let email = parsed_email.map_err(|violation| format!("its email {}", violation.message))?;
        let name = self.name.as_deref().unwrap_or_default();
        user::validate_name(name).map_err(|error| violation_reason("name", error.message))?;
        let image = self.image.as_deref().unwrap_or_default();
        user::validate_image(image).map_err(|error| violation_reason("image", error.message))?;
        let language = self.language.as_deref().map(parse_language).transpose()?;
        let roles = parse_roles(self.roles.unwrap_or_default())?;
        let custom_claims = CustomClaimsJson::new(&self.claims.unwrap_or_default())
            .map_err(|error| format!("its claims are not acceptable: {error}"))?;
        let result = self.password_hash.as_deref().map(parse_hash).transpose();
        let hash = result.map_err(|_unknown_format| {
            "its password hash is neither bcrypt of cost 4 to 15 nor Better Auth's scrypt"
        })?;
        Ok(ImportedUser {
            id: self.id,
            email,
            name: self.name,
            image: self.image,
            email_verified: self.email_verified,
            language,
            roles,
            custom_claims,
            password_hash: hash,
            created_at: parse_time("creation", &self.created_at)?,
            updated_at: parse_time("last update", &self.updated_at)?,
            ban: None,
        })
    }
}

/// Checks the id of a user or a task. A user's id that passes can be the `sub` of a token.
pub(super) fn check_id(id: &str) -> Result<(), &'static str> {
    match id {
        "" => Err("is empty"),
        id if id.len() > MAX_ID_BYTES => Err("is over 255 bytes"),
        id if id.trim() != id => Err("has white space around it"),
        id if id.chars().any(char::is_control) => Err("has a control character"),
        _ => Ok(()),
    }
}

fn parse_language(tag: &str) -> Result<Language, RejectReason> {
    validate_language(tag).map_err(|error| violation_reason("language", error.message))?;
    Language::parse(tag).ok_or_else(|| violation_reason("language", None::<String>))
}

/// Parses the roles, and sorts them as the command `users roles` does.
fn parse_roles(mut names: Vec<String>) -> Result<Roles, RejectReason> {
    names.sort_unstable();
    Roles::new(names).map_err(|error| format!("its roles are not acceptable: {error}"))
}

/// Returns the reason to reject a field that violates a rule.
pub(super) fn violation_reason(field: &str, message: Option<impl Display>) -> RejectReason {
    match message {
        Some(message) => format!("its {field} {message}"),
        None => format!("its {field} is not acceptable"),
    }
}

/// Parses the time of an event, such as the creation. If the time is invalid, the returned reason names the event.
pub(super) fn parse_time(event: &str, text: &str) -> Result<Timestamp, RejectReason> {
    Timestamp::parse(text)
        .ok_or_else(|| format!("the time of its {event} is not in the years 1 to 9999"))
}

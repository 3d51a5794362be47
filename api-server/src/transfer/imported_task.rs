//! Checks the tasks of an import against the rules of this server.

use serde::{Deserialize, Serialize};

use super::imported_user::{RejectReason, check_id, parse_time, violation_reason};
use crate::db::Timestamp;
use crate::tasks::task;
use crate::tasks::task::Title;
use crate::users::email;

/// The name of the source of tasks from JSON Lines. No table that can be imported has this name.
pub(super) const EXPORT_SOURCE: &str = "(export)";

/// A task from a row or a line of the source, not yet checked. An export writes a task in the same form.
#[derive(Serialize, Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct TaskRecord {
    /// The id in the source; the imported task gets a new id.
    pub(super) id: String,
    pub(super) user_id: String,
    /// The email address of the owner. Identifies the owner together with `user_id`, because two databases may use the
    /// same id for different users.
    pub(super) user_email: String,
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) completed: bool,
    pub(super) created_at: String,
    pub(super) updated_at: String,
}

/// A task that [`TaskRecord::check`] accepted. Whether its owner exists is checked later.
pub(super) struct ImportedTask {
    pub(super) id: String,
    pub(super) user_id: String,
    /// In the spelling that [`email::canonical_spelling`] returns.
    pub(super) user_email: String,
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) completed: bool,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

impl TaskRecord {
    /// Checks every field except `user_email`, which is compared with the owner's email address later.
    pub(super) fn check(self) -> Result<ImportedTask, RejectReason> {
        check_id(&self.id).map_err(|error| format!("its id {error}"))?;
        check_id(&self.user_id).map_err(|error| format!("its owner's id {error}"))?;
        let parsed_title = Title::parse(&self.title);
        let title = parsed_title.map_err(|violation| format!("its title {}", violation.message))?;
        let description = self.description.as_deref().unwrap_or_default();
        task::validate_description(description)
            .map_err(|error| violation_reason("description", error.message))?;
        Ok(ImportedTask {
            id: self.id,
            user_id: self.user_id,
            user_email: email::canonical_spelling(self.user_email.to_lowercase()),
            title: title.into_string(),
            description: self.description,
            completed: self.completed,
            created_at: parse_time("creation", &self.created_at)?,
            updated_at: parse_time("last update", &self.updated_at)?,
        })
    }
}

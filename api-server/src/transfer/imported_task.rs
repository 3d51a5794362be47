//! An imported task.

use serde::{Deserialize, Serialize};

use super::imported_user::{RejectReason, check_id, time, violation};
use crate::db::Timestamp;
use crate::tasks::task;
use crate::tasks::task::Title;
use crate::users::email;

/// The source of task ids that JSON Lines have, which an export of this program wrote.
pub(super) const EXPORT_SOURCE: &str = "(export)";

/// A task as a row or a line has it.
#[derive(Serialize, Deserialize)]
pub(super) struct TaskRecord {
    /// Its id in the source; here it gets a new one.
    pub(super) id: String,
    pub(super) user_id: String,
    /// The address of that user: two databases may use one id for two users.
    pub(super) user_email: String,
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) completed: bool,
    pub(super) created_at: String,
    pub(super) updated_at: String,
}

/// A task that passed every rule.
pub(super) struct ImportedTask {
    pub(super) id: String,
    pub(super) user_id: String,
    /// As [`email::canonical`] spells it.
    pub(super) user_email: String,
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) completed: bool,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

impl TaskRecord {
    pub(super) fn check(self) -> Result<ImportedTask, RejectReason> {
        check_id(&self.id).map_err(|error| format!("its id {error}"))?;
        check_id(&self.user_id).map_err(|error| format!("its owner's id {error}"))?;
        let title = Title::parse(&self.title);
        let title = title.map_err(|violation| format!("its title {}", violation.message))?;
        let description = self.description.as_deref().unwrap_or_default();
        task::description_rule(description)
            .map_err(|error| violation("description", error.message))?;
        Ok(ImportedTask {
            id: self.id,
            user_id: self.user_id,
            user_email: email::canonical(self.user_email.to_lowercase()),
            title: title.into_string(),
            description: self.description,
            completed: self.completed,
            created_at: time("creation", &self.created_at)?,
            updated_at: time("last update", &self.updated_at)?,
        })
    }
}

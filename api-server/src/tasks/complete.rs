//! Handles `PATCH /api/{user_id}/tasks/{task_id}/complete` and `POST /api/{user_id}/tasks/{task_id}/toggle`.

use actix_web::web::{self, Data};

use super::id::{self, TaskId};
use super::task::Task;
use super::{Tasks, store};
use crate::http::owner::{Owner, OwnerId};
use crate::http::scope;
use crate::problem::Problem;

/// Finish an open task, reopen a finished one.
#[utoipa::path(
    patch, path = "/api/{user_id}/tasks/{task_id}/complete", tag = "tasks", operation_id = "toggleTask",
    params(OwnerId, TaskId),
    responses((status = 200, description = "The task as it is now", body = Task)),
    security(("bearer" = ["tasks:write"])),
)]
pub(crate) async fn toggle(
    Owner(owner, ..): Owner<scope::TasksWrite>,
    TaskId(task_id): TaskId,
    tasks: Data<Tasks>,
) -> Result<web::Json<Task>, Problem> {
    let now = tasks.clock.now().into();
    let task = tasks
        .db
        .of_account(owner.as_str())
        .write(move |connection| store::toggle(connection, &owner, task_id, now))
        .await?;
    task.map(web::Json).ok_or_else(id::task_not_found)
}

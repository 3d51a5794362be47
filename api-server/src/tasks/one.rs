//! `GET` and `DELETE /api/{user_id}/tasks/{task_id}`, and its completion

use actix_web::web::{self, Data};
use serde::Serialize;
use utoipa::ToSchema;

use super::id::{self, TaskId};
use super::store;
use super::task::Task;
use crate::http::owner::Owner;
use crate::problem::Problem;
use crate::state::State;

/// Show a task.
#[utoipa::path(
    get, path = "/api/{user_id}/tasks/{task_id}", tag = "tasks", operation_id = "getTask",
    params(
        ("user_id" = String, Path, description = "The caller's own id"),
        ("task_id" = i64, Path, description = "The task"),
    ),
    responses((status = 200, description = "The task", body = Task)),
    security(("bearer" = [])),
)]
pub(crate) async fn show(
    Owner(owner): Owner,
    TaskId(task_id): TaskId,
    state: Data<State>,
) -> Result<web::Json<Task>, Problem> {
    let found = state
        .db
        .of_account(owner.as_str())
        .run(move |connection| store::find(connection, &owner, task_id))
        .await?;
    found.map(web::Json).ok_or_else(id::not_found)
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Deleted {
    success: bool,
    #[schema(example = "Task deleted successfully")]
    message: &'static str,
}

/// Delete a task.
#[utoipa::path(
    delete, path = "/api/{user_id}/tasks/{task_id}", tag = "tasks", operation_id = "deleteTask",
    params(
        ("user_id" = String, Path, description = "The caller's own id"),
        ("task_id" = i64, Path, description = "The task"),
    ),
    responses((status = 200, description = "It is gone", body = Deleted)),
    security(("bearer" = [])),
)]
pub(crate) async fn delete(
    Owner(owner): Owner,
    TaskId(task_id): TaskId,
    state: Data<State>,
) -> Result<web::Json<Deleted>, Problem> {
    let deleted = state
        .db
        .of_account(owner.as_str())
        .write(move |connection| store::delete(connection, &owner, task_id))
        .await?;
    if !deleted {
        return Err(id::not_found());
    }
    Ok(web::Json(Deleted {
        success: true,
        message: "Task deleted successfully",
    }))
}

/// Finish an open task, reopen a finished one.
#[utoipa::path(
    patch, path = "/api/{user_id}/tasks/{task_id}/complete", tag = "tasks", operation_id = "toggleTask",
    params(
        ("user_id" = String, Path, description = "The caller's own id"),
        ("task_id" = i64, Path, description = "The task"),
    ),
    responses((status = 200, description = "The task as it is now", body = Task)),
    security(("bearer" = [])),
)]
pub(crate) async fn toggle(
    Owner(owner): Owner,
    TaskId(task_id): TaskId,
    state: Data<State>,
) -> Result<web::Json<Task>, Problem> {
    let now = state.now().into();
    let toggled = state
        .db
        .of_account(owner.as_str())
        .write(move |connection| store::toggle(connection, &owner, task_id, now))
        .await?;
    toggled.map(web::Json).ok_or_else(id::not_found)
}

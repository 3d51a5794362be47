//! Handles `GET`, `PUT`, `PATCH` and `DELETE /api/{user_id}/tasks/{task_id}`.

use actix_web::web::{self, Data};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::id::{self, TaskId};
use super::store::TaskChange;
use super::task::{self, Task, Title};
use super::{Tasks, store};
use crate::http::json::{ValidatedJson, not_null, nullable};
use crate::http::owner::{Owner, OwnerId};
use crate::http::scope;
use crate::problem::Problem;
use crate::users::id::UserId;

/// Show a task.
#[utoipa::path(
    get, path = "/api/{user_id}/tasks/{task_id}", tag = "tasks", operation_id = "getTask",
    params(OwnerId, TaskId),
    responses((status = 200, description = "The task", body = Task)),
    security(("bearer" = ["tasks:read"])),
)]
pub(crate) async fn show(
    Owner(owner, ..): Owner<scope::TasksRead>,
    TaskId(task_id): TaskId,
    tasks: Data<Tasks>,
) -> Result<web::Json<Task>, Problem> {
    let task = tasks
        .db
        .of_account(owner.as_str())
        .read(move |connection| store::find(connection, &owner, task_id))
        .await?;
    task.map(web::Json).ok_or_else(id::task_not_found)
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
    params(OwnerId, TaskId),
    responses((status = 200, description = "It is gone", body = Deleted)),
    security(("bearer" = ["tasks:write"])),
)]
pub(crate) async fn delete(
    Owner(owner, ..): Owner<scope::TasksWrite>,
    TaskId(task_id): TaskId,
    tasks: Data<Tasks>,
) -> Result<web::Json<Deleted>, Problem> {
    let was_deleted = tasks
        .db
        .of_account(owner.as_str())
        .write(move |connection| store::delete(connection, &owner, task_id))
        .await?;
    if !was_deleted {
        return Err(id::task_not_found());
    }
    Ok(web::Json(Deleted {
        success: true,
        message: "Task deleted successfully",
    }))
}

#[derive(Deserialize, Validate, ToSchema)]
pub(crate) struct ReplaceTask {
    /// 1 to 200 characters after trimming.
    #[serde(default)]
    #[validate(custom(function = "task::validate_title"))]
    #[schema(required, min_length = 1, max_length = 200, example = "Buy milk")]
    title: String,
    /// At most 10 000 characters; absent is none.
    #[validate(custom(function = "task::validate_description"))]
    #[schema(max_length = 10_000)]
    description: Option<String>,
    /// Absent leaves it as it was.
    #[serde(default, alias = "is_completed", deserialize_with = "not_null")]
    #[schema(value_type = bool)]
    completed: Option<bool>,
}

/// Replace a task's content.
#[utoipa::path(
    put, path = "/api/{user_id}/tasks/{task_id}", tag = "tasks", operation_id = "replaceTask",
    params(OwnerId, TaskId),
    request_body = ReplaceTask,
    responses((status = 200, description = "The task as it is now", body = Task)),
    security(("bearer" = ["tasks:write"])),
)]
pub(crate) async fn replace(
    Owner(owner, ..): Owner<scope::TasksWrite>,
    TaskId(task_id): TaskId,
    tasks: Data<Tasks>,
    ValidatedJson(body): ValidatedJson<ReplaceTask>,
) -> Result<web::Json<Task>, Problem> {
    let change = TaskChange {
        title: Some(parse_title(&body.title)?),
        description: Some(body.description),
        completed: body.completed,
        updated_at: tasks.clock.now().into(),
    };
    store_change(&tasks, owner, task_id, change).await
}

#[derive(Deserialize, Validate, ToSchema)]
#[expect(
    clippy::option_option,
    reason = "an absent field stays unchanged, null clears the field"
)]
pub(crate) struct ChangeTask {
    /// 1 to 200 characters after trimming.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(custom(function = "task::validate_title"))]
    #[schema(value_type = String, min_length = 1, max_length = 200, example = "Buy oat milk")]
    title: Option<String>,
    /// At most 10 000 characters; null clears.
    #[serde(default, deserialize_with = "nullable")]
    #[validate(custom(function = "task::validate_description"))]
    #[schema(value_type = Option<String>, max_length = 10_000)]
    description: Option<Option<String>>,
    #[serde(default, alias = "is_completed", deserialize_with = "not_null")]
    #[schema(value_type = bool)]
    completed: Option<bool>,
}

/// Change some of a task; what is absent stays.
#[utoipa::path(
    patch, path = "/api/{user_id}/tasks/{task_id}", tag = "tasks", operation_id = "changeTask",
    params(OwnerId, TaskId),
    request_body = ChangeTask,
    responses((status = 200, description = "The task as it is now", body = Task)),
    security(("bearer" = ["tasks:write"])),
)]
pub(crate) async fn change(
    Owner(owner, ..): Owner<scope::TasksWrite>,
    TaskId(task_id): TaskId,
    tasks: Data<Tasks>,
    ValidatedJson(body): ValidatedJson<ChangeTask>,
) -> Result<web::Json<Task>, Problem> {
    let change = TaskChange {
        title: body.title.as_deref().map(parse_title).transpose()?,
        description: body.description,
        completed: body.completed,
        updated_at: tasks.clock.now().into(),
    };
    store_change(&tasks, owner, task_id, change).await
}

fn parse_title(text: &str) -> Result<String, Problem> {
    let title = Title::parse(text).map_err(|violation| violation.at("title"))?;
    Ok(title.into_string())
}

async fn store_change(
    tasks: &Tasks,
    owner: UserId,
    id: i64,
    change: TaskChange,
) -> Result<web::Json<Task>, Problem> {
    let task = tasks
        .db
        .of_account(owner.as_str())
        .write(move |connection| store::change(connection, &owner, id, &change))
        .await?;
    task.map(web::Json).ok_or_else(id::task_not_found)
}

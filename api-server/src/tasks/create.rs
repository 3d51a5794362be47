//! Handles `POST /api/{user_id}/tasks`.

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::Data;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::Tasks;
use super::store::{self, InsertOutcome, NewTask};
use super::task::{self, Task, Title};
use crate::http::json::ValidatedJson;
use crate::http::owner::{Owner, OwnerId};
use crate::http::scope;
use crate::problem::{Code, Problem};

/// The characters that are percent-encoded in a path segment: all except the unreserved characters (RFC 3986 § 2.3).
const ENCODED_IN_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

#[derive(Deserialize, Validate, ToSchema)]
pub(crate) struct CreateTask {
    /// 1 to 200 characters after trimming.
    #[serde(default)]
    #[validate(custom(function = "task::validate_title"))]
    #[schema(required, min_length = 1, max_length = 200, example = "Buy milk")]
    title: String,
    /// At most 10 000 characters.
    #[validate(custom(function = "task::validate_description"))]
    #[schema(max_length = 10_000)]
    description: Option<String>,
}

/// Add a task.
#[utoipa::path(
    post, path = "/api/{user_id}/tasks", tag = "tasks", operation_id = "createTask",
    params(OwnerId),
    request_body = CreateTask,
    responses((
        status = 201, description = "The new task", body = Task,
        headers(("Location" = String, description = "Where the task is")),
    )),
    security(("bearer" = ["tasks:write"])),
)]
pub(crate) async fn create(
    Owner(owner, ..): Owner<scope::TasksWrite>,
    tasks: Data<Tasks>,
    ValidatedJson(body): ValidatedJson<CreateTask>,
) -> Result<HttpResponse, Problem> {
    let title = Title::parse(&body.title).map_err(|violation| violation.at("title"))?;
    let new_task = NewTask {
        title: title.into_string(),
        description: body.description,
        created_at: tasks.clock.now().into(),
    };
    let quota = tasks.quota.clone();
    let max_tasks = quota.max_tasks();
    let db = tasks.db.of_account(owner.as_str());
    let outcome = db
        .write(move |connection| store::insert(connection, &owner, &new_task, &quota))
        .await?;
    let task = match outcome {
        InsertOutcome::Inserted(task) => task,
        InsertOutcome::LimitReached => return Err(limit_reached(max_tasks)),
        InsertOutcome::NoAccount => return Err(Problem::account_missing()),
    };
    let location = location_of(&task);
    Ok(HttpResponse::Created()
        .insert_header((LOCATION, location))
        .json(task))
}

fn limit_reached(limit: i64) -> Problem {
    let detail =
        format!("This account has reached its limit of tasks ({limit}); delete some to add more");
    Problem::new(Code::TaskLimitReached, detail)
}

/// Returns the path of a task, for the `Location` header. The id of an imported user may be `.` or `..`. Clients remove
/// such path segments (RFC 3986 § 5.2.4), so the path of a task of such a user does not contain the user id.
fn location_of(task: &Task) -> String {
    match task.user_id.as_str() {
        "." | ".." => format!("/api/tasks/{}", task.id),
        user_id => format!(
            "/api/{}/tasks/{}",
            utf8_percent_encode(user_id, ENCODED_IN_SEGMENT),
            task.id
        ),
    }
}

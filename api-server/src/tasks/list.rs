//! Handles `GET /api/{user_id}/tasks`.

use std::borrow::Cow;
use std::time::Instant;

use actix_web::http::header::{ContentType, LINK};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use validator::Validate;

use super::Tasks;
use super::page::{Page, PageQuery};
use super::task::{self, Task};
use crate::http::large_response::LargeBody;
use crate::http::owner::{Owner, OwnerId};
use crate::http::query::QueryString;
use crate::http::scope;
use crate::problem::Problem;
use crate::problem::violation::FieldViolation;

/// The most tasks on a page if the query has no `limit`.
const DEFAULT_LIMIT: i64 = 100;

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only open (`false`) or only finished (`true`) tasks.
    #[serde(alias = "is_completed")]
    completed: Option<bool>,
    /// Only tasks with this text in the title or the description, in any case; at most 200 characters.
    #[validate(custom(function = "task::validate_search_text"))]
    #[param(max_length = 200)]
    q: Option<String>,
    /// The maximum number of tasks; 100 if absent. A page may have fewer tasks: it ends at 1 MiB of JSON (at 64 KiB
    /// while many large pages, or four of this account, are being sent), and reading ends after 2 seconds. `Link` tells
    /// that there may be more.
    #[validate(range(
        min = 1,
        max = 500,
        code = "out_of_range",
        message = "must be 1 to 500"
    ))]
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<i64>,
    /// From the `Link` header of the page before.
    cursor: Option<String>,
}

/// List the caller's tasks, newest first.
#[utoipa::path(
    get, path = "/api/{user_id}/tasks", tag = "tasks", operation_id = "listTasks",
    params(OwnerId, ListQuery),
    responses((
        status = 200, description = "A page of tasks", body = Vec<Task>,
        headers(("Link" = String, description = "`<…>; rel=\"next\"` when there may be more")),
    )),
    security(("bearer" = ["tasks:read"])),
)]
pub(crate) async fn list(
    Owner(owner, ..): Owner<scope::TasksRead>,
    request: HttpRequest,
    tasks: Data<Tasks>,
    QueryString(query): QueryString<ListQuery>,
) -> Result<HttpResponse, Problem> {
    let text = query.q.as_deref().filter(|text| !text.is_empty());
    let page_query = PageQuery {
        completed: query.completed,
        text,
        before_id: query.cursor.as_deref().map(parse_cursor).transpose()?,
        limit: query.limit.unwrap_or(DEFAULT_LIMIT),
    };
    // Boxed, because a `Page` has many fields, and moves to a database thread and back for each slice.
    let page = Box::new(Page::new(owner, page_query, tasks.large_responses.clone()));
    let finished_page = fill_page(&tasks, page).await?.finish();
    let mut response = HttpResponse::Ok();
    if let Some(cursor) = finished_page.next_cursor {
        response.insert_header((LINK, next_link(&request, &query, cursor)?));
    }
    response.content_type(ContentType::json());
    Ok(match finished_page.reservation {
        Some(reservation) => response.body(LargeBody::new(finished_page.json, reservation)),
        None => response.body(finished_page.json),
    })
}

/// Fills the page in slices of rows. Each slice is a separate database job, so that requests of other accounts can run
/// between two slices, and reading stops when the caller disconnects.
async fn fill_page(tasks: &Tasks, mut page: Box<Page>) -> Result<Box<Page>, Problem> {
    let deadline = Instant::now() + tasks.task_page_timeout;
    loop {
        let db = tasks.db.of_account(page.owner().as_str());
        let result = db.read(|connection| page.read_slice(connection)).await?;
        page = result.map_err(Problem::internal)?;
        // If the deadline has passed, the page ends here, and the next page continues.
        if page.has_ended() || Instant::now() >= deadline {
            return Ok(page);
        }
    }
}

fn parse_cursor(text: &str) -> Result<i64, Problem> {
    task::parse_id(text).ok_or_else(|| {
        FieldViolation::new("invalid_cursor", "must be a cursor from a Link header").at("cursor")
    })
}

/// Returns the `Link` header (RFC 8288) for the next page: the path of this request, and its query with a new cursor.
fn next_link(request: &HttpRequest, query: &ListQuery, cursor: i64) -> Result<String, Problem> {
    #[derive(Serialize)]
    struct NextQuery<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        completed: Option<bool>,
        #[serde(skip_serializing_if = "Option::is_none")]
        q: Option<Cow<'a, str>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        limit: Option<i64>,
        cursor: i64,
    }
    let next_query = serde_urlencoded::to_string(NextQuery {
        completed: query.completed,
        q: query.q.as_deref().map(Cow::Borrowed),
        limit: query.limit,
        cursor,
    })
    .map_err(Problem::internal)?;
    Ok(format!(
        "<{}?{next_query}>; rel=\"next\"",
        request.uri().path()
    ))
}

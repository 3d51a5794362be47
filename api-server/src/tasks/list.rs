//! `GET /api/{user_id}/tasks`

use std::borrow::Cow;

use actix_web::http::header::{ContentType, LINK};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use validator::Validate;

use super::store::{self, Selection};
use super::task::{self, Task};
use crate::http::owner::Owner;
use crate::http::query::QueryString;
use crate::http::validate::Fault;
use crate::problem::Problem;
use crate::state::State;

const DEFAULT_LIMIT: i64 = 100;

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only open (`false`) or only finished (`true`) tasks.
    #[serde(alias = "is_completed")]
    completed: Option<bool>,
    /// Only tasks with this text in the title or the description, in any case; at most 200 characters.
    #[validate(custom(function = "task::query_rule"))]
    #[param(max_length = 200)]
    q: Option<String>,
    /// How many tasks; 100 if absent.
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
    params(("user_id" = String, Path, description = "The caller's own id"), ListQuery),
    responses((
        status = 200, description = "A page of tasks", body = Vec<Task>,
        headers(("Link" = String, description = "`<…>; rel=\"next\"` when there is more")),
    )),
    security(("bearer" = [])),
)]
pub(crate) async fn list(
    Owner(owner): Owner,
    request: HttpRequest,
    state: Data<State>,
    QueryString(query): QueryString<ListQuery>,
) -> Result<HttpResponse, Problem> {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    let selection = Selection {
        completed: query.completed,
        text: query.q.clone().filter(|text| !text.is_empty()),
        before: query.cursor.as_deref().map(parse_cursor).transpose()?,
        // One more than asked for tells whether there is a next page.
        limit: limit + 1,
    };
    let page = state
        .db
        .run(move |connection| {
            store::list(connection, &owner, &selection).map(|tasks| Page::of(tasks, limit))
        })
        .await?;
    let mut response = HttpResponse::Ok();
    if let Some(last) = page.more_after {
        response.insert_header((LINK, next_page(&request, &query, last)?));
    }
    let json = page.json.map_err(Problem::internal)?;
    Ok(response.content_type(ContentType::json()).body(json))
}

/// Made on the thread of the query: a page may be megabytes, too much for an async thread to write out.
struct Page {
    json: serde_json::Result<Vec<u8>>,
    more_after: Option<i64>,
}

impl Page {
    fn of(mut tasks: Vec<Task>, limit: i64) -> Self {
        let page = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = tasks.len() > page;
        tasks.truncate(page);
        Self {
            json: write(&tasks),
            more_after: tasks.last().filter(|_| has_more).map(|last| last.id),
        }
    }
}

fn write(tasks: &[Task]) -> serde_json::Result<Vec<u8>> {
    // A guess that spares most lists the copies of growing.
    let mut json = Vec::with_capacity(tasks.len() * 384);
    serde_json::to_writer(&mut json, tasks)?;
    Ok(json)
}

fn parse_cursor(text: &str) -> Result<i64, Problem> {
    task::parse_id(text).ok_or_else(|| {
        Fault::new("invalid_cursor", "must be a cursor from a Link header").at("cursor")
    })
}

/// The same request with the next cursor (RFC 8288).
fn next_page(request: &HttpRequest, query: &ListQuery, last: i64) -> Result<String, Problem> {
    #[derive(Serialize)]
    struct Next<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        completed: Option<bool>,
        #[serde(skip_serializing_if = "Option::is_none")]
        q: Option<Cow<'a, str>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        limit: Option<i64>,
        cursor: i64,
    }
    let next = serde_urlencoded::to_string(Next {
        completed: query.completed,
        q: query.q.as_deref().map(Cow::Borrowed),
        limit: query.limit,
        cursor: last,
    })
    .map_err(Problem::internal)?;
    Ok(format!("<{}?{next}>; rel=\"next\"", request.uri().path()))
}

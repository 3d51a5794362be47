//! The tasks of a user. The files `create`, `list`, `item` and `complete` contain the handlers.

pub(crate) mod complete;
pub(crate) mod create;
mod id;
pub(crate) mod item;
pub(crate) mod list;
mod page;
pub(crate) mod quota;
mod search;
mod store;
pub(crate) mod task;

use std::time::Duration;

use utoipa::OpenApi;

use crate::clock::Clock;
use crate::db::Db;
use crate::http::large_response::LargeResponseLimiter;
use quota::TaskQuota;

/// The state that the task handlers need. It does not contain the keys that sign tokens, because no task handler issues
/// tokens.
pub(crate) struct Tasks {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) quota: TaskQuota,
    pub(crate) large_responses: LargeResponseLimiter,
    /// If filling a page takes longer than this, the page ends with the tasks that were found so far.
    pub(crate) task_page_timeout: Duration,
}

#[derive(OpenApi)]
#[openapi(paths(
    list::list,
    create::create,
    item::show,
    item::replace,
    item::change,
    item::delete,
    complete::toggle,
))]
pub(crate) struct Api;

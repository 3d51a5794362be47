//! Each person's own tasks.

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
use crate::http::page_memory::PageMemory;
use quota::TaskQuota;

/// What handlers of tasks share. The keys of tokens are out of their reach.
pub(crate) struct Tasks {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) quota: TaskQuota,
    pub(crate) page_memory: PageMemory,
    /// How long a page is searched for before it ends as it is.
    pub(crate) list_timeout: Duration,
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

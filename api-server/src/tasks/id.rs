//! The `{task_id}` of a path.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::task;
use crate::problem::{Code, Problem};

/// A number that may be a task's; anything else is no task.
pub(crate) struct TaskId(pub(crate) i64);

impl FromRequest for TaskId {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let named = request.match_info().get("task_id");
        let id = named.and_then(task::parse_id);
        ready(id.map(Self).ok_or_else(not_found))
    }
}

pub(super) fn not_found() -> Problem {
    Problem::new(Code::TaskNotFound, "There is no such task")
}

//! Extracts `{task_id}` from the path.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use utoipa::IntoParams;

use super::task;
use crate::problem::{Code, Problem};

/// A positive number in canonical form. Any other text is rejected like the id of a task that does not exist.
#[derive(IntoParams)]
#[into_params(names("task_id"), parameter_in = Path)]
pub(crate) struct TaskId(
    /// The task
    pub(crate) i64,
);

impl FromRequest for TaskId {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let text = request.match_info().get("task_id");
        let id = text.and_then(task::parse_id);
        ready(id.map(Self).ok_or_else(task_not_found))
    }
}

pub(super) fn task_not_found() -> Problem {
    Problem::new(Code::TaskNotFound, "There is no such task")
}

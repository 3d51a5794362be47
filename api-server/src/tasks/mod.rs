//! Each person's own tasks.

pub(crate) mod change;
pub(crate) mod create;
mod id;
pub(crate) mod list;
pub(crate) mod one;
mod page;
pub(crate) mod quota;
mod search;
mod store;
pub(crate) mod task;

use actix_web::http::Method;
use actix_web::web::ServiceConfig;

use crate::http::endpoint::Endpoint;

/// `/api/tasks` and `/api/v1/tasks` come first: they would match `/api/{user_id}/tasks` as well.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(
            Endpoint::at(["/api/tasks", "/api/v1/tasks", "/api/{user_id}/tasks"])
                .get(list::list)
                .on(Method::POST, create::create),
        )
        .service(
            Endpoint::at([
                "/api/tasks/{task_id}",
                "/api/v1/tasks/{task_id}",
                "/api/{user_id}/tasks/{task_id}",
            ])
            .get(one::show)
            .on(Method::PUT, change::replace)
            .on(Method::PATCH, change::change)
            .on(Method::DELETE, one::delete),
        )
        .service(
            Endpoint::at([
                "/api/tasks/{task_id}/complete",
                "/api/v1/tasks/{task_id}/complete",
                "/api/{user_id}/tasks/{task_id}/complete",
            ])
            .on(Method::PATCH, one::toggle),
        )
        .service(
            Endpoint::at([
                "/api/tasks/{task_id}/toggle",
                "/api/v1/tasks/{task_id}/toggle",
                "/api/{user_id}/tasks/{task_id}/toggle",
            ])
            .on(Method::POST, one::toggle),
        );
}

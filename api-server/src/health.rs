//! `GET /healthz` and `GET /readyz`, for whoever restarts and whoever balances.

use actix_web::web::{self, Data, ServiceConfig};
use serde::Serialize;
use utoipa::ToSchema;

use crate::db::ping;
use crate::http::endpoint::Endpoint;
use crate::problem::Problem;
use crate::state::State;

#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    #[schema(example = "ok")]
    status: &'static str,
}

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(Endpoint::at(["/healthz"]).get(live))
        .service(Endpoint::at(["/readyz"]).get(ready));
}

/// The process lives.
#[utoipa::path(
    get, path = "/healthz", tag = "health", operation_id = "healthz",
    responses((status = 200, description = "It lives", body = Health)),
)]
pub(crate) async fn live() -> web::Json<Health> {
    web::Json(Health { status: "ok" })
}

/// The database answers.
#[utoipa::path(
    get, path = "/readyz", tag = "health", operation_id = "readyz",
    responses((status = 200, description = "Ready for requests", body = Health)),
)]
pub(crate) async fn ready(state: Data<State>) -> Result<web::Json<Health>, Problem> {
    state.db.run(ping).await?;
    if !state.feed.is_current() {
        return Err(Problem::database_unavailable(
            "the revocations are not up to date",
        ));
    }
    Ok(web::Json(Health { status: "ready" }))
}

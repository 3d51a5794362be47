//! Responds to `GET /healthz`, for a supervisor that restarts processes, and to `GET /readyz`, for a load balancer.

use std::sync::atomic::Ordering;

use actix_web::web::{self, Data};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use crate::db::ping;
use crate::problem::Problem;
use crate::sessions::Sessions;

#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    #[schema(example = "ok")]
    status: &'static str,
}

/// Check that the process responds.
#[utoipa::path(
    get, path = "/healthz", tag = "health", operation_id = "healthz",
    responses((status = 200, description = "The process responds", body = Health)),
)]
pub(crate) async fn show_health() -> web::Json<Health> {
    web::Json(Health { status: "ok" })
}

/// Check that the database responds and that the revocations are up to date.
#[utoipa::path(
    get, path = "/readyz", tag = "health", operation_id = "readyz",
    responses((status = 200, description = "Ready for requests", body = Health)),
)]
pub(crate) async fn show_readiness(sessions: Data<Sessions>) -> Result<web::Json<Health>, Problem> {
    // The probe fails while the server stops, so that load balancers send new requests to other servers.
    if sessions.is_stopping.load(Ordering::Relaxed) {
        return Err(Problem::stopping());
    }
    // Probes have their own share of the database, which other requests from their network cannot use up.
    sessions.db.of_endpoint("/readyz").read(ping).await?;
    if !sessions.feed.is_current() {
        return Err(Problem::database_unavailable(
            "the revocations are not up to date",
        ));
    }
    Ok(web::Json(Health { status: "ready" }))
}

#[derive(OpenApi)]
#[openapi(paths(show_health, show_readiness))]
pub(crate) struct Api;

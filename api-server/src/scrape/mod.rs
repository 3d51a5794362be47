//! Responds to `GET /metrics`, on an address of its own, with all metrics in the text format of Prometheus.

mod process;
mod samples;

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};

use crate::accounts::Accounts;
use crate::connections::Connections;
use crate::http::endpoint::Endpoint;
use crate::problem::{Code, Problem};
use crate::sessions::Sessions;

const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The parts of the server whose state the metrics show.
pub(crate) struct ScrapeContext {
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) accounts: Data<Accounts>,
    /// The connections of the API, not those of the metrics.
    pub(crate) connections: Connections,
}

/// Registers the only path on the address of the metrics.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(Endpoint::at(["/metrics"]).get(show))
        .default_service(web::to(not_found));
}

async fn show(scrape: Data<ScrapeContext>) -> Result<HttpResponse, Problem> {
    let mut samples = samples::read(&scrape).await;
    samples.extend(process::samples());
    let text = scrape.sessions.metrics.render(samples);
    Ok(HttpResponse::Ok()
        .content_type(CONTENT_TYPE)
        .body(text.map_err(Problem::internal)?))
}

async fn not_found() -> Result<&'static str, Problem> {
    Err(Problem::new(Code::NotFound, "The metrics are at /metrics"))
}

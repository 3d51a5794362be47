//! Callers that hang up. A change they asked for is still made as a whole; only what waits for its turn is given up.
//!
//! The connection ends as soon as the caller closes it, and with it the future of its request. What reads may end there.
//! What changes something runs in a task of its own, so that a logout that was sent and not waited for is a logout.

use std::future::pending;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpRequest};
use tokio::sync::watch;

use crate::problem::Problem;

/// Tells that the caller of a request has hung up.
#[derive(Debug, Clone)]
pub(crate) struct HangUp(Option<watch::Receiver<()>>);

impl HangUp {
    pub(crate) fn of(request: &HttpRequest) -> Self {
        Self(request.extensions().get::<watch::Receiver<()>>().cloned())
    }

    /// Ends when the caller has hung up.
    pub(crate) async fn happened(&self) {
        match self.0.clone() {
            Some(mut connected) => while connected.changed().await.is_ok() {},
            None => pending().await,
        }
    }
}

/// Middleware: runs requests that may change something to their end.
pub(crate) async fn finish_changes<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    if request.method().is_safe() {
        return next.call(request).await;
    }
    // The sender is dropped with this future, which is what the receiver waits for.
    let (_connected, receiver) = watch::channel(());
    request.extensions_mut().insert(receiver);
    let finished = actix_web::rt::spawn(next.call(request)).await;
    finished.map_err(Problem::internal)?
}

//! Callers that hang up. A change they asked for is still made as a whole; only what waits for its turn is given up.
//!
//! The connection ends as soon as the caller closes it, and with it the future of its request. What reads may end there.
//! What changes something then goes on in a task of its own, so that a logout that was sent and not waited for is a logout.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _};
use futures_util::future::LocalBoxFuture;
use tokio::sync::watch;

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
    FinishWhenDropped(Some(Box::pin(next.call(request)))).await
}

/// A future that goes on in a task of its own when it is dropped before its end.
struct FinishWhenDropped<T: 'static>(Option<LocalBoxFuture<'static, T>>);

impl<T> Future for FinishWhenDropped<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        // Taken out, so that one that panics is not run again.
        let Some(mut unfinished) = self.0.take() else {
            return Poll::Pending;
        };
        let polled = unfinished.as_mut().poll(context);
        if polled.is_pending() {
            self.0 = Some(unfinished);
        }
        polled
    }
}

impl<T: 'static> Drop for FinishWhenDropped<T> {
    fn drop(&mut self) {
        if let Some(rest) = self.0.take() {
            actix_web::rt::spawn(rest);
        }
    }
}

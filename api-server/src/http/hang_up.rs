//! Completes a request that may change something, even if the caller hangs up before the response. To hang up is to
//! close the connection or, with HTTP/2, to cancel the request.
//!
//! When the caller hangs up, actix-web drops the future of the request. A request with a safe method ends in this way.
//! Any other request continues in a separate task, so that a logout takes effect even if the caller does not wait for
//! the response. If such a request still waits in the queue for password hashing, the signal
//! [`HangUpSignal`](crate::client::HangUpSignal) ends the wait with an error.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _};
use futures_util::future::LocalBoxFuture;
use tokio::sync::watch;

/// Middleware that runs every request with an unsafe method (RFC 9110 § 9.2.1) to its end.
pub(crate) async fn complete_unsafe_requests<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    if request.method().is_safe() {
        return next.call(request).await;
    }
    // If the caller hangs up, this function's future is dropped, and with it the sender. That notifies the receiver.
    let (_sender, receiver) = watch::channel(());
    request.extensions_mut().insert(receiver);
    FinishWhenDropped(Some(Box::pin(next.call(request)))).await
}

/// A future that continues in a separate task if it is dropped before its end.
struct FinishWhenDropped<T: 'static>(Option<LocalBoxFuture<'static, T>>);

impl<T> Future for FinishWhenDropped<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        // The future is moved out before the poll, because `drop` must not continue a future that panicked.
        let Some(mut future) = self.0.take() else {
            return Poll::Pending;
        };
        let polled = future.as_mut().poll(context);
        if polled.is_pending() {
            self.0 = Some(future);
        }
        polled
    }
}

impl<T: 'static> Drop for FinishWhenDropped<T> {
    fn drop(&mut self) {
        if let Some(future) = self.0.take() {
            actix_web::rt::spawn(future);
        }
    }
}

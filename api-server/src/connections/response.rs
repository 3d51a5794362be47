//! Defines a response body that keeps its request in flight until the body is dropped.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;

use super::connection_state::InFlightRequest;

/// A response body, and the request that is in flight until this body is dropped.
pub(super) struct WatchedBody {
    body: BoxBody,
    _request: Option<InFlightRequest>,
}

impl WatchedBody {
    pub(super) fn new(body: BoxBody, request: Option<InFlightRequest>) -> Self {
        Self {
            body,
            _request: request,
        }
    }
}

impl MessageBody for WatchedBody {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}

//! Tells a handler whether its client has hung up.

use std::rc::Rc;

use actix_web::{HttpMessage as _, HttpRequest};

use super::progress::Progress;

/// Marks a request with HTTP/2 that its client cancelled before a handler got it.
pub(super) struct Cancelled;

/// Returns whether the client closed its side of the connection or, with HTTP/2, cancelled the request, as far as the
/// server has read that. A client of HTTP/1.1 that has closed its side gets no response that waits for the database,
/// and requests of a connection with HTTP/2 that was closed reach no handler.
///
/// Costs no system call: before a handler starts, the connection is read until nothing more has arrived.
pub(crate) fn has_hung_up(request: &HttpRequest) -> bool {
    let progress = request.conn_data::<Rc<Progress>>();
    progress.is_some_and(|progress| progress.has_hung_up())
        || request.extensions().contains::<Cancelled>()
}

//! Tells a handler whether its client has hung up.

use std::rc::Rc;

use actix_web::{HttpMessage as _, HttpRequest};

use super::connection_state::ConnectionState;

/// Marks a request with HTTP/2 that its client cancelled before the handler started.
pub(super) struct Cancelled;

/// Returns whether the client closed its side of the connection (HTTP/1.1) or cancelled the request (HTTP/2), as far as
/// the server has read. With HTTP/2, a closed connection needs no check: its requests reach no handler.
///
/// Costs no system call: before a handler starts, the connection is read until nothing more has arrived, or until the
/// client has sent 8 KiB of further requests.
pub(crate) fn has_hung_up(request: &HttpRequest) -> bool {
    let state = request.conn_data::<Rc<ConnectionState>>();
    state.is_some_and(|state| state.has_hung_up()) || request.extensions().contains::<Cancelled>()
}

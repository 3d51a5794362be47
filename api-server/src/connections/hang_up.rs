//! Tells a handler whether its client has hung up.

use std::rc::Rc;

use actix_web::HttpRequest;

use super::progress::Progress;

/// Returns whether the client of a request with HTTP/1.1 has closed its side of the connection, as far as the server has
/// read it. Such a client gets no response that has to wait for the database. The client of a request with HTTP/2 that is
/// cancelled, or whose connection is closed, needs no such check: `h2` discards the request, or its body.
///
/// Costs no system call: the connection is read until it has nothing more before a handler starts.
pub(crate) fn has_hung_up(request: &HttpRequest) -> bool {
    let progress = request.conn_data::<Rc<Progress>>();
    progress.is_some_and(|progress| progress.has_hung_up())
}

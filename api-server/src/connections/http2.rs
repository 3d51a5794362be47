//! Serves HTTP/2 on an encrypted connection.
//!
//! actix-http can do so as well, but with an earlier version of `h2`, without a limit of concurrent requests, with
//! headers of up to 16 MiB, and without telling the client that the server stops.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use actix_http::{HttpMessage as _, Request, Response};
use actix_server::GracefulShutdownSignal;
use actix_service::Service;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::Method;
use actix_web::web::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use h2::server::{Builder, SendResponse};
use h2::{Reason, RecvStream, SendStream};
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

use super::connection_state::InFlightRequest;
use super::hang_up::Cancelled;
use super::http2_message::{to_actix_request, to_h2_response_head};
use super::stream::WatchedStream;

/// The most requests at the same time on one connection: the least that RFC 9113 recommends.
const MAX_CONCURRENT_REQUESTS: u32 = 100;
/// The longest header of a request, in bytes, with 32 bytes added for each field (RFC 9113 § 6.5.2). With HTTP/1.1,
/// actix-http accepts up to 128 KiB.
const MAX_HEADER_BYTES: u32 = 16 * 1024;
/// The most bytes of request bodies that wait on a connection until handlers read them.
const MAX_UNREAD_BODY_BYTES: u32 = 1024 * 1024;
/// The most bytes of a response that wait until the client accepts them.
const MAX_UNSENT_BYTES: usize = 64 * 1024;

/// Serves the connection until the client closes it or, after the stop signal, until all requests are finished.
pub(super) async fn serve<App, B>(
    stream: TlsStream<WatchedStream>,
    peer: Option<SocketAddr>,
    app: &App,
    stop_signal: &GracefulShutdownSignal,
    response_timeout: Duration,
) -> Result<(), h2::Error>
where
    App: Service<Request, Response = Response<B>>,
    App::Error: Into<Response<BoxBody>>,
    B: MessageBody,
{
    let state = Rc::clone(stream.get_ref().0.state());
    state.record_http_2();
    let mut connection = Builder::new()
        .max_concurrent_streams(MAX_CONCURRENT_REQUESTS)
        .max_header_list_size(MAX_HEADER_BYTES)
        .initial_connection_window_size(MAX_UNREAD_BODY_BYTES)
        .max_send_buffer_size(MAX_UNSENT_BYTES)
        .handshake(stream)
        .await?;
    let mut running_requests = FuturesUnordered::new();
    let mut stop = pin!(stop_signal.notified());
    let mut is_stopping = false;
    loop {
        tokio::select! {
            accepted = connection.accept() => {
                let Some(accepted) = accepted else { return Ok(()) };
                let (request, responder) = accepted?;
                let in_flight_request = InFlightRequest::new(&state);
                running_requests.push(async move {
                    respond(request, responder, peer, app, response_timeout).await;
                    drop(in_flight_request);
                });
            }
            Some(()) = running_requests.next() => {}
            () = &mut stop, if !is_stopping => {
                is_stopping = true;
                connection.graceful_shutdown();
            }
        }
    }
}

/// Calls the app and sends its response. Stops early if the client cancels the request.
async fn respond<App, B>(
    request: http::Request<RecvStream>,
    mut responder: SendResponse<Bytes>,
    peer: Option<SocketAddr>,
    app: &App,
    response_timeout: Duration,
) where
    App: Service<Request, Response = Response<B>>,
    App::Error: Into<Response<BoxBody>>,
    B: MessageBody,
{
    let Some(request) = to_actix_request(request, peer) else {
        responder.send_reset(Reason::PROTOCOL_ERROR);
        return;
    };
    let is_head_request = request.method() == Method::HEAD;
    let reset = poll_fn(|context| Poll::Ready(responder.poll_reset(context))).await;
    if reset.is_ready() {
        request.extensions_mut().insert(Cancelled);
    }
    let outcome = tokio::select! {
        // The app is polled first, so that even a request that is already cancelled reaches the app, which decides
        // whether to complete it.
        biased;
        outcome = app.call(request) => outcome,
        _ = poll_fn(|context| responder.poll_reset(context)) => return,
    };
    let sent = match outcome {
        Ok(response) => send(response, is_head_request, responder, response_timeout).await,
        Err(error) => send(error.into(), is_head_request, responder, response_timeout).await,
    };
    if let Err(error) = sent {
        log::debug!("a response was not sent: {error}");
    }
}

async fn send<B: MessageBody>(
    response: Response<B>,
    is_head_request: bool,
    mut responder: SendResponse<Bytes>,
    response_timeout: Duration,
) -> Result<(), h2::Error> {
    let size = response.body().size();
    let has_body = !is_head_request && !matches!(size, BodySize::None | BodySize::Sized(0));
    let head = to_h2_response_head(response.head(), size);
    let mut stream = responder.send_response(head, !has_body)?;
    if !has_body {
        return Ok(());
    }
    let mut body = pin!(response.into_body());
    while let Some(chunk) = poll_fn(|context| body.as_mut().poll_next(context)).await {
        let Ok(chunk) = chunk else {
            stream.send_reset(Reason::INTERNAL_ERROR);
            return Ok(());
        };
        if !send_chunk(&mut stream, chunk, response_timeout).await? {
            return Ok(());
        }
    }
    stream.send_data(Bytes::new(), true)
}

/// Sends a part of the body as fast as the client accepts it. Returns whether the client has accepted all of it. If the
/// client accepts nothing within the timeout, cancels the response.
async fn send_chunk(
    stream: &mut SendStream<Bytes>,
    mut chunk: Bytes,
    response_timeout: Duration,
) -> Result<bool, h2::Error> {
    while !chunk.is_empty() {
        stream.reserve_capacity(chunk.len().min(MAX_UNSENT_BYTES));
        let capacity = poll_fn(|context| stream.poll_capacity(context));
        match timeout(response_timeout, capacity).await {
            Ok(Some(capacity)) => {
                let length = chunk.len().min(capacity?);
                stream.send_data(chunk.split_to(length), false)?;
            }
            Ok(None) => return Ok(false),
            Err(_elapsed) => {
                stream.send_reset(Reason::CANCEL);
                return Ok(false);
            }
        }
    }
    Ok(true)
}

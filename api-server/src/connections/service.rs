//! Serves HTTP/1.1 with a limit of open connections and with timeouts for each connection.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;

use actix_http::{HttpService, Protocol, Request, Response};
use actix_server::{Server, ServerBuilder};
use actix_service::{
    IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt as _, apply_fn_factory,
    map_config,
};
use actix_web::body::MessageBody;
use actix_web::dev::AppConfig;
use actix_web::rt::net::TcpStream;
use socket2::{Domain, SockRef, Socket, Type};

use super::progress::{ConnectionTimeouts, InFlightRequest, Progress};
use super::registry::{ConnectionSlot, Connections};
use super::response::WatchedBody;
use super::stream::WatchedStream;

/// Maximum number of connections that the kernel queues until the server accepts them.
const BACKLOG: i32 = 1024;

/// The limit of open connections and the timeouts of each connection.
#[derive(Clone)]
pub(crate) struct ConnectionPolicy {
    pub(crate) connections: Connections,
    pub(crate) timeouts: ConnectionTimeouts,
}

/// Returns a server on this listener. `create_app` creates the application of each worker.
pub(crate) fn serve<CreateApp, Factory, S, B>(
    builder: ServerBuilder,
    listener: TcpListener,
    policy: &ConnectionPolicy,
    create_app: CreateApp,
) -> io::Result<Server>
where
    CreateApp: Fn() -> Factory + Clone + Send + 'static,
    Factory: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<actix_web::Error> + 'static,
    S::InitError: fmt::Debug,
    S::Response: Into<Response<B>> + 'static,
    <S::Service as Service<Request>>::Future: 'static,
    B: MessageBody + 'static,
{
    let bound_address = listener.local_addr()?;
    let stop_signal = builder.graceful_shutdown_signal();
    let worker_policy = policy.clone();
    let create_service = move || {
        let app_factory = create_app().into_factory();
        let responding_app = app_factory.map_err(|error| error.into().error_response());
        let configured_app = map_config(responding_app, |()| AppConfig::default());
        let watched_app = apply_fn_factory(configured_app, |request: Request, app: &_| {
            let in_flight_request = request.conn_data().map(InFlightRequest::new);
            watched_response(in_flight_request, Service::call(app, request))
        });
        let worker_stop_signal = stop_signal.clone();
        let http_factory = HttpService::build()
            .graceful_shutdown_signal(move || {
                let connection_stop_signal = worker_stop_signal.clone();
                async move { connection_stop_signal.notified().await }
            })
            .keep_alive(worker_policy.timeouts.idle)
            .client_request_timeout(worker_policy.timeouts.header)
            // A client that closes its side of the connection has hung up, so its request stops waiting in the queue of
            // password hashes.
            .h1_allow_half_closed(false)
            .local_addr(bound_address)
            .on_connect_ext(|stream: &WatchedStream, data| {
                data.insert(Rc::clone(stream.progress()));
            })
            .finish(watched_app);
        let service_policy = worker_policy.clone();
        apply_fn_factory(http_factory, move |tcp_stream: TcpStream, service: &_| {
            let peer = tcp_stream.peer_addr().ok();
            let slot = service_policy.connections.admit(peer.map(|peer| peer.ip()));
            let stream = watched_stream(tcp_stream, &service_policy);
            let progress = Rc::clone(stream.progress());
            serve_if_admitted(slot.map(|slot| {
                let serving = Service::call(service, (stream, Protocol::Http1, peer));
                serve_until_overdue(serving, progress, service_policy.timeouts, slot)
            }))
        })
    };
    Ok(builder.listen("http", listener, create_service)?.run())
}

/// Serves a connection that has a slot. `serving` is `None` for a connection without a slot, which is already closed.
async fn serve_if_admitted<E>(
    serving: Option<impl Future<Output = Result<(), E>>>,
) -> Result<(), E> {
    match serving {
        Some(serving) => serving.await,
        None => Ok(()),
    }
}

/// Wraps the stream, and lets the kernel close the connection if the peer stops acknowledging data, even after the
/// server has written the whole response. The kernel's timeout is four times the response timeout, so that a peer
/// that is only slow is rarely cut off: the kernel also counts the time in which the peer's receive buffer is full.
fn watched_stream(stream: TcpStream, policy: &ConnectionPolicy) -> WatchedStream {
    let timeout = Some(policy.timeouts.response.saturating_mul(4));
    let _unsupported = SockRef::from(&stream).set_tcp_user_timeout(timeout);
    WatchedStream::new(stream, Rc::new(Progress::new()))
}

/// Returns the response with a body that keeps the request in flight until the body is dropped.
async fn watched_response<R, B, E>(
    in_flight_request: Option<InFlightRequest>,
    response: impl Future<Output = Result<R, E>>,
) -> Result<Response<WatchedBody>, E>
where
    R: Into<Response<B>>,
    B: MessageBody + 'static,
{
    let response = response.await?.into();
    Ok(response.map_body(|_, body| WatchedBody::new(body.boxed(), in_flight_request)))
}

/// Serves a connection until the connection ends, exceeds a timeout or is evicted.
async fn serve_until_overdue<E>(
    serving: impl Future<Output = Result<(), E>>,
    progress: Rc<Progress>,
    timeouts: ConnectionTimeouts,
    mut slot: ConnectionSlot,
) -> Result<(), E> {
    tokio::select! {
        biased;
        outcome = serving => outcome,
        () = progress.wait_until_overdue(timeouts) => Ok(()),
        () = slot.wait_until_evicted() => Ok(()),
    }
}

/// Listens at this address. With port 0, the listener has a free port.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

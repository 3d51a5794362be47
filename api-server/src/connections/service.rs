//! HTTP/1.1 over watched connections, on every worker.

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

use super::progress::{ConnectionTimeouts, InFlight, Progress};
use super::registry::{ConnectionSlot, Connections};
use super::response::WatchedBody;
use super::stream::WatchedStream;

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1024;

/// How the server treats its connections.
#[derive(Clone)]
pub(crate) struct ConnectionPolicy {
    pub(crate) connections: Connections,
    pub(crate) timeouts: ConnectionTimeouts,
}

/// Listens at `address` and serves there what `app` makes for each worker of `builder`.
pub(crate) fn serve<App, Factory, S, B>(
    builder: ServerBuilder,
    address: SocketAddr,
    policy: &ConnectionPolicy,
    app: App,
) -> io::Result<(Server, SocketAddr)>
where
    App: Fn() -> Factory + Clone + Send + 'static,
    Factory: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<actix_web::Error> + 'static,
    S::InitError: fmt::Debug,
    S::Response: Into<Response<B>> + 'static,
    <S::Service as Service<Request>>::Future: 'static,
    B: MessageBody + 'static,
{
    let listener = listen(address)?;
    let address = listener.local_addr()?;
    let stop = builder.graceful_shutdown_signal();
    let policy = policy.clone();
    let service = move || {
        let app = app().into_factory();
        let app = app.map_err(|error| error.into().error_response());
        let app = map_config(app, |()| AppConfig::default());
        let app = apply_fn_factory(app, |request: Request, app: &_| {
            let in_flight = request.conn_data().map(InFlight::new);
            respond(in_flight, Service::call(app, request))
        });
        let stop = stop.clone();
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stop = stop.clone();
                async move { stop.notified().await }
            })
            .keep_alive(policy.timeouts.idle)
            .client_request_timeout(policy.timeouts.header)
            // Cancels a request whose caller hung up, so that it leaves the queue for hashing.
            .h1_allow_half_closed(false)
            .local_addr(address)
            .on_connect_ext(|stream: &WatchedStream, data| {
                data.insert(Rc::clone(stream.progress()));
            })
            .finish(app);
        let policy = policy.clone();
        apply_fn_factory(http, move |stream: TcpStream, http: &_| {
            let peer = stream.peer_addr().ok();
            let slot = policy.connections.admit(peer.map(|peer| peer.ip()));
            let stream = watch(stream, &policy);
            let progress = Rc::clone(stream.progress());
            if_admitted(slot.map(|slot| {
                let served = Service::call(http, (stream, Protocol::Http1, peer));
                until_overdue(served, progress, policy.timeouts, slot)
            }))
        })
    };
    let server = builder.listen("http", listener, service)?.run();
    Ok((server, address))
}

/// Serves the connection that got a slot; without one it is closed at once.
async fn if_admitted<E>(serving: Option<impl Future<Output = Result<(), E>>>) -> Result<(), E> {
    match serving {
        Some(serving) => serving.await,
        None => Ok(()),
    }
}

/// Lets the system close a connection whose peer vanished, or closed its window while no response was being written. The time
/// is longer than that of [`Progress`], because it also runs while a small window opens too rarely.
fn watch(stream: TcpStream, policy: &ConnectionPolicy) -> WatchedStream {
    let timeout = Some(policy.timeouts.response.saturating_mul(4));
    let _unsupported = SockRef::from(&stream).set_tcp_user_timeout(timeout);
    WatchedStream::new(stream, Rc::new(Progress::new()))
}

/// The response, with the request in flight until it is written.
async fn respond<R, B, E>(
    in_flight: Option<InFlight>,
    response: impl Future<Output = Result<R, E>>,
) -> Result<Response<WatchedBody>, E>
where
    R: Into<Response<B>>,
    B: MessageBody + 'static,
{
    let response = response.await?.into();
    Ok(response.map_body(|_, body| WatchedBody::new(body.boxed(), in_flight)))
}

/// Serves a connection until it ends, is overdue or has to make room.
async fn until_overdue<E>(
    serving: impl Future<Output = Result<(), E>>,
    progress: Rc<Progress>,
    timeouts: ConnectionTimeouts,
    mut slot: ConnectionSlot,
) -> Result<(), E> {
    tokio::select! {
        biased;
        served = serving => served,
        () = progress.overdue(timeouts) => Ok(()),
        () = slot.evicted() => Ok(()),
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

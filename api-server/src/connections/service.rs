//! Serves HTTP/1.1 and, on encrypted connections, HTTP/2, with a limit of open connections and with timeouts for each
//! connection.

use std::fmt;
use std::future::ready;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;

use actix_http::{HttpService, Protocol, Request, Response};
use actix_server::{GracefulShutdownSignal, Server, ServerBuilder};
use actix_service::{
    IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt as _, apply_fn_factory,
    fn_factory, fn_service, map_config,
};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::AppConfig;
use actix_web::rt::net::TcpStream;
use socket2::{Domain, SockRef, Socket, Type};
use tokio::time::timeout;

use super::client_stream::ClientStream;
use super::connection_state::{ConnectionState, ConnectionTimeouts, InFlightRequest};
use super::http1_stream::Http1Stream;
use super::http2;
use super::pipeline_gate::body_length;
use super::registry::{ConnectionSlot, Connections};
use super::response::WatchedBody;
use super::stream::WatchedStream;
use super::tls::{ALPN_HTTP_2, Tls};

/// Maximum number of connections that the kernel queues until the server accepts them.
const BACKLOG: i32 = 1024;

/// The limit of open connections, the timeouts of each connection, and the certificate.
#[derive(Clone)]
pub(crate) struct ConnectionPolicy {
    pub(crate) connections: Connections,
    pub(crate) timeouts: ConnectionTimeouts,
    /// The certificate with which connections are encrypted; `None` for plain connections.
    pub(crate) tls: Option<Tls>,
}

/// A connection, its protocol and the address of the client, in the form that actix-http requires.
type ClientConnection = (Http1Stream, Protocol, Option<SocketAddr>);

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
            let state = request.conn_data::<Rc<ConnectionState>>();
            if let Some(state) = state {
                state.pipeline_gate.record_request(body_length(&request));
            }
            let in_flight_request = state.map(InFlightRequest::new);
            watched_response(in_flight_request, Service::call(app, request))
        });
        let watched_app = Rc::new(watched_app);
        let (policy, stop_signal) = (worker_policy.clone(), stop_signal.clone());
        fn_factory(move || {
            let app_factory = Rc::clone(&watched_app);
            let (policy, stop_signal) = (policy.clone(), stop_signal.clone());
            async move {
                let app = app_factory.new_service(()).await;
                let app = Rc::new(app.map_err(|error| log::error!("{error:?}"))?);
                let http_1 = new_http_1(
                    Rc::clone(&app),
                    bound_address,
                    policy.timeouts,
                    stop_signal.clone(),
                );
                let http_1 = http_1.new_service(()).await?;
                let worker = Rc::new(Worker {
                    app,
                    http_1,
                    policy,
                    stop_signal,
                });
                Ok::<_, ()>(fn_service(move |tcp_stream: TcpStream| {
                    let worker = Rc::clone(&worker);
                    async move {
                        worker.serve(tcp_stream).await;
                        Ok::<(), ()>(())
                    }
                }))
            }
        })
    };
    Ok(builder.listen("http", listener, create_service)?.run())
}

/// Returns the service that speaks HTTP/1.1.
fn new_http_1<App>(
    app: Rc<App>,
    bound_address: SocketAddr,
    timeouts: ConnectionTimeouts,
    stop_signal: GracefulShutdownSignal,
) -> impl ServiceFactory<ClientConnection, Config = (), Response = (), InitError = ()>
where
    App: Service<Request, Response = Response<WatchedBody>> + 'static,
    App::Error: Into<Response<BoxBody>> + 'static,
    App::Future: 'static,
{
    let app_factory = fn_factory(move || ready(Ok::<_, ()>(Rc::clone(&app))));
    HttpService::build()
        .graceful_shutdown_signal(move || {
            let connection_stop_signal = stop_signal.clone();
            async move { connection_stop_signal.notified().await }
        })
        .keep_alive(timeouts.idle)
        .client_request_timeout(timeouts.header)
        // Treats a client that closes its side of the connection as one that has hung up, so that its request does not
        // stay in the queue for password hashing.
        .h1_allow_half_closed(false)
        .local_addr(bound_address)
        .on_connect_ext(|stream: &Http1Stream, data| {
            data.insert(Rc::clone(stream.state()));
        })
        .finish(app_factory)
}

/// The services and settings with which a worker thread serves connections.
struct Worker<App, Http1> {
    app: Rc<App>,
    http_1: Http1,
    policy: ConnectionPolicy,
    stop_signal: GracefulShutdownSignal,
}

impl<App, Http1> Worker<App, Http1>
where
    App: Service<Request, Response = Response<WatchedBody>>,
    App::Error: Into<Response<BoxBody>>,
    Http1: Service<ClientConnection>,
{
    /// Serves a connection until it ends, exceeds a timeout or is evicted. Closes it at once if there is no slot for
    /// it.
    async fn serve(&self, tcp_stream: TcpStream) {
        let peer = tcp_stream.peer_addr().ok();
        let Some(slot) = self.policy.connections.admit(peer.map(|peer| peer.ip())) else {
            return;
        };
        let timeouts = self.policy.timeouts;
        set_socket_options(&tcp_stream, timeouts);
        let state = Rc::new(ConnectionState::new());
        let stream = WatchedStream::new(tcp_stream, Rc::clone(&state));
        match &self.policy.tls {
            None => {
                let stream = Http1Stream::new(ClientStream::Plain(stream));
                let connection = (stream, Protocol::Http1, peer);
                let serving = self.http_1.call(connection);
                serve_until_overdue(serving, state, timeouts, slot).await;
            }
            Some(tls) => {
                let serving = Box::pin(self.serve_encrypted(stream, peer, tls));
                serve_until_overdue(serving, state, timeouts, slot).await;
            }
        }
    }

    /// Encrypts the connection, and serves it in the negotiated protocol. The timeout of a header also limits the
    /// handshake.
    async fn serve_encrypted(&self, stream: WatchedStream, peer: Option<SocketAddr>, tls: &Tls) {
        let handshake = tls.acceptor().accept(stream);
        let stream = match timeout(self.policy.timeouts.header, handshake).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return log::debug!("a TLS handshake failed: {error}"),
            Err(_elapsed) => return log::debug!("a TLS handshake took too long"),
        };
        if stream.get_ref().1.alpn_protocol() == Some(ALPN_HTTP_2) {
            let response_timeout = self.policy.timeouts.response;
            let serving = http2::serve(
                stream,
                peer,
                &*self.app,
                &self.stop_signal,
                response_timeout,
            );
            if let Err(error) = serving.await {
                log::debug!("a connection with HTTP/2 failed: {error}");
            }
            return;
        }
        let stream = Http1Stream::new(ClientStream::Encrypted(Box::new(stream)));
        let _closed = self.http_1.call((stream, Protocol::Http1, peer)).await;
    }
}

/// Makes the kernel send each write at once. Otherwise a write waits until the client acknowledges the previous write,
/// which can take 40 ms. This would delay the first response after a TLS handshake and, with HTTP/2, response bodies.
///
/// Makes the kernel close the connection if the peer stops acknowledging data, even after the server has written the
/// whole response. The kernel's timeout is four times the response timeout, so that a peer that is only slow is rarely
/// cut off: the kernel also counts the time in which the peer's receive buffer is full.
fn set_socket_options(stream: &TcpStream, timeouts: ConnectionTimeouts) {
    let _closed = stream.set_nodelay(true);
    let timeout = Some(timeouts.response.saturating_mul(4));
    let _unsupported = SockRef::from(stream).set_tcp_user_timeout(timeout);
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

/// Serves a connection until `serving` ends, or the connection exceeds a timeout or is evicted.
async fn serve_until_overdue(
    serving: impl Future,
    state: Rc<ConnectionState>,
    timeouts: ConnectionTimeouts,
    mut slot: ConnectionSlot,
) {
    tokio::select! {
        biased;
        _ = serving => {}
        () = state.wait_until_overdue(timeouts) => {}
        () = slot.wait_until_evicted() => {}
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ConnectionTimeouts, SockRef, TcpStream, listen, set_socket_options};

    #[actix_web::test]
    async fn a_write_is_sent_at_once_and_a_silent_peer_is_closed_after_four_response_timeouts() {
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let timeouts = ConnectionTimeouts {
            header: Duration::from_secs(1),
            idle: Duration::from_secs(2),
            response: Duration::from_secs(3),
        };
        set_socket_options(&stream, timeouts);
        assert!(stream.nodelay().unwrap());
        let user_timeout = SockRef::from(&stream).tcp_user_timeout().unwrap();
        assert_eq!(user_timeout, Some(Duration::from_secs(12)));
    }
}

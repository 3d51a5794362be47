//! HTTP/1.1 over watched connections, on every worker.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::time::Duration;

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

use super::progress::{InFlight, Patience, Progress};
use super::registry::Connections;
use super::response::WatchedBody;
use super::stream::WatchedStream;

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1024;

/// How the server treats its connections.
#[derive(Clone)]
pub(crate) struct Policy {
    pub(crate) connections: Connections,
    pub(crate) patience: Patience,
}

/// Listens there as `builder` says; serves what `app` makes for each worker.
pub(crate) fn serve<App, Factory, S, B>(
    builder: ServerBuilder,
    address: SocketAddr,
    policy: &Policy,
    app: App,
) -> io::Result<(Server, SocketAddr)>
where
    App: Fn() -> Factory + Clone + Send + 'static,
    Factory: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig, Response = actix_web::dev::ServiceResponse<B>>
        + 'static,
    S::Error: Into<actix_web::Error> + 'static,
    S::InitError: fmt::Debug,
    <S::Service as Service<Request>>::Future: 'static,
    B: MessageBody + 'static,
{
    todo!()
}

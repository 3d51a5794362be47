//! The table on tonic, over real gRPC, with a service written by hand.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use auth_core::{Caller, RequireCaller};
use bytes::{Buf as _, BufMut as _};
use http::uri::PathAndQuery;
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::{AsciiMetadataKey, MetadataValue};
use tonic::server::{Grpc, NamedService};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Response, Status};
use tower_layer::Layer as _;
use tower_service::Service;

use crate::table::{Case, Place, every_refusal};
use crate::world;

/// Messages are text, as it is.
#[derive(Clone, Copy)]
struct Text;

impl Codec for Text {
    type Encode = String;
    type Decode = String;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Text {
    type Item = String;
    type Error = Status;

    fn encode(&mut self, text: String, target: &mut EncodeBuf<'_>) -> Result<(), Status> {
        target.put_slice(text.as_bytes());
        Ok(())
    }
}

impl Decoder for Text {
    type Item = String;
    type Error = Status;

    fn decode(&mut self, source: &mut DecodeBuf<'_>) -> Result<Option<String>, Status> {
        let bytes = source.copy_to_bytes(source.remaining());
        Ok(Some(String::from_utf8(bytes.to_vec()).unwrap()))
    }
}

type Answering<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// Answers with the caller's id; the message names whose thing it is.
#[derive(Clone)]
struct Things;

impl Service<Request<String>> for Things {
    type Response = Response<String>;
    type Error = Status;
    type Future = Answering<Response<String>, Status>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<String>) -> Self::Future {
        let answer = || {
            let caller = Caller::of(&request)?;
            caller.require_owner(request.get_ref())?;
            Ok(Response::new(caller.sub.clone()))
        };
        let answer = answer();
        Box::pin(async { answer })
    }
}

#[derive(Clone)]
struct Probe<const PLACE: char>;

impl NamedService for Probe<'w'> {
    const NAME: &'static str = "test.Wired";
}

impl NamedService for Probe<'l'> {
    const NAME: &'static str = "test.Layered";
}

impl NamedService for Probe<'u'> {
    const NAME: &'static str = "test.Unwired";
}

impl NamedService for Probe<'o'> {
    const NAME: &'static str = "test.Outdated";
}

impl NamedService for Probe<'a'> {
    const NAME: &'static str = "test.Away";
}

impl<const PLACE: char> Service<http::Request<Body>> for Probe<PLACE> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answering<http::Response<Body>, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async { Ok(Grpc::new(Text).unary(Things, request).await) })
    }
}

async fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let guard = RequireCaller::new(world::authority());
    let outdated = RequireCaller::new(world::outdated());
    let server = Server::builder()
        .add_service(guard.layer(Probe::<'l'>))
        .add_service(InterceptedService::new(Probe::<'w'>, guard))
        .add_service(InterceptedService::new(Probe::<'o'>, outdated))
        .add_service(RequireCaller::new(world::away()).layer(Probe::<'a'>))
        .add_service(Probe::<'u'>);
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    address
}

async fn connect() -> Channel {
    let server = Endpoint::try_from(format!("http://{}", start().await));
    server.unwrap().connect().await.unwrap()
}

/// Behind the interceptor, the layer or nothing.
const fn paths(place: Place) -> &'static [&'static str] {
    match place {
        Place::Own | Place::Another => &["/test.Wired/Ask", "/test.Layered/Ask"],
        Place::Unwired => &["/test.Unwired/Ask"],
        Place::Outdated => &["/test.Outdated/Ask"],
        Place::Away => &["/test.Away/Ask"],
    }
}

async fn ask(
    channel: &Channel,
    path: &'static str,
    place: Place,
    fields: &[(&'static str, String)],
) -> Result<String, Status> {
    let owner = if place == Place::Another { "43" } else { "42" };
    let mut request = Request::new(owner.to_owned());
    for (name, value) in fields {
        let value = MetadataValue::try_from(value).unwrap();
        request
            .metadata_mut()
            .append(AsciiMetadataKey::from_static(name), value);
    }
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.unwrap();
    let answer = client
        .unary(request, PathAndQuery::from_static(path), Text)
        .await;
    answer.map(Response::into_inner)
}

fn code(status: u16) -> Code {
    match status {
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        500 => Code::Internal,
        503 => Code::Unavailable,
        _ => panic!("no gRPC code stands for {status}"),
    }
}

fn check(case: &Case, status: &Status) {
    let name = &case.name;
    assert_eq!(status.code(), code(case.expected.status), "{name}");
    let details = std::str::from_utf8(status.details()).unwrap();
    assert_eq!(details, case.expected.body, "{name}");
    for (field, expected) in [
        ("www-authenticate", &case.expected.challenge),
        ("retry-after", &case.expected.retry_after),
    ] {
        let mut values = status.metadata().get_all(field).iter();
        let value = values.next().map(|value| value.to_str().unwrap());
        assert_eq!(value, expected.as_deref(), "{name}");
        assert!(values.next().is_none(), "{name}");
    }
}

#[tokio::test]
async fn tonic_refuses_everything_in_the_table() {
    let channel = connect().await;
    for case in every_refusal() {
        for path in paths(case.place) {
            let refused = ask(&channel, path, case.place, &case.fields).await;
            check(&case, &refused.unwrap_err());
        }
    }
}

#[tokio::test]
async fn tonic_lets_a_known_caller_through() {
    let bearer = ("authorization", format!("Bearer {}", world::good()));
    let channel = connect().await;
    for path in paths(Place::Own) {
        let answer = ask(&channel, path, Place::Own, std::slice::from_ref(&bearer)).await;
        assert_eq!(answer.unwrap(), "42");
    }
}

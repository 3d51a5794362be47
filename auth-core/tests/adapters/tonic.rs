//! Tests that tonic services refuse the requests of `table.rs` as expected, and accept a valid caller. The services are
//! written by hand, without generated code.

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

use crate::fixtures;
use crate::table::{Case, Target, refused_requests};

/// Encodes and decodes messages as plain text.
#[derive(Clone, Copy)]
struct TextCodec;

impl Codec for TextCodec {
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

impl Encoder for TextCodec {
    type Item = String;
    type Error = Status;

    fn encode(&mut self, text: String, target: &mut EncodeBuf<'_>) -> Result<(), Status> {
        target.put_slice(text.as_bytes());
        Ok(())
    }
}

impl Decoder for TextCodec {
    type Item = String;
    type Error = Status;

    fn decode(&mut self, source: &mut DecodeBuf<'_>) -> Result<Option<String>, Status> {
        let bytes = source.copy_to_bytes(source.remaining());
        Ok(Some(String::from_utf8(bytes.to_vec()).unwrap()))
    }
}

type BoxFuture<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// Responds with the id of the caller if the message of the request is the same id.
#[derive(Clone)]
struct Notes;

impl Service<Request<String>> for Notes {
    type Response = Response<String>;
    type Error = Status;
    type Future = BoxFuture<Response<String>, Status>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<String>) -> Self::Future {
        let respond = || {
            let caller = Caller::of(&request)?;
            caller.require_owner(request.get_ref())?;
            Ok(Response::new(caller.sub.clone()))
        };
        let response = respond();
        Box::pin(async { response })
    }
}

/// A gRPC service. The letter selects the name of the service.
#[derive(Clone)]
struct Probe<const LETTER: char>;

impl NamedService for Probe<'i'> {
    const NAME: &'static str = "test.Intercepted";
}

impl NamedService for Probe<'l'> {
    const NAME: &'static str = "test.Layered";
}

impl NamedService for Probe<'n'> {
    const NAME: &'static str = "test.NoAuthority";
}

impl NamedService for Probe<'s'> {
    const NAME: &'static str = "test.StaleFeed";
}

impl NamedService for Probe<'u'> {
    const NAME: &'static str = "test.Unreachable";
}

impl<const LETTER: char> Service<http::Request<Body>> for Probe<LETTER> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<http::Response<Body>, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async { Ok(Grpc::new(TextCodec).unary(Notes, request).await) })
    }
}

/// Starts the services on a free port and returns the socket address.
async fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let socket_address = listener.local_addr().unwrap();
    let guard = RequireCaller::new(fixtures::authority());
    let stale_feed_guard = RequireCaller::new(fixtures::authority_with_stale_feed());
    let server = Server::builder()
        .add_service(guard.layer(Probe::<'l'>))
        .add_service(InterceptedService::new(Probe::<'i'>, guard))
        .add_service(InterceptedService::new(Probe::<'s'>, stale_feed_guard))
        .add_service(RequireCaller::new(fixtures::unreachable_authority()).layer(Probe::<'u'>))
        .add_service(Probe::<'n'>);
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    socket_address
}

async fn start_and_connect() -> Channel {
    let endpoint = Endpoint::try_from(format!("http://{}", start().await));
    endpoint.unwrap().connect().await.unwrap()
}

/// Returns the paths of the gRPC methods of a target. `User42` and `OtherUser` have two methods: `RequireCaller` is an
/// interceptor in front of the first method, and a tower layer in front of the second.
const fn method_paths(target: Target) -> &'static [&'static str] {
    match target {
        Target::User42 | Target::OtherUser => &["/test.Intercepted/Call", "/test.Layered/Call"],
        Target::NoAuthority => &["/test.NoAuthority/Call"],
        Target::StaleFeed => &["/test.StaleFeed/Call"],
        Target::Unreachable => &["/test.Unreachable/Call"],
    }
}

async fn call(
    channel: &Channel,
    path: &'static str,
    target: Target,
    fields: &[(&'static str, String)],
) -> Result<String, Status> {
    let owner = if target == Target::OtherUser {
        "43"
    } else {
        "42"
    };
    let mut request = Request::new(owner.to_owned());
    for (name, value) in fields {
        let metadata_value = MetadataValue::try_from(value).unwrap();
        request
            .metadata_mut()
            .append(AsciiMetadataKey::from_static(name), metadata_value);
    }
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.unwrap();
    let response = client
        .unary(request, PathAndQuery::from_static(path), TextCodec)
        .await;
    response.map(Response::into_inner)
}

fn grpc_code(status: u16) -> Code {
    match status {
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        500 => Code::Internal,
        503 => Code::Unavailable,
        _ => panic!("no gRPC code stands for {status}"),
    }
}

fn assert_refused(case: &Case, status: &Status) {
    let name = &case.name;
    assert_eq!(status.code(), grpc_code(case.expected.status), "{name}");
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
async fn tonic_sends_every_refusal_of_the_table() {
    let channel = start_and_connect().await;
    for case in refused_requests() {
        for path in method_paths(case.target) {
            let result = call(&channel, path, case.target, &case.fields).await;
            assert_refused(&case, &result.unwrap_err());
        }
    }
}

#[tokio::test]
async fn tonic_accepts_a_valid_caller() {
    let bearer = (
        "authorization",
        format!("Bearer {}", fixtures::valid_token()),
    );
    let channel = start_and_connect().await;
    for path in method_paths(Target::User42) {
        let response = call(
            &channel,
            path,
            Target::User42,
            std::slice::from_ref(&bearer),
        )
        .await;
        assert_eq!(response.unwrap(), "42");
    }
}

//! Tests that tonic services refuse the requests of `table.rs` as expected, and accept a valid caller. The services are
//! written by hand, without generated code.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use auth_core::{Caller, RequireCaller, RequireRole, RequireScope};
use bytes::{Buf as _, BufMut as _};
use http::uri::PathAndQuery;
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::{AsciiMetadataKey, MetadataValue};
use tonic::server::{Grpc, NamedService};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::server::Router;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Response, Status};
use tower_layer::Layer as _;
use tower_service::Service;

use crate::fixtures::{self, Plan};
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

/// Responds with the caller's plan if `responds_with_plan`; otherwise with the caller's id, if the message of the
/// request is the same id.
#[derive(Clone)]
struct Notes {
    responds_with_plan: bool,
}

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
            if self.responds_with_plan {
                let Plan { plan } = caller.custom()?;
                return Ok(Response::new(plan));
            }
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

/// Implements `NamedService` for the service of each letter.
macro_rules! named_services {
    ($($letter:literal $name:literal,)*) => {
        $(impl NamedService for Probe<$letter> {
            const NAME: &'static str = concat!("test.", $name);
        })*
    };
}

named_services! {
    'i' "Intercepted",
    'l' "Layered",
    'n' "NoAuthority",
    's' "StaleFeed",
    'u' "Unreachable",
    'a' "AnyRoleLayered",
    'A' "AnyRoleIntercepted",
    'b' "EveryRoleLayered",
    'B' "EveryRoleIntercepted",
    'c' "AnyScopeLayered",
    'C' "AnyScopeIntercepted",
    'd' "EveryScopeLayered",
    'D' "EveryScopeIntercepted",
    'p' "PlanLayered",
    'P' "PlanIntercepted",
    'x' "RoleWithoutCallerLayered",
    'X' "RoleWithoutCallerIntercepted",
}

impl<const LETTER: char> Service<http::Request<Body>> for Probe<LETTER> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<http::Response<Body>, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let notes = Notes {
            responds_with_plan: matches!(LETTER, 'p' | 'P'),
        };
        Box::pin(async { Ok(Grpc::new(TextCodec).unary(notes, request).await) })
    }
}

/// Starts the services on a free port and returns the socket address.
async fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let socket_address = listener.local_addr().unwrap();
    let guard = RequireCaller::new(fixtures::authority());
    let stale_feed_guard = RequireCaller::new(fixtures::authority_with_stale_feed());
    let server = add_guarded_services(Server::builder().add_service(Probe::<'n'>))
        .add_service(guard.layer(Probe::<'l'>))
        .add_service(guard.layer(Probe::<'p'>))
        .add_service(InterceptedService::new(Probe::<'P'>, guard.clone()))
        .add_service(InterceptedService::new(Probe::<'i'>, guard))
        .add_service(InterceptedService::new(Probe::<'s'>, stale_feed_guard))
        .add_service(RequireCaller::new(fixtures::unreachable_authority()).layer(Probe::<'u'>));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    socket_address
}

/// Adds the services behind guards of roles and scopes, each as a layer and as an interceptor.
fn add_guarded_services(router: Router) -> Router {
    let caller_guard = RequireCaller::new(fixtures::authority());
    let (roles, scopes) = (["admin", "editor"], ["tasks:read", "tasks:write"]);
    let any_role = RequireRole::any_of(roles).unwrap();
    let every_role = RequireRole::all_of(roles).unwrap();
    let any_scope = RequireScope::any_of(scopes).unwrap();
    let every_scope = RequireScope::all_of(scopes).unwrap();
    router
        .add_service(caller_guard.layer(any_role.layer(Probe::<'a'>)))
        .add_service(caller_guard.layer(every_role.layer(Probe::<'b'>)))
        .add_service(caller_guard.layer(any_scope.layer(Probe::<'c'>)))
        .add_service(caller_guard.layer(every_scope.layer(Probe::<'d'>)))
        .add_service(any_role.layer(Probe::<'x'>))
        .add_service(InterceptedService::new(Probe::<'X'>, any_role.clone()))
        .add_service(intercepted(Probe::<'A'>, any_role))
        .add_service(intercepted(Probe::<'B'>, every_role))
        .add_service(intercepted(Probe::<'C'>, any_scope))
        .add_service(intercepted(Probe::<'D'>, every_scope))
}

/// Returns the service behind `RequireCaller` and another guard.
fn intercepted<S, G>(
    service: S,
    guard: G,
) -> InterceptedService<InterceptedService<S, G>, RequireCaller> {
    let caller_guard = RequireCaller::new(fixtures::authority());
    InterceptedService::new(InterceptedService::new(service, guard), caller_guard)
}

async fn start_and_connect() -> Channel {
    let endpoint = Endpoint::try_from(format!("http://{}", start().await));
    endpoint.unwrap().connect().await.unwrap()
}

/// Returns the paths of the gRPC methods of a target. The guards of a service `…Layered` are tower layers, those of
/// `…Intercepted` are interceptors.
const fn method_paths(target: Target) -> &'static [&'static str] {
    match target {
        Target::User42 => &[
            "/test.Layered/Call",
            "/test.Intercepted/Call",
            "/test.AnyRoleLayered/Call",
            "/test.EveryScopeIntercepted/Call",
            "/test.PlanLayered/Call",
        ],
        Target::OtherUser => &["/test.Layered/Call", "/test.Intercepted/Call"],
        Target::AnyRole => &["/test.AnyRoleLayered/Call", "/test.AnyRoleIntercepted/Call"],
        Target::EveryRole => &[
            "/test.EveryRoleLayered/Call",
            "/test.EveryRoleIntercepted/Call",
        ],
        Target::AnyScope => &[
            "/test.AnyScopeLayered/Call",
            "/test.AnyScopeIntercepted/Call",
        ],
        Target::EveryScope => &[
            "/test.EveryScopeLayered/Call",
            "/test.EveryScopeIntercepted/Call",
        ],
        Target::Plan => &["/test.PlanLayered/Call", "/test.PlanIntercepted/Call"],
        Target::NoAuthority => &[
            "/test.NoAuthority/Call",
            "/test.RoleWithoutCallerLayered/Call",
            "/test.RoleWithoutCallerIntercepted/Call",
        ],
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
    let channel = start_and_connect().await;
    let targets = [
        Target::User42,
        Target::AnyRole,
        Target::EveryRole,
        Target::AnyScope,
        Target::EveryScope,
        Target::Plan,
    ];
    for target in targets {
        for path in method_paths(target) {
            let bearer = format!("Bearer {}", fixtures::token_with_every_grant());
            let response = call(&channel, path, target, &[("authorization", bearer)]).await;
            let is_plan = path.contains("Plan");
            assert_eq!(
                response.unwrap(),
                if is_plan { "pro" } else { "42" },
                "{path}"
            );
        }
    }
}

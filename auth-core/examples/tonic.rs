//! A tonic service that accepts the tokens of an `api-server`. The service has a public method, a method for every
//! caller with a token, and a method for the one user whose id is the message.
//!
//! Messages are plain text and the service has no generated code, so no `protoc` is needed. Generated code would be
//! used as `NotesServer::with_interceptor(notes, RequireCaller::new(verifier))`.
//!
//! ```sh
//! AUTH_SECRET=… cargo run --example tonic --features tonic
//! ```

use std::convert::Infallible;
use std::env;
use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use auth_core::{Caller, Keyring, RequireCaller, Secret, TokenVerifier};
use bytes::{Buf as _, BufMut as _};
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{Grpc, NamedService};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;
use tonic::{Request, Response, Status};
use tower_service::Service;

/// Needs no credentials.
fn hello(request: &Request<String>) -> Result<String, Status> {
    match request.get_ref().as_str() {
        "" => Err(Status::invalid_argument("The name is empty")),
        name => Ok(format!("Hello, {name}")),
    }
}

/// Responds `UNAUTHENTICATED` without a valid token.
fn me(request: &Request<String>) -> Result<String, Status> {
    Ok(Caller::of(request)?.sub.clone())
}

/// Responds `PERMISSION_DENIED` to a caller whose id differs from the message.
fn notes(request: &Request<String>) -> Result<String, Status> {
    let owner_id = request.get_ref();
    Caller::of(request)?.require_owner(owner_id)?;
    Ok(format!("The notes of {owner_id}"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let read_setting = |name, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
    let secret = Secret::new(env::var("AUTH_SECRET")?)?;
    let issuer = read_setting("AUTH_ISSUER", "api-server");
    let audience = read_setting("AUTH_AUDIENCE", "api");
    let verifier = TokenVerifier::new(Keyring::new(secret), issuer, audience)?;
    Server::builder()
        .add_service(Methods::<PUBLIC>)
        .add_service(InterceptedService::new(
            Methods::<GUARDED>,
            RequireCaller::new(verifier),
        ))
        .serve(read_setting("BIND_ADDR", "127.0.0.1:3000").parse()?)
        .await?;
    Ok(())
}

// Generated code would replace the code below.

type Method = fn(&Request<String>) -> Result<String, Status>;

fn find_method(path: &str) -> Option<Method> {
    match path {
        "/example.Greeter/Hello" => Some(hello),
        "/example.Notes/Me" => Some(me),
        "/example.Notes/List" => Some(notes),
        _ => None,
    }
}

const PUBLIC: bool = false;
const GUARDED: bool = true;

/// One of two gRPC services: `Greeter` is public, and `Notes` is behind `RequireCaller`.
#[derive(Clone)]
struct Methods<const IS_GUARDED: bool>;

impl NamedService for Methods<PUBLIC> {
    const NAME: &'static str = "example.Greeter";
}

impl NamedService for Methods<GUARDED> {
    const NAME: &'static str = "example.Notes";
}

type BoxFuture<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

impl<const IS_GUARDED: bool> Service<http::Request<Body>> for Methods<IS_GUARDED> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<http::Response<Body>, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let method = find_method(request.uri().path());
        Box::pin(async move {
            Ok(match method {
                Some(method) => Grpc::new(TextCodec).unary(Unary(method), request).await,
                None => Status::unimplemented("There is no such method").into_http(),
            })
        })
    }
}

struct Unary(Method);

impl Service<Request<String>> for Unary {
    type Response = Response<String>;
    type Error = Status;
    type Future = BoxFuture<Response<String>, Status>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<String>) -> Self::Future {
        let response = (self.0)(&request).map(Response::new);
        Box::pin(async { response })
    }
}

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

    fn encode(&mut self, text: String, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(text.as_bytes());
        Ok(())
    }
}

impl Decoder for TextCodec {
    type Item = String;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<String>, Status> {
        let bytes = buffer.copy_to_bytes(buffer.remaining());
        match String::from_utf8(bytes.to_vec()) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(Status::invalid_argument("The message is not UTF-8")),
        }
    }
}

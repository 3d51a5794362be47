//! Tests the guards in a service of hyper without a framework, with its own type of response body (`with_body`): they
//! must refuse the requests of `table.rs` as expected, and accept a valid caller.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll};
use std::thread;

use auth_core::{Authority, Caller, RequireCaller, RequireRole, RequireScope};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tower_layer::{Identity, Layer};
use tower_service::Service;

use crate::fixtures::Plan;
use crate::{fixtures, http};

type Body = Full<Bytes>;

fn new_body(text: String) -> Body {
    Full::from(text)
}

/// Responds with the custom claim `plan` at `…/plan`, and with the id of the caller elsewhere.
#[derive(Clone)]
struct Handler;

impl Service<Request<Incoming>> for Handler {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let caller = request.extensions().get::<Caller>().unwrap();
        let result = if request.uri().path().ends_with("/plan") {
            caller.custom().map(|Plan { plan }| plan)
        } else {
            Ok(caller.sub.clone())
        };
        ready(Ok(match result {
            Ok(text) => Response::new(new_body(text)),
            Err(refusal) => refusal.into_http_response(new_body),
        }))
    }
}

struct Authorities {
    local: Authority,
    with_stale_feed: Authority,
    unreachable: Authority,
}

/// Calls the handler behind `guard` and, for paths in `/guarded`, also behind `RequireCaller`.
async fn call_behind<G>(
    guard: G,
    authorities: &Authorities,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Infallible>
where
    G: Layer<Handler>,
    G::Service: Service<
            Request<Incoming>,
            Response = Response<Body>,
            Error = Infallible,
            Future: Send + 'static,
        > + Clone
        + Send
        + 'static,
{
    let mut service = guard.layer(Handler);
    let place = request.uri().path().rsplit_once('/').unwrap().0.to_owned();
    let authority = match place.split('/').nth(1) {
        Some("stale-feed") => &authorities.with_stale_feed,
        Some("unreachable") => &authorities.unreachable,
        _ => &authorities.local,
    };
    if place.ends_with("/guarded") {
        let layer = RequireCaller::new(authority.clone()).with_body(new_body);
        return layer.layer(service).call(request).await;
    }
    if place != "/no-authority" {
        request.extensions_mut().insert(authority.clone());
    }
    service.call(request).await
}

async fn respond(
    authorities: Arc<Authorities>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let (roles, scopes) = (["admin", "editor"], ["tasks:read", "tasks:write"]);
    let name = request.uri().path().rsplit_once('/').unwrap().1.to_owned();
    match &*name {
        "any-role" => {
            let guard = RequireRole::any_of(roles).unwrap().with_body(new_body);
            call_behind(guard, &authorities, request).await
        }
        "every-role" => {
            let guard = RequireRole::all_of(roles).unwrap().with_body(new_body);
            call_behind(guard, &authorities, request).await
        }
        "any-scope" => {
            let guard = RequireScope::any_of(scopes).unwrap().with_body(new_body);
            call_behind(guard, &authorities, request).await
        }
        "every-scope" => {
            let guard = RequireScope::all_of(scopes).unwrap().with_body(new_body);
            call_behind(guard, &authorities, request).await
        }
        _ => call_behind(Identity::new(), &authorities, request).await,
    }
}

/// Starts the service on a free port and returns the socket address.
fn start() -> SocketAddr {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let authorities = Arc::new(Authorities {
                local: fixtures::authority(),
                with_stale_feed: fixtures::authority_with_stale_feed(),
                unreachable: fixtures::unreachable_authority(),
            });
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            loop {
                let (stream, _peer) = listener.accept().await.unwrap();
                let authorities = Arc::clone(&authorities);
                let service = service_fn(move |request| respond(Arc::clone(&authorities), request));
                let connection =
                    http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                tokio::spawn(connection);
            }
        });
    });
    receiver.recv().unwrap()
}

/// Returns whether a guard protects the path. Extractors, which the other paths use, are part of a framework.
fn is_guarded(path: &str) -> bool {
    path.contains("/guarded/") || path.ends_with("-role") || path.ends_with("-scope")
}

#[test]
fn a_service_without_a_framework_sends_every_refusal_of_the_table() {
    let request_count = http::assert_refusals(start(), is_guarded);
    assert!(request_count > 100, "{request_count}");
}

#[test]
fn a_service_without_a_framework_accepts_a_valid_caller() {
    http::assert_every_grant_is_accepted(start(), is_guarded);
}

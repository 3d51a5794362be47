//! Tests that an axum service refuses the requests of `table.rs` as expected, and accepts a valid caller.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;

use auth_core::{
    Caller, CustomClaims, MaybeCaller, Owner, RequireCaller, RequireRole, RequireScope,
};
use axum::routing::post;
use axum::{Extension, Router};
use tokio::net::TcpListener;

use crate::fixtures::Plan;
use crate::{fixtures, http};

async fn caller_id(caller: Caller) -> String {
    caller.sub
}

async fn optional_caller_id(MaybeCaller(caller): MaybeCaller) -> String {
    http::subject_or_none(caller.map(|caller| caller.sub))
}

async fn owner_id(Owner(caller): Owner, _body: String) -> String {
    caller.sub
}

async fn plan(CustomClaims(claims): CustomClaims<Plan>) -> String {
    claims.plan
}

fn guarded_routes() -> Router {
    let route = |path| Router::new().route(path, post(caller_id));
    let (roles, scopes) = (["admin", "editor"], ["tasks:read", "tasks:write"]);
    Router::new()
        .merge(route("/any-role").layer(RequireRole::any_of(roles).unwrap()))
        .merge(route("/every-role").layer(RequireRole::all_of(roles).unwrap()))
        .merge(route("/any-scope").layer(RequireScope::any_of(scopes).unwrap()))
        .merge(route("/every-scope").layer(RequireScope::all_of(scopes).unwrap()))
        .route("/plan", post(plan))
}

fn service() -> Router {
    let authority = fixtures::authority();
    let new_routes = || {
        Router::new()
            .route("/me", post(caller_id))
            .route("/maybe", post(optional_caller_id))
            .route("/{user_id}/notes", post(owner_id))
            .merge(guarded_routes())
    };
    let routes_behind_guard = Router::new()
        .route("/me", post(caller_id))
        .merge(guarded_routes())
        .layer(RequireCaller::new(authority.clone()));
    let unreachable_guarded_routes = Router::new()
        .route("/me", post(caller_id))
        .layer(RequireCaller::new(fixtures::unreachable_authority()));
    let unreachable_routes = new_routes()
        .layer(Extension(fixtures::unreachable_authority()))
        .nest("/guarded", unreachable_guarded_routes);
    new_routes()
        .route("/unnamed/notes", post(owner_id))
        .layer(Extension(authority))
        .nest("/guarded", routes_behind_guard)
        .nest("/no-authority", new_routes())
        .nest(
            "/stale-feed",
            new_routes().layer(Extension(fixtures::authority_with_stale_feed())),
        )
        .nest("/unreachable", unreachable_routes)
}

/// Starts the service on a free port and returns the socket address.
fn start() -> SocketAddr {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            axum::serve(listener, service()).await.unwrap();
        });
    });
    receiver.recv().unwrap()
}

#[test]
fn axum_sends_every_refusal_of_the_table() {
    http::assert_every_refusal(start());
}

#[test]
fn axum_accepts_a_valid_caller() {
    http::assert_valid_caller_is_accepted(start());
}

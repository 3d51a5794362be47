//! axum sends the expected responses of `table.rs`.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;

use auth_core::{Caller, MaybeCaller, Owner, RequireCaller};
use axum::routing::post;
use axum::{Extension, Router};
use tokio::net::TcpListener;

use crate::{fixtures, http};

async fn me(caller: Caller) -> String {
    caller.sub
}

async fn maybe(MaybeCaller(caller): MaybeCaller) -> String {
    http::subject_or_none(caller.map(|caller| caller.sub))
}

async fn notes(Owner(caller): Owner, _body: String) -> String {
    caller.sub
}

fn service() -> Router {
    let authority = fixtures::authority();
    let routes = || {
        Router::new()
            .route("/me", post(me))
            .route("/maybe", post(maybe))
            .route("/{user_id}/notes", post(notes))
    };
    let guarded = Router::new()
        .route("/me", post(me))
        .layer(RequireCaller::new(authority.clone()));
    let guarded_unreachable = Router::new()
        .route("/me", post(me))
        .layer(RequireCaller::new(fixtures::unreachable()));
    let unreachable = routes()
        .layer(Extension(fixtures::unreachable()))
        .nest("/guarded", guarded_unreachable);
    routes()
        .route("/unnamed/notes", post(notes))
        .layer(Extension(authority))
        .nest("/guarded", guarded)
        .nest("/no-authority", routes())
        .nest(
            "/stale-feed",
            routes().layer(Extension(fixtures::stale_feed())),
        )
        .nest("/unreachable", unreachable)
}

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
    http::sends_every_refusal_of_the_table(start());
}

#[test]
fn axum_accepts_a_valid_caller() {
    http::accepts_a_valid_caller(start());
}

//! The table on axum.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;

use auth_core::{Caller, MaybeCaller, Owner, RequireCaller};
use axum::routing::post;
use axum::{Extension, Router};
use tokio::net::TcpListener;

use crate::{http, world};

async fn me(caller: Caller) -> String {
    caller.sub
}

async fn maybe(MaybeCaller(caller): MaybeCaller) -> String {
    http::name(caller.map(|caller| caller.sub))
}

async fn things(Owner(caller): Owner, _body: String) -> String {
    caller.sub
}

fn service() -> Router {
    let authority = world::authority();
    let routes = || {
        Router::new()
            .route("/me", post(me))
            .route("/maybe", post(maybe))
            .route("/{user_id}/things", post(things))
    };
    let guarded = Router::new()
        .route("/me", post(me))
        .layer(RequireCaller::new(authority.clone()));
    let guarded_from_afar = Router::new()
        .route("/me", post(me))
        .layer(RequireCaller::new(world::away()));
    let away = routes()
        .layer(Extension(world::away()))
        .nest("/guarded", guarded_from_afar);
    routes()
        .route("/unnamed/things", post(things))
        .layer(Extension(authority))
        .nest("/guarded", guarded)
        .nest("/unwired", routes())
        .nest("/outdated", routes().layer(Extension(world::outdated())))
        .nest("/away", away)
}

fn start() -> SocketAddr {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            axum::serve(listener, service()).await.unwrap();
        });
    });
    told.recv().unwrap()
}

#[test]
fn axum_refuses_everything_in_the_table() {
    http::refuses_everything_in_the_table(start());
}

#[test]
fn axum_lets_a_known_caller_through() {
    http::lets_a_known_caller_through(start());
}

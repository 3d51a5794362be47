//! actix-web sends the expected responses of `table.rs`.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;

use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpServer};
use auth_core::{Caller, MaybeCaller, Owner, RequireCaller};

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

fn routes(config: &mut ServiceConfig) {
    config
        .route("/me", web::post().to(me))
        .route("/maybe", web::post().to(maybe))
        .route("/unnamed/notes", web::post().to(notes))
        .route("/{user_id}/notes", web::post().to(notes));
}

fn service(config: &mut ServiceConfig) {
    let authority = fixtures::authority();
    let guard = RequireCaller::new(authority.clone());
    let wired = web::scope("").app_data(authority).configure(routes);
    let guarded = web::scope("/guarded")
        .wrap(guard)
        .route("/me", web::post().to(me));
    let no_authority = web::scope("/no-authority").configure(routes);
    let stale_feed = web::scope("/stale-feed")
        .app_data(fixtures::stale_feed())
        .configure(routes);
    let guarded_unreachable = web::scope("/guarded")
        .wrap(RequireCaller::new(fixtures::unreachable()))
        .route("/me", web::post().to(me));
    let unreachable = web::scope("/unreachable")
        .app_data(fixtures::unreachable())
        .service(guarded_unreachable)
        .configure(routes);
    config
        .service(guarded)
        .service(no_authority)
        .service(stale_feed)
        .service(unreachable)
        .service(wired);
}

fn start() -> SocketAddr {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let server = HttpServer::new(|| App::new().configure(service)).workers(1);
        let server = server.disable_signals().bind("127.0.0.1:0").unwrap();
        sender.send(*server.addrs().first().unwrap()).unwrap();
        actix_web::rt::System::new().block_on(server.run()).unwrap();
    });
    receiver.recv().unwrap()
}

#[test]
fn actix_sends_every_refusal_of_the_table() {
    http::sends_every_refusal_of_the_table(start());
}

#[test]
fn actix_accepts_a_valid_caller() {
    http::accepts_a_valid_caller(start());
}

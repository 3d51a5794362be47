//! The table on actix-web.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;

use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpServer};
use auth_core::{Caller, MaybeCaller, Owner, RequireCaller};

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

fn routes(config: &mut ServiceConfig) {
    config
        .route("/me", web::post().to(me))
        .route("/maybe", web::post().to(maybe))
        .route("/unnamed/things", web::post().to(things))
        .route("/{user_id}/things", web::post().to(things));
}

fn service(config: &mut ServiceConfig) {
    let authority = world::authority();
    let guard = RequireCaller::new(authority.clone());
    let wired = web::scope("").app_data(authority).configure(routes);
    let guarded = web::scope("/guarded")
        .wrap(guard)
        .route("/me", web::post().to(me));
    let unwired = web::scope("/unwired").configure(routes);
    let outdated = web::scope("/outdated")
        .app_data(world::outdated())
        .configure(routes);
    let guarded_from_afar = web::scope("/guarded")
        .wrap(RequireCaller::new(world::away()))
        .route("/me", web::post().to(me));
    let away = web::scope("/away")
        .app_data(world::away())
        .service(guarded_from_afar)
        .configure(routes);
    config
        .service(guarded)
        .service(unwired)
        .service(outdated)
        .service(away)
        .service(wired);
}

fn start() -> SocketAddr {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let server = HttpServer::new(|| App::new().configure(service)).workers(1);
        let server = server.disable_signals().bind("127.0.0.1:0").unwrap();
        tell.send(*server.addrs().first().unwrap()).unwrap();
        actix_web::rt::System::new().block_on(server.run()).unwrap();
    });
    told.recv().unwrap()
}

#[test]
fn actix_refuses_everything_in_the_table() {
    http::refuses_everything_in_the_table(start());
}

#[test]
fn actix_lets_a_known_caller_through() {
    http::lets_a_known_caller_through(start());
}

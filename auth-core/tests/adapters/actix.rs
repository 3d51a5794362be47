//! Tests that an actix-web service refuses the requests of `table.rs` as expected, and accepts a valid caller.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;

use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpServer};
use auth_core::{
    Caller, CustomClaims, MaybeCaller, Owner, RequireCaller, RequireRole, RequireScope,
};

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

fn add_guarded_routes(config: &mut ServiceConfig) {
    let resource = |path| web::resource(path).route(web::post().to(caller_id));
    let (roles, scopes) = (["admin", "editor"], ["tasks:read", "tasks:write"]);
    config
        .service(resource("/any-role").wrap(RequireRole::any_of(roles).unwrap()))
        .service(resource("/every-role").wrap(RequireRole::all_of(roles).unwrap()))
        .service(resource("/any-scope").wrap(RequireScope::any_of(scopes).unwrap()))
        .service(resource("/every-scope").wrap(RequireScope::all_of(scopes).unwrap()))
        .route("/plan", web::post().to(plan));
}

fn add_routes(config: &mut ServiceConfig) {
    config
        .configure(add_guarded_routes)
        .route("/me", web::post().to(caller_id))
        .route("/maybe", web::post().to(optional_caller_id))
        .route("/unnamed/notes", web::post().to(owner_id))
        .route("/{user_id}/notes", web::post().to(owner_id));
}

fn add_services(config: &mut ServiceConfig) {
    let authority = fixtures::authority();
    let guard = RequireCaller::new(authority.clone());
    let authority_scope = web::scope("").app_data(authority).configure(add_routes);
    let guarded_scope = web::scope("/guarded")
        .wrap(guard)
        .configure(add_guarded_routes)
        .route("/me", web::post().to(caller_id));
    let no_authority_scope = web::scope("/no-authority").configure(add_routes);
    let stale_feed_scope = web::scope("/stale-feed")
        .app_data(fixtures::authority_with_stale_feed())
        .configure(add_routes);
    let unreachable_guarded_scope = web::scope("/guarded")
        .wrap(RequireCaller::new(fixtures::unreachable_authority()))
        .route("/me", web::post().to(caller_id));
    let unreachable_scope = web::scope("/unreachable")
        .app_data(fixtures::unreachable_authority())
        .service(unreachable_guarded_scope)
        .configure(add_routes);
    config
        .service(guarded_scope)
        .service(no_authority_scope)
        .service(stale_feed_scope)
        .service(unreachable_scope)
        .service(authority_scope);
}

/// Starts the service on a free port and returns the socket address.
fn start() -> SocketAddr {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let server = HttpServer::new(|| App::new().configure(add_services)).workers(1);
        let bound_server = server.disable_signals().bind("127.0.0.1:0").unwrap();
        sender.send(*bound_server.addrs().first().unwrap()).unwrap();
        actix_web::rt::System::new()
            .block_on(bound_server.run())
            .unwrap();
    });
    receiver.recv().unwrap()
}

#[test]
fn actix_sends_every_refusal_of_the_table() {
    http::assert_every_refusal(start());
}

#[test]
fn actix_accepts_a_valid_caller() {
    http::assert_valid_caller_is_accepted(start());
}

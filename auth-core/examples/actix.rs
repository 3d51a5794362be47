//! An actix-web service that accepts the tokens of an `api-server`. The service has a public route, a route for every
//! caller with a token, and a route for the one user whose id is in the path.
//!
//! ```sh
//! AUTH_SECRET=… cargo run --example actix --features actix
//! curl http://127.0.0.1:3000/me -H "Authorization: Bearer $TOKEN"
//! ```

use std::env;
use std::error::Error;

use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpServer};
use auth_core::{Authority, Caller, Keyring, MaybeCaller, Owner, Secret, TokenVerifier};

/// Responds 200 also to a request without credentials, but 401 to invalid credentials.
async fn hello(MaybeCaller(caller): MaybeCaller) -> String {
    match caller {
        Some(caller) => format!("Hello, {}", caller.email.unwrap_or(caller.sub)),
        None => "Hello".to_owned(),
    }
}

/// Responds 401 without a valid token.
async fn me(caller: Caller) -> String {
    caller.sub
}

/// Responds 403 to a caller whose id is not `{user_id}`.
async fn notes(Owner(caller): Owner) -> String {
    format!("The notes of {}", caller.sub)
}

fn add_routes(config: &mut ServiceConfig) {
    config
        .route("/", web::get().to(hello))
        .route("/me", web::get().to(me))
        .route("/{user_id}/notes", web::get().to(notes));
}

/// Creates a verifier from `AUTH_SECRET`, `AUTH_ISSUER` and `AUTH_AUDIENCE`. Set them as they are set for `api-server`.
fn verifier() -> Result<TokenVerifier, Box<dyn Error>> {
    let read_setting = |name, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
    let secret = Secret::new(env::var("AUTH_SECRET")?)?;
    let issuer = read_setting("AUTH_ISSUER", "api-server");
    let audience = read_setting("AUTH_AUDIENCE", "api");
    Ok(TokenVerifier::new(Keyring::new(secret), issuer, audience)?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let bind_address = env::var("BIND_ADDR").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let authority = Authority::from(verifier()?);
    let create_app = move || App::new().app_data(authority.clone()).configure(add_routes);
    let server = HttpServer::new(create_app).bind(bind_address)?;
    actix_web::rt::System::new().block_on(server.run())?;
    Ok(())
}

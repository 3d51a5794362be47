//! An axum service that takes the tokens of a running `api-server`: an open route, one for callers, one for owners.
//!
//! ```sh
//! AUTH_SECRET=… cargo run --example axum --features axum
//! curl http://127.0.0.1:3000/me -H "Authorization: Bearer $TOKEN"
//! ```

use std::env;
use std::error::Error;

use auth_core::{Authority, Caller, Keyring, MaybeCaller, Owner, Secret, TokenVerifier};
use axum::routing::get;
use axum::{Extension, Router};

/// Open to all; bad credentials are refused all the same.
async fn hello(MaybeCaller(caller): MaybeCaller) -> String {
    match caller {
        Some(caller) => format!("Hello, {}", caller.email),
        None => "Hello, whoever you are".to_owned(),
    }
}

/// 401 without a good token.
async fn me(caller: Caller) -> String {
    caller.sub
}

/// 403 unless `{user_id}` is the caller's own.
async fn notes(Owner(caller): Owner) -> String {
    format!("The notes of {}", caller.sub)
}

fn service(authority: Authority) -> Router {
    Router::new()
        .route("/", get(hello))
        .route("/me", get(me))
        .route("/{user_id}/notes", get(notes))
        .layer(Extension(authority))
}

/// The three settings that the service shares with the server.
fn verifier() -> Result<TokenVerifier, Box<dyn Error>> {
    let setting = |name, otherwise: &str| env::var(name).unwrap_or_else(|_| otherwise.to_owned());
    let secret = Secret::new(env::var("AUTH_SECRET")?)?;
    let issuer = setting("AUTH_ISSUER", "api-server");
    let audience = setting("AUTH_AUDIENCE", "api");
    Ok(TokenVerifier::new(Keyring::new(secret), issuer, audience)?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = env::var("BIND_ADDR").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, service(verifier()?.into())).await?;
    Ok(())
}

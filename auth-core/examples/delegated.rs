//! An axum service without a secret. The service sends the token or the cookies of a request to a running `api-server`,
//! which identifies the caller.
//!
//! ```sh
//! AUTH_SERVER=http://127.0.0.1:8080 cargo run --example delegated --features axum,remote
//! curl http://127.0.0.1:3000/me -H "Authorization: Bearer $TOKEN"
//! ```

use std::env;
use std::error::Error;

use auth_core::remote::RemoteVerifier;
use auth_core::{Authority, Caller, Owner};
use axum::routing::get;
use axum::{Extension, Router};

/// Responds 401 without a valid token or cookie, and 503 if the server does not respond.
async fn me(caller: Caller) -> String {
    caller.sub
}

/// Responds 403 to a caller whose id is not `{user_id}`.
async fn notes(Owner(caller): Owner) -> String {
    format!("The notes of {}", caller.sub)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let read_setting = |name, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
    let server_url = read_setting("AUTH_SERVER", "http://127.0.0.1:8080");
    let authority = Authority::from(RemoteVerifier::new(&server_url)?);
    let service = Router::new()
        .route("/me", get(me))
        .route("/{user_id}/notes", get(notes))
        .layer(Extension(authority));
    let bind_address = read_setting("BIND_ADDR", "127.0.0.1:3000");
    axum::serve(tokio::net::TcpListener::bind(bind_address).await?, service).await?;
    Ok(())
}

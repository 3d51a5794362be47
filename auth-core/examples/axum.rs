//! An axum service with a public route, a route for every caller with a token, and a route for the one user whose id is
//! in the path. The service accepts the tokens of a running `api-server`. About a second after a logout, the service
//! rejects the tokens of the session, unless the server is unreachable.
//!
//! ```sh
//! AUTH_SECRET=… AUTH_SERVER=http://127.0.0.1:8080 cargo run --example axum --features axum,remote
//! curl http://127.0.0.1:3000/me -H "Authorization: Bearer $TOKEN"
//! ```

use std::env;
use std::error::Error;

use auth_core::remote::{RevocationFeed, StalePolicy};
use auth_core::{Authority, Caller, Keyring, MaybeCaller, Owner, Secret, TokenVerifier};
use axum::routing::get;
use axum::{Extension, Router};

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

fn service(authority: Authority) -> Router {
    Router::new()
        .route("/", get(hello))
        .route("/me", get(me))
        .route("/{user_id}/notes", get(notes))
        .layer(Extension(authority))
}

/// Creates a verifier from environment variables. Waits until the server has sent the revoked sessions, so that the
/// service accepts no token that was revoked before the service started.
async fn verifier() -> Result<TokenVerifier, Box<dyn Error>> {
    let read_setting = |name, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
    let server_url = read_setting("AUTH_SERVER", "http://127.0.0.1:8080");
    let issuer = read_setting("AUTH_ISSUER", "api-server");
    let audience = read_setting("AUTH_AUDIENCE", "api");
    let keyring = Keyring::new(Secret::new(env::var("AUTH_SECRET")?)?);
    let feed = RevocationFeed::start(&server_url, keyring.clone(), &issuer)?;
    feed.wait_until_caught_up().await;
    let verifier = TokenVerifier::new(keyring, issuer, audience)?;
    Ok(verifier.with_feed(&feed, StalePolicy::FailOpen))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let bind_address = env::var("BIND_ADDR").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let authority = Authority::from(verifier().await?);
    let listener = tokio::net::TcpListener::bind(bind_address).await?;
    axum::serve(listener, service(authority)).await?;
    Ok(())
}

//! An axum service without a secret, next to an `api-server` that signs with a private key. The service verifies tokens
//! with the public keys that the server publishes, and requests them again when the server rotates its key. About a
//! second after a logout, the service rejects the tokens of the session.
//!
//! ```sh
//! AUTH_SERVER=http://127.0.0.1:8080 FEED_CREDENTIAL=$(api-server keys derive --feed example) \
//!   cargo run --example public_keys --features axum,public-key,remote
//! curl http://127.0.0.1:3000/me -H "Authorization: Bearer $TOKEN"
//! ```

use std::env;
use std::error::Error;

use auth_core::remote::{RemoteKeySet, RevocationFeed, StalePolicy};
use auth_core::revocation::FeedCredential;
use auth_core::{Authority, Caller, Owner, TokenVerifier};
use axum::routing::get;
use axum::{Extension, Router};

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
        .route("/me", get(me))
        .route("/{user_id}/notes", get(notes))
        .layer(Extension(authority))
}

/// Creates a verifier from environment variables. Waits for the keys and for the revoked sessions, so that the service
/// neither rejects a valid token nor accepts a revoked one right after its start.
async fn verifier() -> Result<TokenVerifier, Box<dyn Error>> {
    let read_setting = |name, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
    let server_url = read_setting("AUTH_SERVER", "http://127.0.0.1:8080");
    let issuer = read_setting("AUTH_ISSUER", "api-server");
    let audience = read_setting("AUTH_AUDIENCE", "api");
    let credential = FeedCredential::parse(&env::var("FEED_CREDENTIAL")?)?;
    let keys = RemoteKeySet::start(&format!("{server_url}/.well-known/jwks.json"))?;
    let feed = RevocationFeed::start(&server_url, credential, &issuer)?;
    keys.wait_until_loaded().await;
    feed.wait_until_caught_up().await;
    let verifier = TokenVerifier::new(keys, issuer, audience)?;
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

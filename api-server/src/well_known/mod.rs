//! Publishes the public keys of access tokens and the metadata of this server, for services that verify tokens without
//! the secret. Without public keys, nothing is published.

pub(crate) mod jwks;
pub(crate) mod oauth_authorization_server;

use utoipa::OpenApi;

use crate::problem::{Code, Problem};

/// The operations of these paths for the `OpenAPI` document.
#[derive(OpenApi)]
#[openapi(paths(jwks::show, oauth_authorization_server::show))]
pub(crate) struct Api;

/// Returns the error of a server without public keys. A key set without keys would be the wrong response: a verifier
/// may keep it, and then rejects all tokens.
fn no_public_keys() -> Problem {
    let detail = "This server has no public keys; it needs the setting AUTH_SIGNING_KEY";
    Problem::new(Code::NotFound, detail)
}

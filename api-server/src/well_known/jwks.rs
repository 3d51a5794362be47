//! Handles `GET /.well-known/jwks.json` and its alias `GET /api/auth/jwks`, the path of Better Auth's plugin `jwt`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::no_public_keys;
use crate::http::public_document;
use crate::problem::Problem;
use crate::sessions::Sessions;

// The next two types only describe the document for OpenAPI. `sessions/jwks.rs` writes the document.

/// A JWK Set (RFC 7517 § 5).
#[derive(Serialize, ToSchema)]
pub(crate) struct JwkSet {
    keys: Vec<Jwk>,
}

/// A public key. It never has a private member.
#[derive(Serialize, ToSchema)]
struct Jwk {
    /// The header parameter `kid` of the tokens that this key verifies: the thumbprint of the key (RFC 7638).
    #[schema(example = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")]
    kid: String,
    #[schema(example = "OKP")]
    kty: String,
    #[schema(example = "Ed25519")]
    crv: String,
    #[schema(example = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")]
    x: String,
    /// Only a key for ES256 has this member.
    y: Option<String>,
    #[serde(rename = "use")]
    #[schema(example = "sig")]
    usage: String,
    #[schema(example = "EdDSA")]
    alg: String,
}

/// The public keys that verify access tokens (JWK Set). The keys of a rotation are published before they sign. Without
/// `AUTH_SIGNING_KEY` and `AUTH_VERIFYING_KEYS` this is 404.
#[utoipa::path(
    get, path = "/.well-known/jwks.json", tag = "session", operation_id = "listPublicKeys",
    responses(
        (status = 200, description = "Public keys, which may be kept for 5 minutes", body = JwkSet),
        (status = 304, description = "`If-None-Match` has the current `ETag`"),
    ),
)]
pub(crate) async fn show(
    request: HttpRequest,
    sessions: Data<Sessions>,
) -> Result<HttpResponse, Problem> {
    let document = sessions.keys.current().jwks.clone();
    let document = document.ok_or_else(no_public_keys)?;
    Ok(public_document::respond(&request, document))
}

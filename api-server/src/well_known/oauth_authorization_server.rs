//! Handles `GET /.well-known/oauth-authorization-server`: the metadata by which a verifier finds the public keys.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::no_public_keys;
use crate::http::public_document;
use crate::http::scope::Scope;
use crate::origin::Origin;
use crate::problem::{Code, Problem};
use crate::sessions::Sessions;

/// The metadata, which do not change while the server runs; `None` if the issuer is not the URL of this server.
pub(crate) struct MetadataDocument(Option<String>);

/// The metadata of an authorization server (RFC 8414 § 2). This server has no endpoint of `OAuth` 2.0 itself: logins,
/// refreshes and exchanges have requests of its own.
#[derive(Serialize, ToSchema)]
pub(crate) struct Metadata {
    /// The claim `iss` of the tokens.
    #[schema(example = "https://auth.example.com")]
    issuer: String,
    #[schema(example = "https://auth.example.com/.well-known/jwks.json")]
    jwks_uri: String,
    scopes_supported: Vec<&'static str>,
    /// Empty, but required.
    response_types_supported: [&'static str; 0],
    /// Empty, because its absence would mean `authorization_code` and `implicit`.
    grant_types_supported: [&'static str; 0],
    #[schema(example = "https://auth.example.com/docs/")]
    service_documentation: String,
}

impl MetadataDocument {
    /// Builds the metadata if the issuer is the URL of this server, with or without a final slash. A client requests
    /// the metadata below the URL of the issuer, and rejects metadata that name another issuer (RFC 8414 § 3.3).
    pub(crate) fn new(issuer: &str, public_url: &Origin) -> Self {
        let url = public_url.as_str();
        if issuer.strip_suffix('/').unwrap_or(issuer) != url {
            return Self(None);
        }
        let metadata = Metadata {
            issuer: issuer.to_owned(),
            jwks_uri: format!("{url}/.well-known/jwks.json"),
            scopes_supported: Scope::ALL.map(Scope::as_str).to_vec(),
            response_types_supported: [],
            grant_types_supported: [],
            service_documentation: format!("{url}/docs/"),
        };
        Self(serde_json::to_string(&metadata).ok())
    }
}

/// The issuer and the address of the public keys (RFC 8414), if `AUTH_ISSUER` is the URL of this server, `PUBLIC_URL`.
/// Otherwise, and without public keys, this is 404.
#[utoipa::path(
    get, path = "/.well-known/oauth-authorization-server", tag = "session", operation_id = "showServerMetadata",
    responses(
        (status = 200, description = "Metadata, which may be kept for 5 minutes", body = Metadata),
        (status = 304, description = "`If-None-Match` has the current `ETag`"),
    ),
)]
pub(crate) async fn show(
    request: HttpRequest,
    sessions: Data<Sessions>,
    metadata: Data<MetadataDocument>,
) -> Result<HttpResponse, Problem> {
    const OTHER_ISSUER: &str =
        "The issuer is not the URL of this server; set AUTH_ISSUER to PUBLIC_URL";
    if sessions.keys.current().jwks.is_none() {
        return Err(no_public_keys());
    }
    let document = metadata.0.clone();
    let document = document.ok_or_else(|| Problem::new(Code::NotFound, OTHER_ISSUER))?;
    Ok(public_document::respond(&request, document))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::MetadataDocument;
    use crate::origin::Origin;

    #[test]
    fn only_an_issuer_that_is_the_url_of_the_server_has_metadata() {
        let public_url = Origin::parse("https://auth.example.com").unwrap();
        for issuer in ["https://auth.example.com", "https://auth.example.com/"] {
            let MetadataDocument(document) = MetadataDocument::new(issuer, &public_url);
            let metadata: Value = serde_json::from_str(&document.unwrap()).unwrap();
            assert_eq!(metadata["issuer"], issuer);
            let url = "https://auth.example.com/.well-known/jwks.json";
            assert_eq!(metadata["jwks_uri"], url);
        }
        for issuer in [
            "",
            "api-server",
            "auth.example.com",
            "http://auth.example.com",
            "https://auth.example.com//",
            "https://auth.example.com/tenant",
            "https://auth.example.com:8443",
            "https://AUTH.example.com",
        ] {
            assert!(
                MetadataDocument::new(issuer, &public_url).0.is_none(),
                "{issuer}"
            );
        }
    }
}
